"""The container of a worker: the trainer image, its environment, its probe and what it may not do."""

from trainingrun.api import EnvironmentVariable, Resolved, Resources, TrainingRun, Transport
from trainingrun.api.base import to_wire
from trainingrun.contract import (
    CONFIG_FILE,
    CONFIG_MOUNT,
    CONFIG_VARIABLE,
    COORDINATOR_VARIABLE,
    PROGRESS_PORT,
    RENDEZVOUS_PORT,
    TOKEN_VARIABLE,
)
from trainingrun_operator import names
from trainingrun_operator.children.accelerator import Equipment
from trainingrun_operator.children.fields import given
from trainingrun_operator.children.volumes import volume_mounts
from trainingrun_operator.model import Manifest


def container(run: TrainingRun, *, resolved: Resolved, equipment: Equipment, token: str) -> Manifest:
    """The only container of a worker; `token` is the attempt's secret."""
    workers = run.spec.workers
    fields: Manifest = {
        "name": names.CONTAINER,
        "image": resolved.image,
        "imagePullPolicy": workers.image_pull_policy,
        "env": _environment(run, resolved=resolved, equipment=equipment, token=token),
        "resources": _resources(workers.resources, equipment=equipment),
        "ports": [
            {"name": "rendezvous", "containerPort": RENDEZVOUS_PORT},
            {"name": "progress", "containerPort": PROGRESS_PORT},
        ],
        # Ready means that all ranks have met; asked often, because the run's start is timed by it.
        "readinessProbe": {
            "httpGet": {"path": "/readyz", "port": PROGRESS_PORT},
            "periodSeconds": 1,
            "timeoutSeconds": 5,
            "failureThreshold": 1,
        },
        # What ends before the agent has begun leaves no record: the end of the log, where there is any, says why.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": volume_mounts(run, equipment=equipment),
    }
    return given(fields)


def _resources(resources: Resources, *, equipment: Equipment) -> Manifest:
    """What the user asks for and the accelerators, of which Kubernetes lends no more than was requested."""
    return {part: {**amounts, **equipment.resources} for part, amounts in to_wire(resources).items()}


def _environment(run: TrainingRun, *, resolved: Resolved, equipment: Equipment, token: str) -> list[Manifest]:
    """The user's variables, then the trainer's: of two with one name the kubelet takes the last."""
    environment = [_variable(variable) for variable in run.spec.workers.env]
    environment.append({"name": CONFIG_VARIABLE, "value": f"{CONFIG_MOUNT}/{CONFIG_FILE}"})
    if resolved.coordinator:
        host = f"[{resolved.coordinator}]" if ":" in resolved.coordinator else resolved.coordinator
        environment.append({"name": COORDINATOR_VARIABLE, "value": f"{host}:{RENDEZVOUS_PORT}"})
        if run.spec.strategy.transport is Transport.MPI:
            environment.append({"name": TOKEN_VARIABLE, "value": token})
    return [*environment, *equipment.environment]


def _variable(variable: EnvironmentVariable) -> Manifest:
    if variable.value_from is not None:
        return {"name": variable.name, "valueFrom": to_wire(variable.value_from)}
    return {"name": variable.name, "value": variable.value or ""}
