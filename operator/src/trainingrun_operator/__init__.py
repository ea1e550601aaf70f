"""The operator of TrainingRun.

The middle is pure and reads as prose: `observe` turns what the API server returns into values, `decide` turns those into what
to do next. Around it stands a thin shell that watches, lists, writes and waits.
"""
