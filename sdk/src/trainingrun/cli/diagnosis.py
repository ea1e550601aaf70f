"""Verbs about the cluster: what has it of TrainingRun, and may I use it?"""

from trainingrun.cli import drawing
from trainingrun.cli.connecting import client
from trainingrun.cli.options import Place
from trainingrun.client.diagnosis import definitions, operators
from trainingrun.client.volume_pod import may
from trainingrun.version import VERSION

_GROUP = "trainingrun.dev"
_RIGHTS = (
    ("create", "trainingruns", _GROUP, "", "create runs"),
    ("patch", "trainingruns", _GROUP, "", "suspend and rerun them"),
    ("watch", "trainingruns", _GROUP, "", "watch them"),
    ("get", "pods", "", "log", "read logs"),
    ("list", "events", "", "", "read Events, which `why` shows"),
    ("create", "pods", "", "", "make pods, through which reports and files are copied"),
    ("create", "pods", "", "exec", "run commands in them"),
)
_NEEDED = 3
"""Of the rights, the first ones: without the others something else is missing."""


def doctor(place: Place) -> int:
    """`doctor`: 0 when runs can be trained, else 1."""
    connected = client(place)
    there = definitions(connected.cluster)
    healthy = True
    if there is None:
        drawing.say("?  You may not see definitions: whether the CRDs are there shows in what follows.")
    for plural, is_there in (there or {}).items():
        healthy &= _line(is_there, f"{plural}.{_GROUP} is there", f"{plural}.{_GROUP} is missing: install TrainingRun.")
    found = operators(connected.cluster)
    if not found:
        drawing.say("?  No operator is seen: none is installed, or you may not list Deployments of all namespaces.")
    for each in found:
        text = f"operator {each.namespace}/{each.name}: {each.ready} of {each.wanted} ready, {each.image}"
        healthy &= _line(each.ready > 0, text, f"{text}: see kubectl get pods -n {each.namespace}.")
    for index, (verb, resource, group, part, what) in enumerate(_RIGHTS):
        allowed = may(connected.cluster, verb, resource, part=part, group=group, namespace=connected.namespace)
        where = f"in namespace {connected.namespace}"
        told = _line(allowed, f"you may {what} {where}", f"you may not {what} {where}: ask who administers it.")
        healthy &= told or index >= _NEEDED
    return 0 if healthy else 1


def version(place: Place, *, is_client_only: bool) -> None:
    """`version`."""
    print(f"kubectl-trainingrun {VERSION}")
    if is_client_only:
        return
    found = operators(client(place).cluster)
    for each in found:
        print(f"operator {each.namespace}/{each.name} {each.image}")
    if not found:
        drawing.say("No operator is seen: none is installed, or you may not list Deployments of all namespaces.")


def _line(is_well: bool, well: str, ill: str) -> bool:
    print(f"ok {well}" if is_well else f"!! {ill}")
    return is_well
