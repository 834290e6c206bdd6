"""Load and report of the measurement of cameras through camera_context."""
