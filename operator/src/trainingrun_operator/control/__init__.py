"""The imperative shell: a queue of runs to look at, and what happens when one is looked at."""
