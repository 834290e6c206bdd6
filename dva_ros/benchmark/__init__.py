"""What the models cost on this machine, held against what the machine can do."""
