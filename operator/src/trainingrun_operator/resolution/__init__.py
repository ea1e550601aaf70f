"""From a run and the preset that it names to the run as it applies: once per attempt, and the attempt keeps it."""

from trainingrun_operator.resolution.resolve import Applied, Resolution, resolve

__all__ = ["Applied", "Resolution", "resolve"]
