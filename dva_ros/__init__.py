"""dva_ros: a Direct Video-Action Model that controls a bimanual cell through ROS 2."""
