"""TrainingRun: the API object and the contract between the operator and the trainer."""
