"""`make bench-launch`: from apply to the first step and to the end, beside the MPI operator. Never part of the tests."""
