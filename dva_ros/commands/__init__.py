"""The verbs of `python -m dva_ros`, one file each."""
