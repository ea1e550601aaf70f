"""Verbs that create and change runs, and follow them."""

import sys
from collections.abc import Sequence

from trainingrun.cli import drawing
from trainingrun.cli.connecting import client, to_change
from trainingrun.cli.following import follow
from trainingrun.cli.options import Form, Place
from trainingrun.client import Run, UsageError, WaitTimeoutError, manifests
from trainingrun.client.port import Object
from trainingrun.client.run import has_ended, raise_if_failed
from trainingrun.views import tables


def read(filename: str) -> list[Object]:
    """The runs of a file, or of standard input. Raises UsageError as `manifests.read` does."""
    return manifests.parse(sys.stdin.read(), where="standard input") if filename == "-" else manifests.read(filename)


def run(place: Place, filename: str, *, is_watched: bool, timeout: float | None, form: Form) -> None:
    """`run`."""
    found = read(filename)
    if is_watched and len(found) > 1:
        raise UsageError(f"{filename} holds {len(found)} runs, of which one can be watched: leave out --watch.")
    connected = client(place)
    made = [connected.create(manifest) for manifest in found]
    drawing.objects([each.manifest for each in made], form=form if form is not Form.TABLE else Form.NAME, is_list=len(made) > 1)
    if is_watched:
        _watch(made[0], timeout=timeout)


def watch(place: Place, name: str, *, timeout: float | None) -> None:
    """`watch`."""
    _watch(client(place).get(name), timeout=timeout)


def suspend(place: Place, name: str) -> None:
    """`suspend`."""
    to_change(place, name).suspend()
    drawing.say(f"{name} is being suspended: its pods write a checkpoint and go. Go on with: kubectl trainingrun resume {name}")


def resume(place: Place, name: str) -> None:
    """`resume`."""
    to_change(place, name).resume()
    drawing.say(f"{name} goes on from its newest checkpoint. See how: kubectl trainingrun watch {name}")


def rerun(place: Place, name: str, assignments: Sequence[str], *, is_watched: bool, timeout: float | None) -> None:
    """`rerun`."""
    changes = manifests.changed(assignments)
    chosen = to_change(place, name)
    chosen.rerun_with(changes)
    drawing.say(f"{name} is trained again from the beginning. See how: kubectl trainingrun watch {name}")
    if is_watched:
        _watch(chosen, timeout=timeout)


def _watch(chosen: Run, *, timeout: float | None) -> None:
    """Follow to the end. Raises RunFailed and WaitTimeoutError."""
    try:
        last = follow(chosen.watch(timeout=timeout), console=drawing.console())
    except KeyboardInterrupt:
        drawing.say(f"The run goes on. Come back with: kubectl trainingrun watch {chosen.name}")
        raise
    if last is None or not has_ended(last):
        raise WaitTimeoutError(
            f"The run {chosen.name} has not ended within {timeout:.0f} s. It goes on; why it takes so long: "
            f"kubectl trainingrun why {chosen.name}"
        )
    raise_if_failed(last)
    if last.status.result is not None:
        drawing.table(tables.artifacts(last.status.result.artifacts))
    drawing.say(f"Succeeded. See how it learned: kubectl trainingrun report {chosen.name} --open")
