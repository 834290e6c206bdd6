"""Closed-loop episodes, metrics and reports."""
