"""Injects faults into the running graph and watches the motion; needs ROS."""
