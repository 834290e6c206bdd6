"""Starts the graph. The modules `launch_*` import `launch`, which is not in the ROS wheels."""
