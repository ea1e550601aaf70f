"""What Horovod is told with every transport. Pure."""

from trainingrun.contract import AttemptConfig

CYCLE_MILLISECONDS = 0.1
"""How long Horovod collects gradients before it exchanges them. Its own 1 ms is longer than a step of a small network takes."""


def horovod_environment(config: AttemptConfig) -> dict[str, str]:
    """Cycle time and fusion threshold, as the run or Horovod has them."""
    variables = {"HOROVOD_CYCLE_TIME": f"{config.cycle_time_milliseconds or CYCLE_MILLISECONDS:g}"}
    if config.fusion_threshold_bytes is not None:
        variables["HOROVOD_FUSION_THRESHOLD"] = str(config.fusion_threshold_bytes)
    return variables
