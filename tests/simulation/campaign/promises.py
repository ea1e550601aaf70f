"""What must hold after every step, whatever has been applied and whatever has happened."""

import logging
import re
from collections.abc import Iterator
from typing import Any

from tests.crd.admission import RefusedError
from tests.pod_security import violations
from tests.simulation.campaign.cluster import RUNS, Cluster
from tests.simulation.campaign.controllers import RUN
from tests.simulation.campaign.pods import is_on_a_lost_node, owner
from tests.simulation.world import Object
from trainingrun.api.quantities import amount
from trainingrun_operator import names

_LABEL_NAME = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_DNS_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_SUBDOMAIN = rf"{_DNS_LABEL}(\.{_DNS_LABEL})*"
_LABEL_KEY = rf"({_SUBDOMAIN}/)?{_LABEL_NAME}"
_SERVICE = r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?"
_VARIABLE = r"[-._a-zA-Z][-._a-zA-Z0-9]*"
_NAMES = {"Job": _DNS_LABEL, "Service": _SERVICE}
_LONGEST_HOST_NAME = 63
_NAMES_ARE_TAKEN = ("WaitForCleanup", "NameConflict")
"""Nothing is done about a run while objects of an earlier one of its name are there."""


class Troubles(logging.Handler):
    """Collects what the operator logs as an error: it does so for its own defects only."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it, with the traceback."""
        self.heard.append(logging.Formatter().format(record))


def require(cluster: Cluster, *, troubles: Troubles, known: set[str]) -> None:
    """Raises AssertionError when a promise is broken. `known` are the children that were looked at before."""
    assert not troubles.heard, f"the operator logged an error: {troubles.heard[0]}"
    for found in cluster.objects.values():
        if found["metadata"]["uid"] not in known:
            known.add(found["metadata"]["uid"])
            assert not (wrong := list(_wrong_with(found))), f"{found['kind']} {found['metadata']['name']}: {wrong}"
    if RUN not in cluster.runs:
        return
    run = cluster.runs[RUN]
    status = run.get("status", {})
    try:
        RUNS.require_valid({**run, "status": status})
    except RefusedError as refused:
        raise AssertionError(f"the API server would refuse the status: {refused}") from refused
    for condition in status.get("conditions", ()):
        assert condition["reason"] != "Defect", condition
        is_suspended = condition["type"] == "Suspended" and condition["status"] == "True"
        assert not is_suspended or not _busy(cluster), f"suspended, but {[pod['metadata']['name'] for pod in _busy(cluster)]}"
    attempts = {pod["metadata"]["labels"][names.ATTEMPT_LABEL] for pod in _busy(cluster)}
    assert len(attempts) <= 1, f"pods of attempts {sorted(attempts)} at a time"


def require_at_rest(cluster: Cluster) -> None:
    """Raises AssertionError when the operator has come to rest, and the status is not about the spec as it is."""
    run = cluster.runs[RUN]
    told, wanted = run["status"]["observedGeneration"], run["metadata"]["generation"]
    assert told == wanted, f"the status is about generation {told}, not {wanted}"
    state, reason = cluster.state(RUN), _ready_reason(run)
    is_paused, is_finished = bool(run["spec"].get("suspend")), cluster.run(RUN).status.is_finished
    if is_paused and not is_finished:
        assert state in ("Suspended", "Stopping") or reason in _NAMES_ARE_TAKEN, f"suspended, but {state}: {reason}"
    assert is_paused or state != "Suspended", "suspended, although spec.suspend is false"
    if state == "Suspended":
        left = [kind for (kind, _), found in cluster.objects.items() if owner(found) == run["metadata"]["uid"]]
        assert not left, f"suspended, and {left} are left"


def _ready_reason(run: Object) -> str:
    return next(str(each["reason"]) for each in run["status"]["conditions"] if each["type"] == "Ready")


def _busy(cluster: Cluster) -> list[Object]:
    """Live pods, but for those on lost nodes: `lostNode: Replace` gives them up."""
    return [pod for pod in cluster.live if not is_on_a_lost_node(pod)]


def _wrong_with(child: Object) -> Iterator[str]:
    """What the API server would refuse of a child, as far as its types do not say it."""
    kind, metadata = child["kind"], child["metadata"]
    if not _matches(_NAMES.get(kind, _SUBDOMAIN), metadata["name"]) or len(metadata["name"]) > 253:
        yield f"name {metadata['name']}"
    yield from _wrong_marks(metadata)
    if kind == "Job":
        yield from _wrong_job(child)


def _wrong_marks(metadata: Object) -> Iterator[str]:
    for name, value in metadata.get("labels", {}).items():
        if not _matches(_LABEL_KEY, name) or (value and not _matches(_LABEL_NAME, value)):
            yield f"label {name}: {value}"
    yield from (f"annotation {name}" for name in metadata.get("annotations", {}) if not _matches(_LABEL_KEY, name.lower()))


def _wrong_job(job: Object) -> Iterator[str]:
    template = job["spec"]["template"]
    pod = template["spec"]
    last = f"{job['metadata']['name']}-{job['spec']['completions'] - 1}"
    if len(last) > _LONGEST_HOST_NAME:
        yield f"host name {last}"
    yield from violations(pod)
    yield from _wrong_marks(template["metadata"])
    yield from _wrong_marks({"labels": pod.get("nodeSelector", {})})
    volumes = [volume["name"] for volume in pod.get("volumes", ())]
    if len(set(volumes)) < len(volumes) or not all(_matches(_DNS_LABEL, name) for name in volumes):
        yield f"volumes {volumes}"
    for container in pod["containers"]:
        yield from _wrong_container(container, volumes=volumes)


def _wrong_container(container: Object, *, volumes: list[str]) -> Iterator[str]:
    variables = [variable["name"] for variable in container.get("env", ())]
    if len(set(variables)) < len(variables) or not all(_matches(_VARIABLE, name) for name in variables):
        yield f"variables {variables}"
    mounts = [mount["mountPath"] for mount in container.get("volumeMounts", ())]
    if len(set(mounts)) < len(mounts) or any(":" in path for path in mounts):
        yield f"mounts {mounts}"
    yield from (f"no volume {mount['name']}" for mount in container.get("volumeMounts", ()) if mount["name"] not in volumes)
    resources: dict[str, dict[str, Any]] = container.get("resources", {})
    for name, value in {**resources.get("limits", {}), **resources.get("requests", {})}.items():
        if not _matches(_LABEL_KEY, name) or not _is_amount(value):
            yield f"resource {name}: {value}"
    for name, value in resources.get("requests", {}).items():
        if amount(str(value)) > amount(str(resources.get("limits", {}).get(name, value))):
            yield f"request {name} above its limit"


def _is_amount(value: object) -> bool:
    try:
        return amount(str(value)) >= 0
    except (ValueError, ArithmeticError):
        return False


def _matches(pattern: str, text: str) -> bool:
    return re.fullmatch(pattern, text) is not None
