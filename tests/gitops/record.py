"""`make record-statuses`: real runs in a real cluster, and what their status is in each of their lives, as YAML files.

The files are the input of the tests here, and of Argo CD's own tests of its health checks. Every status that is seen on the
way, recorded or not, is checked against the table of `lives`.
"""

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import PIPE, Popen
from typing import IO

import cluster
import images
from tests.gitops.argo_tests import ACTIONS, files
from tests.gitops.lives import RECORDINGS, TABLE, Raw, conditions_of, life_of
from tests.gitops.scenarios import CLAIMS, LIVES, start, suspend
from tools.install import OPERATOR, OPERATOR_NAMESPACE, install, make_namespace
from tools.kubectl import Kubectl, KubectlError

NAMESPACE = "statuses"
TIMEOUT = 600.0


class RecordingError(Exception):
    """A life was not seen, or its status is not what the table says."""


class Recorder:
    """Watches the runs of a namespace, and keeps the first object of each life that is wanted."""

    def __init__(self, kubectl: Kubectl) -> None:
        self._kubectl = kubectl
        self._seen: dict[str, Raw] = {}
        self._problem = ""
        self._changed = threading.Condition()

    def __enter__(self) -> "Recorder":
        """Start to watch."""
        where = ["--kubeconfig", str(self._kubectl.kubeconfig), "--namespace", str(self._kubectl.namespace)]
        self._process = Popen([self._kubectl.binary, *where, "get", "trun", "--watch", "-o", "json"], stdout=PIPE, text=True)
        assert self._process.stdout is not None
        self._thread = threading.Thread(target=self._follow, args=[self._process.stdout])
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop watching."""
        self._process.terminate()
        self._thread.join()
        self._process.wait()

    def wait(self, name: str) -> Raw:
        """The object called `<run>-<life>`, once it has been seen.

        Raises RecordingError when it is not seen in time, or a status on the way contradicts the table.
        """
        with self._changed:
            self._changed.wait_for(lambda: name in self._seen or self._problem, timeout=TIMEOUT)
            if self._problem or name not in self._seen:
                raise RecordingError(self._problem or f"{name} was not seen in {TIMEOUT:.0f} s; seen: {sorted(self._seen)}")
            return self._seen[name]

    def other_lives(self) -> dict[str, Raw]:
        """The first object of each life that none of LIVES is of: a moment that is often, but not always seen."""
        wanted = {name.rpartition("-")[2] for name in LIVES}
        lives = {name.rpartition("-")[2]: name for name in reversed(self._seen)}
        return {name: self._seen[name] for life, name in lives.items() if life not in wanted}

    def _follow(self, stream: IO[str]) -> None:
        for raw in _objects(stream):
            life, conditions = life_of(raw), conditions_of(raw)
            name = f"{raw['metadata']['name']}-{life}"
            with self._changed:
                if name not in self._seen:
                    print(f"  {name}: {conditions}", flush=True)
                self._seen.setdefault(name, raw)
                if life not in TABLE or (life != "outdated" and conditions != TABLE[life].conditions):
                    self._problem = (
                        f"{name}: Reconciling, Stalled, Ready, Succeeded are {conditions!r}, but tests/gitops/lives.py "
                    )
                    self._problem += "has no such life: mend the operator, or add it there."
                self._changed.notify_all()


def main() -> int:
    """Record, and return the exit code."""
    try:
        record()
    except (RecordingError, KubectlError, cluster.ClusterError, images.ImageError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def record() -> None:
    """Bring the operator of this checkout up, live all lives, and write their files anew."""
    installation = install(cluster.connect())
    installation.kubectl.delete("namespace", NAMESPACE)
    kubectl = make_namespace(installation.kubectl, NAMESPACE)
    for claim in CLAIMS:
        installation.cluster.volume(claim=claim["metadata"]["name"], namespace=NAMESPACE)
    kubectl.apply(*CLAIMS)
    node = kubectl.list("nodes")[0]["metadata"]["name"]
    with Recorder(kubectl) as recorder:
        _live(kubectl, recorder)
        write({name: recorder.wait(name) for name in LIVES} | recorder.other_lives(), node=node)
    installation.kubectl.delete("namespace", NAMESPACE)


def _live(kubectl: Kubectl, recorder: Recorder) -> None:
    """Start the runs. The operator is away where a moment is too short to be caught otherwise."""
    with _no_operator(kubectl):
        start(kubectl, "good")
        recorder.wait("good-new")
    recorder.wait("good-succeeded")
    start(kubectl, "shipped")
    recorder.wait("shipped-succeeded")
    start(kubectl, "too-strict")
    recorder.wait("too-strict-failed")
    for name in ("early", "bad-data", "no-claim", "no-image", "paused"):
        start(kubectl, name)
    recorder.wait("paused-training")
    with _no_operator(kubectl):
        suspend(kubectl, "paused")
        recorder.wait("paused-outdated")


@contextmanager
def _no_operator(kubectl: Kubectl) -> Iterator[None]:
    """While this is open no operator runs."""
    operator = kubectl.within(OPERATOR_NAMESPACE)
    operator.run("scale", f"deployment/{OPERATOR}", "--replicas=0")
    try:
        operator.run("wait", "--for=delete", "pods", "-l", f"app.kubernetes.io/name={OPERATOR}", "--timeout=90s", timeout=100)
        yield
    finally:
        operator.run("scale", f"deployment/{OPERATOR}", "--replicas=2")


def write(seen: dict[str, Raw], *, node: str) -> None:
    """Replace the recordings, and Argo CD's tests of them. The node's name is the machine's, and no business of a reader."""
    objects = {name: json.loads(json.dumps(_bare(raw)).replace(node, "node-1")) for name, raw in sorted(seen.items())}
    made = files(objects)
    for folder in (RECORDINGS, ACTIONS / "testdata"):
        folder.mkdir(exist_ok=True)
        for old in folder.glob("*.yaml"):
            old.unlink()
    for path, text in made.items():
        path.write_text(text)
    print(f"wrote {len(objects)} recordings and {len(made) - len(objects)} files of tests")


def _bare(raw: Raw) -> Raw:
    """The object without what tools keep in its metadata."""
    kept = {key: value for key, value in raw["metadata"].items() if key not in ("managedFields", "annotations")}
    return {**raw, "metadata": kept}


def _objects(stream: IO[str]) -> Iterator[Raw]:
    """The objects that kubectl prints one after the other; each ends with a brace at the beginning of a line."""
    lines: list[str] = []
    for line in stream:
        lines.append(line)
        if line == "}\n":
            yield json.loads("".join(lines))
            lines.clear()


if __name__ == "__main__":
    sys.exit(main())
