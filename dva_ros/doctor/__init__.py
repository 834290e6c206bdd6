"""Looks at a machine: what is there, what is missing, what it is for and how to get it."""
