"""Episodes through the running nodes, in real time; needs ROS."""
