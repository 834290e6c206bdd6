"""Recipes: the stages that make a checkpoint, as one file."""
