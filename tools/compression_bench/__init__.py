"""`make bench-compression`: how small models become, and what that costs. Never part of the tests."""
