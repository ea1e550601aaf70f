"""What an accelerator adds to the pods of its workers: one file per technology."""

from trainingrun.api import TrainingRun
from trainingrun_operator.children.accelerator.equipment import Equipment
from trainingrun_operator.children.accelerator.gpu import gpu_equipment
from trainingrun_operator.children.accelerator.tpu import hosts_service, is_slice_of_hosts, tpu_equipment

__all__ = ["Equipment", "equipment", "hosts_service", "is_slice_of_hosts"]


def equipment(run: TrainingRun, *, attempt: int) -> Equipment:
    """The equipment of an attempt's workers; nothing on CPUs."""
    accelerator = run.spec.workers.accelerator
    if accelerator is not None and accelerator.gpu is not None:
        return gpu_equipment(accelerator.gpu)
    if accelerator is not None and accelerator.tpu is not None:
        return tpu_equipment(run, accelerator.tpu, attempt=attempt)
    return Equipment()
