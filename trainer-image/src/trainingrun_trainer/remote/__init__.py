"""Object stores and web servers: how they are reached, and what their refusals mean."""
