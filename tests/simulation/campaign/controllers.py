"""Controllers and kubelets of the campaign's cluster, which act when they are told to."""

from collections.abc import Iterable

from tests.builders import stamp
from tests.simulation.campaign.pods import (
    PodState,
    exit_code,
    has_ended,
    in_state,
    is_live,
    is_on_a_lost_node,
    is_over,
    is_ready,
    is_running,
    leave,
    leaves,
    owner,
)
from tests.simulation.world import Object, World, copied
from trainingrun.api import Result
from trainingrun_operator import names

RUN = "a-name-that-is-as-long-as-that-of-a-run-may-be-now"


class Controllers(World):
    """A cluster with at most one run, which is called `RUN`."""

    # -- what there is

    @property
    def jobs(self) -> list[Object]:
        """All Jobs that are not being deleted."""
        return [found for (kind, _), found in self.objects.items() if kind == "Job" and not leaves(found)]

    def pods_of(self, job: Object) -> dict[int, Object]:
        """The pods of a Job by their index."""
        owned = (pod for pod in self.pods.values() if pod["metadata"]["ownerReferences"][0]["uid"] == job["metadata"]["uid"])
        return {int(pod["metadata"]["labels"][names.INDEX_LABEL]): pod for pod in owned}

    @property
    def running(self) -> list[Object]:
        """The pods of the current attempt that run, by index."""
        attempt = str(self.run(RUN).status.attempt) if RUN in self.runs else ""
        uid = self.runs[RUN]["metadata"]["uid"] if RUN in self.runs else ""
        own = [pod for pod in self.pods.values() if pod["metadata"]["labels"][names.UID_LABEL] == uid]
        found = [pod for pod in own if pod["metadata"]["labels"][names.ATTEMPT_LABEL] == attempt and is_running(pod)]
        return sorted(found, key=lambda pod: int(pod["metadata"]["labels"][names.INDEX_LABEL]))

    @property
    def live(self) -> list[Object]:
        """Pods of the run, of any attempt, that may still do something."""
        uid = self.runs[RUN]["metadata"]["uid"]
        return [pod for pod in self.pods.values() if pod["metadata"]["labels"][names.UID_LABEL] == uid and is_live(pod)]

    # -- what controllers do

    def make_pods(self, state: PodState) -> bool:
        """The Job controller makes the pods that are missing, and all that are not ready come to this state."""
        changed = False
        for job in self.jobs:
            if job["spec"].get("suspend") or is_over(job):
                continue
            job["status"].setdefault("startTime", stamp(self.now))
            known = self.pods_of(job)
            for index in range(job["spec"]["completions"]):
                changed |= self._come_to(state, job, index, known.get(index))
        return changed

    def _come_to(self, state: PodState, job: Object, index: int, pod: Object | None) -> bool:
        if pod is not None and (leaves(pod) or not is_live(pod) or is_ready(pod) or has_ended(pod)):
            return False
        ready = self._pod(job, index=index)
        made = pod or ready
        made["spec"], made["status"] = in_state(state, ready, now=stamp(self.now))
        self.pods[made["metadata"]["name"]] = made
        return True

    def count_pods(self) -> bool:
        """The Job controller counts the pods that have ended, and says when a Job is over."""
        changed = False
        for job in self.jobs:
            before = copied(job["status"])
            ended = {index: pod["status"]["phase"] for index, pod in self.pods_of(job).items() if not is_live(pod)}
            failed = sorted(index for index, phase in ended.items() if phase == "Failed")
            succeeded = sum(phase == "Succeeded" for phase in ended.values())
            if job["spec"].get("suspend"):
                continue
            job["status"] |= {"failedIndexes": ",".join(map(str, failed))} if failed else {}
            job["status"] |= {"succeeded": succeeded} if succeeded else {}
            if len(ended) == job["spec"]["completions"] and not is_over(job):
                job["status"]["conditions"] = [{"type": "Failed" if failed else "Complete", "status": "True"}]
            changed |= job["status"] != before
        return changed

    def collect(self) -> bool:
        """What is being deleted goes, and what belonged to what has gone."""
        before = len(self.objects) + len(self.pods)
        self.pods = {name: pod for name, pod in self.pods.items() if not leaves(pod) or is_on_a_lost_node(pod)}
        lost = {owner(pod) for pod in self.pods.values() if is_on_a_lost_node(pod)}
        leaving = {found["metadata"]["uid"] for found in self.objects.values() if leaves(found)} - lost
        uids = {run["metadata"]["uid"] for run in self.runs.values()}
        self.objects = {
            key: found
            for key, found in self.objects.items()
            if found["metadata"]["uid"] not in leaving and (owner(found) in uids or found["metadata"]["uid"] in lost)
        }
        there = {found["metadata"]["uid"] for found in self.objects.values()}
        self.pods = {name: pod for name, pod in self.pods.items() if owner(pod) in there}
        return len(self.objects) + len(self.pods) != before

    def admit_jobs(self) -> bool:
        """Kueue lets every Job go that it holds back."""
        held = [job for job in self.jobs if job["spec"].get("suspend")]
        for job in held:
            (self.workloads or {}).pop(job["metadata"]["uid"], None)
            job["spec"]["suspend"] = False
            job["status"] = {"startTime": stamp(self.now), "conditions": [{"type": "Suspended", "status": "False"}]}
        return bool(held)

    def hold_jobs(self, *, reason: str, is_active: bool = True) -> None:
        """Kueue stops every Job of a queue that is not over, or says why it goes on holding it back."""
        for job in self.jobs:
            if names.QUEUE_LABEL not in job["metadata"]["labels"] or is_over(job):
                continue
            if not job["spec"].get("suspend"):
                job["spec"]["suspend"] = True
                job["status"] = {"conditions": [{"type": "Suspended", "status": "True"}]}
                for pod in self.pods_of(job).values():
                    leave(pod, at=stamp(self.now))
            said = {"type": "QuotaReserved", "status": "False", "reason": reason, "message": "insufficient quota"}
            if self.workloads is not None:
                self.workloads[job["metadata"]["uid"]] = {"spec": {"active": is_active}, "status": {"conditions": [said]}}

    def lose(self, what: Object) -> None:
        """Somebody deletes an object, whose dependents go first."""
        kind, name = what["kind"], what["metadata"]["name"]
        if kind == "Job" and self.pods_of(what):
            leave(what, at=stamp(self.now))
            for pod in self.pods_of(what).values():
                leave(pod, at=stamp(self.now))
        else:
            del self.objects[kind, name]

    def work(self) -> bool:
        """All controllers do what there is to do; returns whether anything has changed."""
        return any(
            [self.collect(), self.admit_jobs(), self.make_pods(PodState.READY), self.finish_together(), self.count_pods()]
        )

    def finish_together(self) -> bool:
        """Workers whose peers have succeeded do so as well."""
        own = {**self.pods}
        if not any(exit_code(pod) == 0 for pod in own.values()) or any(exit_code(pod) for pod in own.values()):
            return False
        return self.finish(self.running)

    def finish(self, pods: Iterable[Object]) -> bool:
        """Workers end as they should."""
        ended = [int(pod["metadata"]["labels"][names.INDEX_LABEL]) for pod in pods if not has_ended(pod)]
        for index in ended:
            self.end_pod(index, name=RUN, code=0, result=Result(epochs=2) if index == 0 else None)
        return bool(ended)
