"""Checks a machine and a cell's configuration."""
