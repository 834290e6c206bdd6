"""Finds the topics of a running cell; needs ROS."""
