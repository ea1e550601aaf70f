"""The ConfigMap with all that the trainer is told about an attempt; immutable."""

import json
from math import ceil

from trainingrun.api import (
    AcceleratorKind,
    Data,
    DataFormat,
    NormalizationType,
    OptimizerName,
    Resolved,
    Scaling,
    Training,
    TrainingRun,
)
from trainingrun.api.base import to_sparse_wire
from trainingrun.api.quantities import amount
from trainingrun.api.strategy import StrategyType
from trainingrun.contract import CONFIG_FILE, AttemptConfig, RunIdentity
from trainingrun.contract_version import version_needed
from trainingrun_operator import names
from trainingrun_operator.changes import changed
from trainingrun_operator.children.metadata import metadata
from trainingrun_operator.model import Manifest

DECIDES_SINCE = 2
"""Version of the contract in which the trainer learnt to standardise tables, and to scale a rate as its optimizer asks."""


def config_map(run: TrainingRun, *, attempt: int, resolved: Resolved) -> Manifest:
    """The ConfigMap of an attempt: what differs from the defaults, and which version of the contract it takes to read it."""
    config = attempt_config(run, attempt=attempt, resolved=resolved)
    version = version_needed(config).version
    told = {**({"contractVersion": version} if version > 1 else {}), **to_sparse_wire(config)}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(run, attempt=attempt) | {"name": config_name(run, attempt=attempt)},
        "immutable": True,
        "data": {CONFIG_FILE: json.dumps(told, indent=2)},
    }


def config_name(run: TrainingRun, *, attempt: int) -> str:
    """Name of that ConfigMap."""
    return names.config_name(run.metadata.name, attempt, uid=run.metadata.uid)


def attempt_config(run: TrainingRun, *, attempt: int, resolved: Resolved) -> AttemptConfig:
    """The trainer's configuration."""
    spec, strategy = run.spec, StrategyType(resolved.strategy)
    fusion, cycle = spec.strategy.fusion_threshold, spec.strategy.cycle_time_milliseconds
    return AttemptConfig(
        run=RunIdentity(namespace=run.metadata.namespace, name=run.metadata.name, uid=run.metadata.uid),
        round=run.status.round,
        attempt=attempt,
        image=resolved.image,
        strategy=strategy,
        transport=spec.strategy.transport,
        fusion_threshold_bytes=None if fusion is None else ceil(amount(fusion)),
        cycle_time_milliseconds=cycle,
        gradient_compression=spec.strategy.gradient_compression,
        backward_passes_per_step=spec.strategy.backward_passes_per_step,
        replicas=resolved.replicas,
        processes_per_worker=resolved.processes_per_worker,
        accelerator=AcceleratorKind(resolved.accelerator) if resolved.accelerator is not None else None,
        accelerators_per_worker=resolved.accelerators // resolved.replicas,
        start_timeout_seconds=spec.recovery.start_timeout_seconds,
        termination_grace_period_seconds=spec.workers.termination_grace_period_seconds,
        data=_data(run, image=resolved.image),
        model=spec.model,
        augmentation=spec.augmentation,
        training=_training(run, strategy=strategy, image=resolved.image),
        tuning=spec.tuning,
        compression=spec.compression,
        acceptance=spec.acceptance,
        output=spec.output,
    )


def _data(run: TrainingRun, *, image: str) -> Data:
    """`spec.data` with what applies where it says nothing about the features of a table.

    To the trainer nothing means what it meant to the first version: they stay as they are. So that is how None is said, and an
    image that is known to be older goes on as it always has.
    """
    data, wanted = run.spec.data, run.spec.data.normalization
    if wanted is None and data.format is DataFormat.CSV and not _is_older(run, image=image):
        wanted = NormalizationType.STANDARDIZE
    return changed(data, normalization=None if wanted is NormalizationType.NONE else wanted)


def _training(run: TrainingRun, *, strategy: StrategyType, image: str) -> Training:
    """`spec.training`, in words that any image knows where these will do.

    A process alone has nothing to scale its learning rate by. An image that is known to be older is told the rule that Auto
    stands for, without the warm-up that goes with it.
    """
    training = run.spec.training
    is_alone = strategy is StrategyType.SINGLE and run.spec.strategy.backward_passes_per_step == 1
    if training.schedule.scaling is not Scaling.AUTO or not (is_alone or _is_older(run, image=image)):
        return training
    is_linear = is_alone or training.optimizer.name is OptimizerName.SGD
    scaling = Scaling.LINEAR if is_linear else Scaling.SQUARE_ROOT
    return changed(training, schedule=changed(training.schedule, scaling=scaling))


def _is_older(run: TrainingRun, *, image: str) -> bool:
    """Whether the image has said that it speaks an older version of the contract."""
    trainer = run.status.trainer
    return trainer is not None and trainer.image == image and trainer.contract_version < DECIDES_SINCE
