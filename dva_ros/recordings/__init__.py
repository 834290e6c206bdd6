"""Recordings of a cell: written, read, and turned into datasets; without ROS."""
