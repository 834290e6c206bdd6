"""Faults injected into the running graph, and what the robot does then."""
