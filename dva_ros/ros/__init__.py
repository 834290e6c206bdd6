"""What the ROS 2 nodes share: lifecycle base, parameters, qualities of service, conversions."""
