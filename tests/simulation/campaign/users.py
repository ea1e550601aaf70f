"""Steps of users: of who owns the run, of the platform team, and of somebody who deletes what is not theirs."""

from contextlib import suppress

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from tests.crd.admission import RefusedError
from tests.crd.mending import changed
from tests.crd.values import NAMES, Change, Place
from tests.simulation.campaign.cluster import PRESETS, Cluster
from tests.simulation.campaign.controllers import RUN
from tests.simulation.campaign.one_run import ROOT, OneRun, has_run, words
from trainingrun_operator import names
from trainingrun_operator.config import GangScheduler

CHANGES = ROOT.fields["spec"].changes
PRESET_ROOT = Place((), PRESETS.schema)
PRESET_CHANGES = PRESET_ROOT.fields["spec"].changes
LABELS = st.fixed_dictionaries(
    {},
    optional={
        names.QUEUE_LABEL: st.sampled_from(NAMES),
        "kueue.x-k8s.io/priority-class": st.sampled_from(NAMES),
        "team": st.just("vision"),
    },
)
KINDS = ("Job", "Service", "ConfigMap", "NetworkPolicy")


class Users(OneRun):
    """What people do."""

    @initialize(
        workers=st.integers(1, 3),
        restarts=st.integers(0, 3),
        labels=LABELS,
        scheduler=st.none() | words(GangScheduler),
        changes=st.lists(CHANGES, max_size=3),
    )
    def create(self, workers: int, restarts: int, labels: dict[str, str], scheduler: str | None, changes: list[Change]) -> None:
        self.cluster = Cluster(scheduler=GangScheduler(scheduler) if scheduler else None)
        self.manifest["metadata"]["labels"] = labels
        self.manifest["spec"] |= {"workers": {"replicas": workers}, "recovery": {"maximumRestarts": restarts}}
        self.cluster.put(self.manifest)
        for change in changes:
            self.apply([change], reruns=True)

    @has_run
    @rule(change=CHANGES)
    def change(self, change: Change) -> None:
        self.apply([change], reruns=False)

    @has_run
    @rule(change=CHANGES)
    def change_and_run_again(self, change: Change) -> None:
        self.apply([change], reruns=True)

    @has_run
    @rule(changes=st.lists(CHANGES, min_size=2, max_size=5))
    def change_much_and_run_again(self, changes: list[Change]) -> None:
        for change in changes:
            self.apply([change], reruns=True)

    @has_run
    @rule(value=st.booleans())
    def suspend(self, value: bool) -> None:
        self.apply([Change(("spec", "suspend"), value)], reruns=False)

    @has_run
    @rule()
    def run_again(self) -> None:
        self.apply([], reruns=True)

    @has_run
    @rule(labels=LABELS)
    def label(self, labels: dict[str, str]) -> None:
        self.dated = self.cluster.run(RUN).status.attempt
        self.manifest["metadata"]["labels"] = labels
        self.cluster.put(self.manifest)

    @has_run
    @rule(pods_linger=st.booleans(), job_lingers=st.booleans(), returns=st.booleans())
    def delete(self, pods_linger: bool, job_lingers: bool, returns: bool) -> None:
        self.cluster.delete(pods_linger=pods_linger, job_lingers=job_lingers)
        if returns:
            self.cluster.put(self.manifest)

    @precondition(lambda self: RUN not in self.cluster.runs)
    @rule(changes=st.lists(CHANGES, max_size=1))
    def create_again(self, changes: list[Change]) -> None:
        self.cluster.put(self.manifest)
        self.apply(changes, reruns=True)

    @has_run
    @rule(name=st.sampled_from(NAMES))
    def name_a_preset(self, name: str) -> None:
        self.apply([Change(("spec", "preset"), name)], reruns=True)

    @rule(name=st.sampled_from(NAMES), changes=st.lists(PRESET_CHANGES, max_size=2))
    def preset(self, name: str, changes: list[Change]) -> None:
        self.dated = self.cluster.run(RUN).status.attempt if RUN in self.cluster.runs else -1
        known = {"spec": self.cluster.presets.get(name, {}).get("spec", {})}
        spec = changed(PRESETS, PRESET_ROOT, known, changes)["spec"]
        with suppress(RefusedError):
            self.cluster.put_preset(name, spec if changes else None)

    @rule(name=st.sampled_from(NAMES), is_hidden=st.booleans())
    def hide(self, name: str, is_hidden: bool) -> None:
        for hidden in (self.cluster.every_claim.hidden, self.cluster.every_object.hidden):
            (hidden.add if is_hidden else hidden.discard)(name)

    @rule(kind=st.sampled_from(KINDS))
    def somebody_deletes(self, kind: str) -> None:
        for found in [found for (its, _), found in self.cluster.objects.items() if its == kind]:
            self.cluster.lose(found)
