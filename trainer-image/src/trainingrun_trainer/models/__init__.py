"""The networks that come with the trainer."""
