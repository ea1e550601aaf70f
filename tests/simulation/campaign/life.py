"""Steps of controllers, kubelets and workers."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.builders import stamp
from tests.crd.values import Change
from tests.simulation.campaign.controllers import RUN
from tests.simulation.campaign.one_run import OneRun, has_job, words
from tests.simulation.campaign.pods import PodState, leave
from tests.simulation.world import Object
from trainingrun.contract import Cause, ExitCode, Stage
from trainingrun_operator import names

QUOTA = 'Error creating: pods "x" is forbidden: exceeded quota: team, requested: pods=1, used: pods=9, limited: pods=10'


DISRUPTIONS = ("PreemptionByScheduler", "EvictionByEvictionAPI", "TerminationByKubelet", "")


class Life(OneRun):
    """What becomes of an attempt."""

    @has_job
    @rule(state=words(PodState))
    def pods_come(self, state: str) -> None:
        self.cluster.make_pods(PodState(state))

    @rule(epoch=st.integers(0, 5))
    def attempt_trains(self, epoch: int) -> None:
        if self._workers():
            self.cluster.report(name=RUN, epoch=epoch)

    @rule()
    def what_is_deleted_goes(self) -> None:
        self.cluster.collect()

    @has_job
    @rule()
    def pods_are_counted(self) -> None:
        self.cluster.count_pods()

    @has_job
    @rule(reason=st.sampled_from(["Pending", "Preempted"]), is_active=st.booleans(), has_kueue=st.booleans())
    def kueue_holds(self, reason: str, is_active: bool, has_kueue: bool) -> None:
        self.cluster.workloads = (self.cluster.workloads or {}) if has_kueue else None
        self.cluster.hold_jobs(reason=reason, is_active=is_active)

    @has_job
    @rule()
    def kueue_admits(self) -> None:
        self.cluster.admit_jobs()

    @has_job
    @rule(
        reason=st.sampled_from(["FailedCreate", "FailedMount", "FailedScheduling"]),
        text=st.sampled_from([QUOTA, "no"]),
    )
    def somebody_says(self, reason: str, text: str) -> None:
        for found in (*self.cluster.jobs, *self.cluster.pods.values()):
            about = {"uid": found["metadata"]["uid"]}
            said = {"involvedObject": about, "reason": reason, "message": text, "lastTimestamp": stamp(self.cluster.now)}
            self.cluster.said.append(said)

    @rule(nodes=st.sampled_from(["none", "small", "unknown"]))
    def nodes(self, nodes: str) -> None:
        small = {"metadata": {"name": "small"}, "status": {"allocatable": {"cpu": "1", "memory": "1Gi", "pods": "10"}}}
        self.cluster.nodes = {"none": [], "small": [small], "unknown": None}[nodes]

    @rule(stage=words(Stage), epoch=st.integers(0, 5))
    def worker_reports(self, stage: str, epoch: int) -> None:
        if self._workers():
            self.cluster.report(name=RUN, epoch=epoch, stage=Stage(stage))

    @rule(resumes=st.booleans())
    def suspended_while_it_trains(self, resumes: bool) -> None:
        if self._workers():
            self.apply([Change(("spec", "suspend"), True)], reruns=False)
            self.promises_are_kept()
            self.apply([Change(("spec", "suspend"), not resumes)], reruns=False)

    @rule()
    def workers_succeed(self) -> None:
        self.cluster.finish(self._workers())

    @rule(
        worker=st.integers(0, 3),
        code=st.sampled_from([*map(int, ExitCode), 1, 137]),
        cause=st.none() | words(Cause),
        length=st.sampled_from([0, 3000]),
        lives_on=st.booleans(),
    )
    def worker_ends(self, worker: int, code: int, cause: str | None, length: int, lives_on: bool) -> None:
        for index in self._one(worker):
            record: dict[str, Any] = {"cause": cause, "message": "x" * length} if code else {}
            self.cluster.end_pod(index, name=RUN, code=code, lives_on=lives_on, **record)

    @rule(worker=st.integers(0, 3))
    def node_is_lost(self, worker: int) -> None:
        for index in self._one(worker):
            self.cluster.lose_node(index, RUN)

    @rule(worker=st.integers(0, 3), reason=st.sampled_from(DISRUPTIONS))
    def pod_is_evicted(self, worker: int, reason: str) -> None:
        for index in self._one(worker):
            pod = self.cluster.pods[f"{RUN}-{self.cluster.run(RUN).status.attempt}-{index}"]
            leave(pod, at=stamp(self.cluster.now))
            if reason:
                pod["status"]["conditions"] = [{"type": "DisruptionTarget", "status": "True", "reason": reason}]

    def _workers(self) -> list[Object]:
        """The workers that run, after all has been done that nothing is in the way of."""
        if not self.cluster.running and RUN in self.cluster.runs:
            self.cluster.collect()
            self.promises_are_kept()
            self.cluster.admit_jobs()
            self.cluster.make_pods(PodState.READY)
            self.promises_are_kept()
        return self.cluster.running

    def _one(self, number: int) -> list[int]:
        """The index of one of them; none when none runs."""
        running = self._workers()
        return [int(running[number % len(running)]["metadata"]["labels"][names.INDEX_LABEL])] if running else []
