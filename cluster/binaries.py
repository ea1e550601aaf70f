"""Kubernetes, etcd, CoreDNS and the pause program, built from Go modules of pinned versions, once.

Each module is built into a folder of the cache whose name is a hash of all it is built from: changing a version in
`cluster/go` builds anew, and nothing else does.
"""

import functools
import hashlib
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cluster.errors import ClusterError
from cluster.shell import last_lines, run
from images.cache import locked_file
from images.children import tied

SOURCES = Path(__file__).parent / "go"
KUBERNETES_VERSION = "1.37.2"
NEEDED_BYTES = 8_000_000_000
BUILD_TIMEOUT = 3000.0

FASTER: tuple[str, ...] = ("-gcflags=all=-dwarf=false",)
"""What the linker would throw away is not made: no program is debugged here."""
GC_PERCENT = "200"
"""The compiler's; it takes more memory and less time than Go's own 100."""

_PACKAGE = re.compile(r"^[^\s:#]+$")
"""A line of `go build -v` that names a package which has been compiled."""


@dataclass(frozen=True)
class GoModule:
    """A folder with a go.mod, and the programs that are built from it."""

    name: str
    packages: tuple[str, ...]
    flags: tuple[str, ...] = ("-trimpath", "-ldflags=-s -w")
    source: Path | None = None
    """Its folder; None: the one of its name below `cluster/go`."""

    @property
    def folder(self) -> Path:
        """Where its go.mod is."""
        return self.source or SOURCES / self.name


KUBERNETES_FLAGS = ("-trimpath", f"-ldflags=-s -w -X k8s.io/component-base/version.gitVersion=v{KUBERNETES_VERSION}")

KUBERNETES = GoModule(
    "kubernetes",
    tuple(
        f"k8s.io/kubernetes/cmd/{program}"
        for program in (
            "kube-apiserver",
            "kube-controller-manager",
            "kube-scheduler",
            "kubelet",
            "kube-proxy",
            "kubectl",
        )
    ),
    KUBERNETES_FLAGS,
)

MODULES = (
    KUBERNETES,
    GoModule("etcd", ("go.etcd.io/etcd/server/v3",)),
    GoModule("coredns", ("trainingrun.dev/cluster/coredns",)),
    GoModule("pause", ("trainingrun.dev/cluster/pause",)),
)

KWOK = GoModule("kwok", ("sigs.k8s.io/kwok/cmd/kwok",))
"""Plays the kubelet of nodes that do not exist; only tests need it."""

_NAMES = {"go.etcd.io/etcd/server/v3": "etcd"}
"""Programs that Go would name `server`, after the last part of their path."""
_SERVER = "server"


def ensure(cache: Path) -> dict[str, Path]:
    """Build what is missing and return the path of every program by its name.

    Takes about ten minutes on two cores the first time. Raises ClusterError when Go or disk space is missing.
    """
    programs: dict[str, Path] = {}
    for module in MODULES:
        programs |= ensure_extra(module, cache=cache)
    return programs


def ensure_extra(module: GoModule, *, cache: Path) -> dict[str, Path]:
    """Build a module that the cluster itself does not need, unless it has been built; see `ensure`."""
    folder = _folder(module, cache=cache)
    if not folder.exists():
        _build(module, into=folder)
    return {path.name: path for path in folder.iterdir()}


def is_built(module: GoModule, *, cache: Path) -> bool:
    """Whether the programs of the module, as it is now, are there. Raises ClusterError when Go is missing."""
    return _folder(module, cache=cache).exists()


def _folder(module: GoModule, *, cache: Path) -> Path:
    return cache / "bin" / f"{module.name}-{_fingerprint(module)}"


def source_of(path: str, *, module: GoModule) -> Path:
    """Where Go keeps the module of this path, at the version that `module` takes; it is fetched when it is missing."""
    run(["go", "mod", "download", path], folder=module.folder, timeout=300)
    return Path(_listed(path, module=module, template="{{.Dir}}"))


def version_of(path: str, *, module: GoModule) -> str:
    """The version of the module of this path that `module` takes, such as v1.2.3."""
    return _listed(path, module=module, template="{{.Version}}")


