"""What a run leaves for use, measured as it will be used."""
