"""Overlap of inference and motion: requests, splice, limits, braking."""
