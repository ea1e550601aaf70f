"""PID 1 of a worker pod: starts the ranks, watches them, answers questions, and has the last word.

Nothing here imports TensorFlow, so the agent answers within a fraction of a second after its container has started.
"""
