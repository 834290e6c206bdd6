"""What to find out first on a computer with a GPU: parity of the fast paths, speed, a recipe."""
