"""Checks a parameters file and a running graph; needs ROS."""
