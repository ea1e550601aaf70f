"""Verbs that only read."""

import csv
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from trainingrun.cli import drawing
from trainingrun.cli.connecting import client
from trainingrun.cli.options import Form, Place, Rows
from trainingrun.client import Run, UsageError
from trainingrun.client.errors import RefusedError
from trainingrun.client.logs import RUN_LABEL
from trainingrun.client.port import EVENT, POD, PRESET
from trainingrun.views import comparison, curves, tables
from trainingrun.views.details import details
from trainingrun.views.stages import state as state_of
from trainingrun.views.why import Evidence, warnings
from trainingrun.views.why import why as ask


def list_runs(place: Place, *, everywhere: bool, form: Form, state: str | None, preset: str | None) -> None:
    """`list`."""
    connected = client(place)
    found = [
        run
        for run in connected.runs(all_namespaces=everywhere)
        if (state is None or state_of(run.now).lower() == state.lower()) and preset in (None, run.now.spec.preset)
    ]
    if form is not Form.TABLE:
        drawing.objects([run.manifest for run in found], form=form, is_list=True)
        return
    drawn = tables.runs([run.now for run in found], now=datetime.now(UTC), with_namespace=everywhere)
    where = "any namespace" if everywhere else f"namespace {connected.namespace}"
    drawing.table(drawn, empty=f"There is no such run in {where}: `kubectl trainingrun run -f FILE` makes one.")


def get(place: Place, name: str, *, form: Form) -> None:
    """`get`."""
    run = client(place).get(name)
    if form is Form.TABLE:
        drawing.details(details(run.now, now=datetime.now(UTC)))
    else:
        drawing.objects([run.manifest], form=form, is_list=False)


def why(place: Place, name: str) -> None:
    """`why`."""
    connected = client(place)
    run = connected.get(name)
    drawing.why(ask(run.now, now=datetime.now(UTC), events=events(run)))


def events(run: Run) -> tuple[Evidence, ...]:
    """What Kubernetes warns of, about the run and the pods that it has; nothing for one who may not read Events."""
    try:
        pods = run.cluster.list(POD, namespace=run.namespace, labels={RUN_LABEL: run.name}).items
        found = run.cluster.list(EVENT, namespace=run.namespace).items
    except RefusedError:
        return ()
    uids = {run.manifest["metadata"]["uid"], *(pod["metadata"]["uid"] for pod in pods)}
    return warnings([event for event in found if event["involvedObject"].get("uid") in uids])


def logs(place: Place, name: str, *, follow: bool, worker: int | None, rank: int | None, attempt: int | None) -> None:
    """`logs`."""
    if worker is not None and rank is not None:
        raise UsageError("A rank is in one worker: say --worker or --rank, and not both.")
    for line in client(place).get(name).logs(rank=rank, worker=worker, attempt=attempt, follow=follow):
        if line.is_note:
            drawing.say(line.text)
        else:
            print(line.text, flush=follow)


def metrics(place: Place, name: str, *, form: Rows) -> None:
    """`metrics`."""
    told = client(place).get(name).curves()
    match form:
        case Rows.TABLE:
            drawing.table(curves.table(told), empty=f"No epoch of {name} has ended yet.")
            if told:
                drawing.say("\n".join(["", *curves.lines(told)]))
        case Rows.JSON:
            print(json.dumps(curves.records(told), indent=2))
        case Rows.CSV:
            writer = csv.DictWriter(sys.stdout, ("stage", "course", "epoch", *curves.names(told)), lineterminator="\n")
            writer.writeheader()
            writer.writerows(curves.records(told))


def compare(place: Place, names: Sequence[str]) -> None:
    """`compare`."""
    if len(names) < 2:
        raise UsageError("One run cannot be compared: name two or more.")
    connected = client(place)
    differing, results = comparison.compare([connected.get(name).now for name in names])
    drawing.table(differing, empty="The specs are the same.")
    print()
    drawing.table(results)


def presets(place: Place, *, form: Form) -> None:
    """`presets`."""
    connected = client(place)
    if form is Form.TABLE:
        drawing.table(tables.presets(connected.presets()), empty="The cluster has no presets.")
    else:
        drawing.objects(connected.cluster.list(PRESET).items, form=form, is_list=True)
