"""Writes the configuration of a cell from what its topics and its URDF say."""
