"""`make bench-ranks`: that more ranks train as good a network as one does in as many epochs. Never part of the tests."""
