"""Time grid, camera alignment, the mosaic and the ring of real frames."""
