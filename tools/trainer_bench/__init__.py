"""`make bench-trainer`: how fast the trainer is, beside what people use now. Never part of the tests."""
