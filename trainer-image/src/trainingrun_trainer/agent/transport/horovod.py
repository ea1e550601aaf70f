"""What Horovod is told with every transport. Pure."""

from trainingrun.contract import AttemptConfig


def horovod_environment(config: AttemptConfig) -> dict[str, str]:
    """Cycle time and fusion threshold where the run has them; Horovod has its own."""
    variables: dict[str, str] = {}
    if config.cycle_time_milliseconds is not None:
        variables["HOROVOD_CYCLE_TIME"] = f"{config.cycle_time_milliseconds:g}"
    if config.fusion_threshold_bytes is not None:
        variables["HOROVOD_FUSION_THRESHOLD"] = str(config.fusion_threshold_bytes)
    return variables
