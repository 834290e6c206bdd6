"""Recording the scripted expert through the running graph; needs ROS."""
