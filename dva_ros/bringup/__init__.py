"""What the files in launch/ share. Imports `launch` and `launch_ros`, which no wheel has."""