def _listed(path: str, *, module: GoModule, template: str) -> str:
    return run(["go", "list", "-m", "-f", template, path], folder=module.folder).strip()


def _fingerprint(module: GoModule) -> str:
    """Hash of the module's files and flags, and of the version of Go."""
    digest = hashlib.sha256(repr((_go_version(), module.packages, module.flags)).encode())
    for path in sorted(module.folder.iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


@functools.cache
def _go_version() -> str:
    if shutil.which("go") is None:
        raise ClusterError(
            "Go is not installed, and Kubernetes is built from source here: install Go 1.26 or newer "
            "(https://go.dev/doc/install), or use CLUSTER=kind with Docker, or CLUSTER=existing."
        )
    version = run(["go", "env", "GOVERSION"]).strip()
    major, minor = version.removeprefix("go").split(".")[:2]
    if (int(major), int(minor.split("-")[0])) < (1, 26):
        raise ClusterError(f"Go is too old: Kubernetes {KUBERNETES_VERSION} needs go1.26, this is {version}.")
    return version


def _build(module: GoModule, *, into: Path) -> None:
    """Build into a folder that gets its name when it is complete; what an interrupted build has left there is removed."""
    into.parent.mkdir(parents=True, exist_ok=True)
    with locked_file(into.with_suffix(".lock"), what=module.name):
        if into.exists():
            return
        check_space(into.parent, needed=NEEDED_BYTES, purpose=f"building {module.name}")
        made, scratch = into.with_suffix(".new"), into.with_suffix(".work")
        for folder in (made, scratch):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        try:
            _compile(module, into=made, scratch=scratch)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        for package, name in _NAMES.items():
            if package in module.packages:
                (made / _SERVER).rename(made / name)
        made.rename(into)


def _compile(module: GoModule, *, into: Path, scratch: Path) -> None:
    """All programs at once, so that one is linked while what others need is compiled."""
    command = tied(["go", "build", "-v", *FASTER, *module.flags, "-o", f"{into}/", *module.packages])
    environment = {"GOGC": GC_PERCENT, **os.environ, "CGO_ENABLED": "0", "GOTMPDIR": str(scratch)}
    compiled: list[str] = []
    said: list[str] = []
    started = time.monotonic()
    with (
        _heartbeat(f"building {module.name}", detail=lambda: f"{len(compiled):,} packages compiled"),
        subprocess.Popen(command, cwd=module.folder, env=environment, stderr=subprocess.PIPE, text=True) as child,
    ):
        timer = threading.Timer(BUILD_TIMEOUT, child.kill)
        timer.start()
        try:
            for line in child.stderr or ():
                (compiled if _PACKAGE.match(line) else said).append(line)
        except BaseException:
            child.kill()
            raise
        finally:
            timer.cancel()
    if time.monotonic() - started > BUILD_TIMEOUT:
        raise ClusterError(f"Building {module.name} took longer than {BUILD_TIMEOUT:.0f} s.")
    if child.returncode != 0:
        raise ClusterError(f"Building {module.name} in {module.folder} failed:\n{last_lines(''.join(said))}")


def check_space(folder: Path, *, needed: int, purpose: str) -> None:
    """Raise ClusterError when the file system of `folder` has less than `needed` bytes free."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ClusterError(
            f"The disk of {folder} is too full for {purpose}: {free / 1e9:.1f} GB are free, {needed / 1e9:.0f} GB are "
            "needed. Free some space, or set TRAININGRUN_CACHE to a folder on a larger disk."
        )


@contextmanager
def _heartbeat(work: str, *, detail: Callable[[], str]) -> Iterator[None]:
    """Say what is going on at the start, every 15 s, and at the end, so that a hang can be located."""
    start = time.monotonic()
    finished = threading.Event()

    def beat() -> None:
        while not finished.wait(15):
            print(f"  {work}: {time.monotonic() - start:.0f} s, {detail()}", flush=True)

    print(f"  {work}", flush=True)
    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        finished.set()
        thread.join()
    print(f"  {work}: done after {time.monotonic() - start:.0f} s", flush=True)
