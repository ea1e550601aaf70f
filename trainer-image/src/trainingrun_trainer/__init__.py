"""The trainer: what runs in every worker pod of a TrainingRun."""
