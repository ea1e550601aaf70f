"""`make test`: the stages of the suite, two lanes of them at a time, and a table of where the time has gone."""
