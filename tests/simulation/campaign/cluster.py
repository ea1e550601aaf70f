"""The in-memory cluster of the campaign: one run, everything that it names, and controllers that act when they are told to.

What a run names exists unless it is hidden, whatever name was generated. The API server refuses specs as the CRD says.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.builders import stamp
from tests.crd.admission import Crd
from tests.simulation.campaign.controllers import RUN, Controllers
from tests.simulation.campaign.existing import Claims, Objects
from tests.simulation.campaign.pods import exit_code, has_ended, is_live, is_on_a_lost_node, leave
from tests.simulation.world import Object
from trainingrun.api import PLURAL, PRESET_PLURAL, AcceleratorKind
from trainingrun_operator.cluster.port import ClusterError
from trainingrun_operator.config import GangScheduler

RUNS, PRESETS = Crd.of(PLURAL), Crd.of(PRESET_PLURAL)
_CALM = 12
"""Times of settling after which the operator must have come to rest."""
IMAGES = {AcceleratorKind.GPU: "trainer:gpu", AcceleratorKind.TPU: "trainer:tpu"}


@dataclass
class Refusal:
    """The next write that begins like this is refused."""

    verb: str
    error: ClusterError


class Cluster(Controllers):
    """A cluster with at most one run, which is called `RUN`."""

    def __init__(self, *, scheduler: GangScheduler | None = None) -> None:
        super().__init__()
        self.config = replace(self.config, accelerator_images=IMAGES, gang_scheduler=scheduler)
        self.every_claim, self.every_object = Claims(), Objects()
        self.claims, self.user_objects = self.every_claim, self.every_object
        self.refusals: list[Refusal] = []
        self._start_operator()

    # -- what users do

    def put(self, manifest: Object) -> None:
        """Create or change the run, as `kubectl apply` does. Raises RefusedError."""
        old = self.runs.get(RUN)
        admitted = RUNS.admit(manifest, old=old)
        metadata = {name: admitted["metadata"].get(name, {}) for name in ("labels", "annotations")}
        if old is None or admitted["spec"] != old["spec"]:
            self.apply(RUN, spec=admitted["spec"])
        self.runs[RUN]["metadata"] |= metadata
        self.touch(RUN)

    def put_preset(self, name: str, spec: Object | None) -> None:
        """Create, change or delete a preset. Raises RefusedError."""
        if spec is None:
            self.presets.pop(name, None)
            return
        generation = self.presets.get(name, {"metadata": {"generation": 0}})["metadata"]["generation"] + 1
        manifest = {"metadata": {"name": name, "generation": generation}, "spec": spec}
        self.presets[name] = PRESETS.admit({"apiVersion": "trainingrun.dev/v1alpha1", "kind": "TrainingPreset", **manifest})

    def delete(self, *, pods_linger: bool, job_lingers: bool) -> None:
        """Delete the run; what lingers is on its way out, and nobody answers for its workers any more."""
        self.delete_run(RUN, pods_linger=pods_linger, job_lingers=job_lingers)
        self._reports.pop(RUN, None)
        for found in (*self.objects.values(), *self.pods.values()):
            leave(found, at=stamp(self.now))

    # -- what becomes of the operator

    def write(self, what: str, act: Callable[[], None]) -> None:
        """One write, which may be refused."""
        for refusal in self.refusals:
            if what.startswith(refusal.verb):
                self.refusals.remove(refusal)
                raise refusal.error
        super().write(what, act)

    def look(self, name: str = RUN) -> float | None:
        """As the controller does: errors of the API server are tried again; others are a defect."""
        try:
            return super().look(name)
        except ClusterError:
            return 0.0

    def settle_all(self) -> float | None:
        """Let the operator look until a look writes nothing: what it writes makes it look again."""
        if self.stale is not None:
            self.look(RUN)  # by a leader that was held up; whoever came after it looks as well
        for _ in range(_CALM):
            written = len(self.writes)
            pause = self.settle(RUN)
            if len(self.writes) == written:
                return pause
        raise AssertionError(f"the operator writes on and on although nothing changes: {self.writes[-10:]}")

    def crash(self, *, writes: int, is_after: bool) -> None:
        """The operator dies at a write that is yet to come, or at once."""
        self.crash_at, self.crash_after_write = len(self.writes) + writes, is_after

    def restart(self) -> None:
        """Another process takes over."""
        self._start_operator()

    # -- how all becomes well

    def heal(self) -> None:
        """Nothing fails any more, and what the run names is there. Presets stay as they are: they are the platform team's."""
        self.crash_at, self.stale, self.said = None, None, []
        self.refusals.clear()
        self.every_claim.hidden.clear()
        self.every_object.hidden.clear()
        self.workloads = self.workloads or {}
        for pod in [*self.pods.values()]:
            if is_on_a_lost_node(pod):
                pod["status"]["conditions"] = []  # it is back, and ends what is to be deleted
            if has_ended(pod) and is_live(pod):
                pod["status"]["phase"] = "Succeeded" if exit_code(pod) == 0 else "Failed"
