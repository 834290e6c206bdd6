"""One file a ROS 2 node, thin over the ROS-free core."""
