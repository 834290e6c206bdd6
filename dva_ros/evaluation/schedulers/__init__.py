"""Leapfrog and the schedulers it is measured against, behind one interface."""
