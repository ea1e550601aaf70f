"""Verbs that move files."""

import re
import webbrowser
from pathlib import Path
from typing import Any

from trainingrun.cli import drawing
from trainingrun.cli.connecting import client
from trainingrun.cli.options import Place
from trainingrun.client import TrainingClient, UsageError, copying
from trainingrun.client.diagnosis import operators
from trainingrun.client.run import known_image, output_folder
from trainingrun.views import tables

SAID_EACH = 1000
_CLAIM = re.compile(r"pvc/(?P<claim>[^:/]+):(?P<path>.*)")


def report(place: Place, name: str, *, into: Path, is_opened: bool) -> None:
    """`report`."""
    file = client(place).get(name).report(into)
    print(file)
    if is_opened and not webbrowser.open(file.resolve().as_uri()):
        drawing.say("There is no browser that could be opened here: open the file yourself.")


def artifacts(place: Place, name: str, *, into: Path | None, with_logs: bool) -> None:
    """`artifacts`."""
    run = client(place).get(name)
    if into is not None:
        for file in run.download("logs" if with_logs else "", into=into):
            print(file)
        return
    result = run.result
    if with_logs or result is None:
        claim = run.now.spec.output.persistent_volume_claim
        print(f"pvc/{claim.claim_name}:{output_folder(run.now) / 'logs'}" if claim is not None else run.now.spec.output.uri)
        drawing.say(f"Copy the logs here with: kubectl trainingrun artifacts {name} --logs --into .")
        return
    drawing.table(tables.artifacts(result.artifacts))


def copy(place: Place, source: str, target: str, *, image: str | None) -> None:
    """`cp`."""
    to, back = _CLAIM.fullmatch(target), _CLAIM.fullmatch(source)
    if (to is None) == (back is None):
        raise UsageError("One of source and target is pvc/CLAIM:PATH, the other a local path: cp ./pets pvc/datasets:pets.")
    connected = client(place)
    chosen = image or _image(connected)
    common: dict[str, Any] = {"namespace": connected.namespace, "image": chosen, "say": _Counted()}
    if to is not None:
        count = copying.upload(connected.cluster, Path(source), claim=to["claim"], path=to["path"], **common)
        drawing.say(f"{count} files are at {target}.")
    elif back is not None:
        files = copying.download(connected.cluster, claim=back["claim"], path=back["path"], into=Path(target), **common)
        drawing.say(f"{len(files)} files are in {target}.")


class _Counted:
    """Says now and then how many files there have been: folders of pictures have many thousands."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, name: str) -> None:
        self._count += 1
        if self._count % SAID_EACH == 0:
            drawing.say(f"{self._count:,} files, {name} the last")


def _image(connected: TrainingClient) -> str:
    """An image with Python that the cluster can start: that of a run, else the trainer image that the operator gives to runs.

    Raises UsageError when none is known.
    """
    for run in reversed(connected.runs()):
        try:
            return known_image(run.now)
        except UsageError:
            continue
    known = [each.trainer_image for each in operators(connected.cluster) if each.trainer_image]
    if not known:
        raise UsageError(
            "Nothing says which image has Python here: say one with --image, for example --image python:3.12-slim."
        )
    return known[0]
