"""What the models compute, and what this machine computes in a second."""
