"""What the status says, derived from a policy's answer and from what is observed."""
