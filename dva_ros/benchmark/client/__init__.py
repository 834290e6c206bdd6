"""Measurements of the running graph; needs ROS."""
