"""How ranks train together, behind one small protocol: alone, with Horovod, or on the chips of a TPU."""
