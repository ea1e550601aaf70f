"""Schedulers that place gangs, beside kube-scheduler: built from their Go modules, run as processes of this machine."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cluster.binaries import GoModule, ensure_extra, source_of
from cluster.processes import Process
from images.cache import cache_folder
from tests.cluster_fixtures import install_crd
from tests.patience import patience
from tests.waiting import wait_for
from tools.kubectl import Kubectl, KubectlError

_MODULES = Path(__file__).parent / "go"


@dataclass(frozen=True)
class Scheduler:
    """One of them."""

    module: GoModule
    path: str
    """Of the Go module that holds its CRDs."""
    crds: tuple[str, ...]
    options: Callable[[Path, Path], Sequence[str]]
    """What it is started with: by the path of the kubeconfig, and a folder of its own."""

    @contextmanager
    def known(self, admin: Kubectl) -> Iterator[None]:
        """The API server serves its CRDs while the context lasts."""
        files = [source_of(self.path, module=self.module) / crd for crd in self.crds]
        for file in files:
            install_crd(admin, file)
        try:
            yield
        finally:
            for file in files:
                _uninstall(admin, file)

    @contextmanager
    def running(self, admin: Kubectl, *, folder: Path) -> Iterator[None]:
        """It schedules while the context lasts; building it takes some minutes the first time."""
        (program,) = ensure_extra(self.module, cache=cache_folder()).values()
        process = Process(name=self.module.name, folder=folder, logs=folder)
        with self.known(admin):
            process.start([program, *self.options(admin.kubeconfig, folder)])
            try:
                yield
            finally:
                process.stop()


def _uninstall(admin: Kubectl, crd: Path) -> None:
    """Delete a CRD, once its objects can be read.

    What nobody has read yet the API server only prepares when it looks for objects to delete. That look fails then, and is
    repeated after four minutes (1.37.2).
    """
    name = yaml.safe_load(crd.read_text())["metadata"]["name"]

    def is_read() -> bool:
        try:
            admin.run("get", name, "--all-namespaces")
        except KubectlError:
            return False
        return True

    wait_for(is_read, bool, what=f"the objects of {name} to be read", timeout=30)
    admin.run("delete", "crd", name, f"--timeout={patience(60):.0f}s", timeout=patience(70))


def _coscheduling_options(kubeconfig: Path, folder: Path) -> list[str]:
    """The profile that its chart installs, without the other plugins."""
    plugins = {"multiPoint": {"enabled": [{"name": "Coscheduling"}], "disabled": [{"name": "PrioritySort"}]}}
    configuration: dict[str, Any] = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "clientConnection": {"kubeconfig": str(kubeconfig)},
        "leaderElection": {"leaderElect": False},
        "profiles": [{"schedulerName": "scheduler-plugins-scheduler", "plugins": plugins}],
    }
    file = folder / "coscheduling.json"
    file.write_text(json.dumps(configuration))
    return [f"--config={file}", "--secure-port=0"]


def _volcano_options(kubeconfig: Path, _: Path) -> list[str]:
    return [f"--kubeconfig={kubeconfig}", "--leader-elect=false", "--listen-address=127.0.0.1:0", "--cache-dumper=false"]


_PLUGINS = "sigs.k8s.io/scheduler-plugins"
COSCHEDULING = Scheduler(
    module=GoModule("coscheduling", (f"{_PLUGINS}/cmd/scheduler",), source=_MODULES / "coscheduling"),
    path=_PLUGINS,
    crds=("config/crd/bases/scheduling.x-k8s.io_podgroups.yaml",),
    options=_coscheduling_options,
)

_VOLCANO = "volcano.sh/volcano"
VOLCANO = Scheduler(
    module=GoModule("volcano", (f"{_VOLCANO}/cmd/scheduler",), source=_MODULES / "volcano"),
    path=_VOLCANO,
    crds=tuple(
        f"config/crd/volcano/bases/{kind}.yaml"
        for kind in (
            "scheduling.volcano.sh_podgroups",
            "scheduling.volcano.sh_queues",
            "nodeinfo.volcano.sh_numatopologies",
        )
    ),
    options=_volcano_options,
)
