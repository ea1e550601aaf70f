"""Steps in which the operator, or the API server that it talks to, is in trouble, and time passes."""

from collections.abc import Callable

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.simulation.campaign.cluster import Refusal
from tests.simulation.campaign.controllers import RUN
from tests.simulation.campaign.one_run import OneRun, has_run
from tests.simulation.world import copied
from trainingrun_operator.cluster.port import BusyError, ClusterError, ConflictError, ForbiddenError, InvalidError

ERRORS: dict[str, Callable[[], ClusterError]] = {
    "busy": lambda: BusyError("503 try again"),
    "conflict": lambda: ConflictError("409 changed meanwhile"),
    "forbidden": lambda: ForbiddenError("403 exceeded quota: team"),
    "invalid": lambda: InvalidError("422 denied by a policy"),
}
SECONDS = st.sampled_from([1, 15, 60, 700, 4000, 90000])


class Trouble(OneRun):
    """What becomes of the operator."""

    @rule(seconds=SECONDS)
    def time_passes(self, seconds: int) -> None:
        self.cluster.wait(seconds)

    @rule(looks=st.none() | st.integers(0, 3))
    def operator_is_held_up(self, looks: int | None) -> None:
        self.looks = looks

    @rule(writes=st.integers(0, 4), is_after=st.booleans())
    def operator_dies(self, writes: int, is_after: bool) -> None:
        self.cluster.crash(writes=writes, is_after=is_after)

    @rule()
    def operator_restarts(self) -> None:
        self.cluster.restart()

    @rule(verb=st.sampled_from(["create", "create Job", "delete", "status"]), error=st.sampled_from(sorted(ERRORS)))
    def api_refuses(self, verb: str, error: str) -> None:
        if verb == "create" or error != "invalid" or verb == "create Job":
            self.cluster.refusals.append(Refusal(verb, ERRORS[error]()))

    @has_run
    @rule()
    def leader_reads_and_is_held_up(self) -> None:
        self.cluster.stale = copied(self.cluster.runs[RUN])
