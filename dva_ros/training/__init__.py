"""Episodes, datasets, context amortization and the training loops."""
