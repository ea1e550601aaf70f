"""`make bench-tuning`: searching in one warm gang, beside one object per trial, and with ASHA. Never part of the tests."""
