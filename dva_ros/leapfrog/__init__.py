"""Overlap of inference and motion: timeline, splice, limits, braking."""
