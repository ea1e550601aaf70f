"""A smaller network: weights that become zero, and numbers with fewer bits. tfmot is imported here and nowhere else."""
