"""kubectl as a value: one binary, one kubeconfig, one namespace."""

import codecs
import json
import os
import re
import select
import subprocess
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any


class KubectlError(Exception):
    """kubectl refused or failed; the text is what it printed."""


@dataclass(frozen=True)
class Kubectl:
    """Runs kubectl against one cluster. Every call has a deadline, in seconds."""

    binary: str
    kubeconfig: Path
    namespace: str | None = None
    """None: the namespace that each object names, else `default`."""
    patience: float = 1.0
    """Every deadline is multiplied by it, also one that kubectl itself keeps (`--timeout=60s`)."""

    def within(self, namespace: str) -> "Kubectl":
        """The same cluster, another namespace."""
        return replace(self, namespace=namespace)

    def run(self, *arguments: str, stdin: str | bytes | None = None, timeout: float = 60) -> str:
        """Run kubectl and return what it printed.

        Raises KubectlError with kubectl's own words when it fails, or says what took too long.
        """
        command = self._command(*arguments)
        data = stdin.encode() if isinstance(stdin, str) else stdin
        timeout *= self.patience
        try:
            done = subprocess.run(command, input=data, capture_output=True, timeout=timeout, check=False)
        except subprocess.TimeoutExpired as late:
            raise KubectlError(f"kubectl {' '.join(arguments)} took longer than {timeout:.0f} s") from late
        if done.returncode != 0:
            raise KubectlError(done.stderr.decode().strip() or done.stdout.decode().strip())
        return done.stdout.decode()

    def apply(self, *manifests: dict[str, Any]) -> str:
        """`kubectl apply` of these objects."""
        return self.run("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests}))

    def get(self, kind: str, name: str) -> dict[str, Any] | None:
        """The object, or None when there is none of this name."""
        found = self.run("get", kind, name, "--ignore-not-found", "-o", "json")
        return _object(found) if found.strip() else None

    def watch(self, kind: str, name: str, *, timeout: float) -> Iterator[dict[str, Any]]:
        """The object as it is, then anew after every change; ends after so many seconds, and when the object has gone.

        One kubectl for all of it: each start of kubectl takes a tenth of a second of a processor. It lists one name, because
        kubectl that is given a name reads it, then begins to watch, and keeps the first state of the watch to itself: what
        happened between the two is never told.
        """
        only = f"--field-selector=metadata.name={name}"
        deadline = time.monotonic() + timeout * self.patience
        while True:
            arguments = ("get", kind, only, "-o", "json", "--watch", "--output-watch-events")
            with closing(_printed(self._command(*arguments), deadline=deadline)) as printed:
                for event in _documents(printed):
                    if event["type"] == "DELETED":
                        return
                    yield event["object"]
            if time.monotonic() >= deadline:
                return

    def log(self, pod: str, *, timeout: float) -> Iterator[str]:
        """The lines of a running pod's log, as they are written; ends with the pod's container, or after so many seconds."""
        deadline = time.monotonic() + timeout * self.patience
        with closing(_printed(self._command("logs", pod, "--follow"), deadline=deadline)) as printed:
            yield from _lines(printed)

    def list(self, kind: str, *, selector: str = "") -> Sequence[dict[str, Any]]:
        """All objects of a kind in the namespace, by label selector."""
        listed = _object(self.run("get", kind, "-o", "json", *(["-l", selector] if selector else [])))
        items: list[dict[str, Any]] = listed["items"]
        return items

    def delete(self, kind: str, name: str, *, timeout: float = 90) -> None:
        """Delete an object and wait until it is gone; a missing one is fine."""
        self.run("delete", kind, name, "--ignore-not-found", f"--timeout={timeout:.0f}s", timeout=timeout + 10)

    def _command(self, *arguments: str) -> Sequence[str]:
        scope = ["--namespace", self.namespace] if self.namespace else []
        return [self.binary, "--kubeconfig", str(self.kubeconfig), *scope, *map(self._patient, arguments)]

    def _patient(self, argument: str) -> str:
        found = re.fullmatch(r"--timeout=(\d+)s", argument)
        return argument if found is None else f"--timeout={int(found[1]) * self.patience:.0f}s"


def _printed(command: Sequence[str], *, deadline: float) -> Generator[str]:
    """What a command prints, piece by piece, until it ends, or until the deadline, which ends it.

    Raises KubectlError with its own words when it fails.
    """
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            yield from _pieces(process.stdout.fileno(), deadline=deadline)
            if time.monotonic() < deadline and process.wait() != 0:
                raise KubectlError(process.stderr.read().decode().strip())
        finally:
            process.kill()


def _pieces(descriptor: int, *, deadline: float) -> Iterator[str]:
    decode = codecs.getincrementaldecoder("utf-8")(errors="replace")
    while (seconds := deadline - time.monotonic()) > 0:
        if not select.select([descriptor], [], [], seconds)[0]:
            return
        data = os.read(descriptor, 1 << 16)
        if not data:
            return
        yield decode.decode(data)


def _documents(pieces: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The JSON documents in a text that comes in pieces."""
    text, parser = "", json.JSONDecoder()
    for piece in pieces:
        text = (text + piece).lstrip()
        while text:
            try:
                document, end = parser.raw_decode(text)
            except json.JSONDecodeError:
                break  # the rest of it is on its way
            text = text[end:].lstrip()
            yield document


def _lines(pieces: Iterable[str]) -> Iterator[str]:
    """The lines in a text that comes in pieces."""
    rest = ""
    for piece in pieces:
        *lines, rest = (rest + piece).split("\n")
        yield from lines
    if rest:
        yield rest


def _object(text: str) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(text)
    return parsed
