"""How ranks train together, behind one small protocol: alone, or with Horovod."""
