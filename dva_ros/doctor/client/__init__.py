"""Holds a parameters file against the nodes; needs ROS."""
