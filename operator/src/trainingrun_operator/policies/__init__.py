"""The rules of a run's life: one question per file. Each answers with a Step, or with None when it does not apply.

The type of its parameter says in which phase it is asked: BetweenAttempts, ActiveAttempt, StoppingAttempt, or any (Life).
"""
