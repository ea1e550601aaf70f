"""Pods of workers for tests, as the operator makes them."""

from typing import Any

from tests.builders import CONFIG, an_active_run
from trainingrun.api import TrainingRun
from trainingrun_operator.children.pod import pod_template
from trainingrun_operator.config import OperatorConfig

Raw = dict[str, Any]


def pod_of(run: TrainingRun, *, same_node: bool = False, config: OperatorConfig = CONFIG) -> Raw:
    """The spec of a pod of this run's first attempt."""
    spec: Raw = template_of(run, same_node=same_node, config=config)["spec"]
    return spec


def template_of(run: TrainingRun, *, same_node: bool = False, config: OperatorConfig = CONFIG) -> Raw:
    """The template of the pods of this run's first attempt."""
    resolved = run.status.resolved
    assert resolved is not None
    return pod_template(run, attempt=1, resolved=resolved, same_node=same_node, token="token", config=config)


def a_pod_with(**workers: Any) -> Raw:
    """The pod of two workers with these fields of `spec.workers`."""
    return pod_of(an_active_run(spec__workers={"replicas": 2, **workers}))


def the_container(pod: Raw) -> Raw:
    """Its only container."""
    container: Raw = pod["containers"][0]
    return container


def by_name(entries: list[Raw]) -> dict[str, Raw]:
    """Named entries as a map."""
    return {entry["name"]: {key: value for key, value in entry.items() if key != "name"} for entry in entries}
