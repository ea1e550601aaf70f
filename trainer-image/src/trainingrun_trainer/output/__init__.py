"""Where a run writes: a folder of a volume, or of an object store, behind one protocol."""
