"""What all steps of the campaign share: the cluster, the user's manifest, and how it is applied."""

import logging
from enum import StrEnum

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition
from pydantic import ValidationError

from tests.crd.admission import RefusedError
from tests.crd.mending import changed
from tests.crd.values import Change, Place
from tests.manifests import a_manifest
from tests.simulation.campaign import promises
from tests.simulation.campaign.cluster import RUNS, Cluster
from tests.simulation.campaign.controllers import RUN
from tests.simulation.world import Object
from trainingrun.api import TrainingRun
from trainingrun.api.values import MistakeError

ROOT = Place((), RUNS.schema)
has_run = precondition(lambda self: RUN in self.cluster.runs)
has_job = precondition(lambda self: bool(self.cluster.jobs))


def words(members: type[StrEnum]) -> st.SearchStrategy[str]:
    """The values of an enumeration, as text: a step that is printed is Python."""
    return st.sampled_from([member.value for member in members])


def _is_mistaken(manifest: Object) -> bool:
    """Whether a value is wrong that the API server cannot judge: see `trainingrun.api.values`."""
    try:
        TrainingRun.parse(manifest)
    except ValidationError as problem:
        return any(isinstance(each.get("ctx", {}).get("error"), MistakeError) for each in problem.errors())
    return False


class OneRun(RuleBasedStateMachine):
    """A run and its world."""

    def __init__(self) -> None:
        super().__init__()
        self.troubles = promises.Troubles()
        logging.getLogger("trainingrun_operator").addHandler(self.troubles)
        self.cluster = Cluster()
        self.manifest: Object = a_manifest(RUN)
        self.children: set[str] = set()
        self.looks: int | None = None
        """How often the operator looks between two steps; None: until it wants to wait."""
        self.reruns = 0
        self.dated = -1
        """The attempt that has begun before labels or presets became what they are."""

    def apply(self, changes: list[Change], *, reruns: bool) -> None:
        """Change the manifest and apply it; what the API server refuses is not changed."""
        self.reruns += reruns
        token = [Change(("spec", "rerun"), f"again-{self.reruns}")] if reruns else []
        tried = changed(RUNS, ROOT, self.manifest, [*changes, *token])
        if _is_mistaken(tried):  # what becomes of such a run: `test_versions.py`
            return
        try:
            self.cluster.put(tried)
        except RefusedError:
            return
        self.manifest = tried

    def ask(self) -> None:
        promises.require(self.cluster, troubles=self.troubles, known=self.children)

    @invariant()
    def promises_are_kept(self) -> None:
        if RUN in self.cluster.runs or self.looks is None:
            self._let_the_operator_look()
        self.ask()

    def _let_the_operator_look(self) -> None:
        if self.looks is not None:
            for _ in range(self.looks):
                self.cluster.look(RUN)
            return
        self.cluster.settle_all()
        if RUN in self.cluster.runs:
            promises.require_at_rest(self.cluster)
