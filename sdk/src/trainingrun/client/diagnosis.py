"""What a cluster has of TrainingRun, and what its user may do there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainingrun.client.errors import RefusedError
from trainingrun.client.port import ALL, DEFINITION, DEPLOYMENT, Cluster

OPERATOR_LABEL = {"app.kubernetes.io/name": "trainingrun-operator"}


@dataclass(frozen=True)
class Operator:
    """A Deployment of the operator."""

    namespace: str
    name: str
    image: str
    ready: int
    wanted: int
    trainer_image: str
    """What runs get that name no image; empty when it is not said in the Deployment itself."""


def operators(cluster: Cluster) -> list[Operator]:
    """All operators of the cluster; none for a user who may not see them."""
    try:
        found = cluster.list(DEPLOYMENT, namespace=ALL, labels=OPERATOR_LABEL).items
    except RefusedError:
        return []
    return [_operator(each) for each in found]


def definitions(cluster: Cluster) -> dict[str, bool] | None:
    """Which of the two kinds are there; None for a user who may not see definitions."""
    there = {}
    for plural in ("trainingruns", "trainingpresets"):
        try:
            cluster.get(DEFINITION, f"{plural}.trainingrun.dev")
            there[plural] = True
        except RefusedError as refusal:
            if refusal.code != 404:
                return None
            there[plural] = False
    return there


def _operator(deployment: Mapping[str, Any]) -> Operator:
    metadata, spec, status = (deployment.get(part, {}) for part in ("metadata", "spec", "status"))
    container = spec["template"]["spec"]["containers"][0]
    environment = {each["name"]: each.get("value", "") for each in container.get("env", [])}
    return Operator(
        namespace=metadata["namespace"],
        name=metadata["name"],
        image=container["image"],
        ready=status.get("readyReplicas", 0),
        wanted=spec.get("replicas", 1),
        trainer_image=environment.get("TRAINER_IMAGE", ""),
    )
