"""Samples: where they are, how they are read, split, shared among the ranks, and augmented."""
