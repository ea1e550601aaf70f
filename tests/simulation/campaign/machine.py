"""The campaign: specs that Hypothesis makes from the CRD and changes step by step, in a world that goes wrong meanwhile.

After the manner of Acto (Gu et al., SOSP 2023): a declarative operation is right when the system comes to the state that was
declared, from every state that it may be in. `promises` are asked after every step; at the end the world becomes well, and the
run is compared with its `twin`, run again, compared again, suspended and deleted.

When a promise is broken, Hypothesis prints the shortest list of steps that it finds, as Python that a test can hold.
"""

import logging
import sys

from tests.crd.values import Change
from tests.simulation.campaign import promises, twin
from tests.simulation.campaign.controllers import RUN
from tests.simulation.campaign.life import Life
from tests.simulation.campaign.trouble import Trouble
from tests.simulation.campaign.users import Users


class Campaign(Users, Life, Trouble):
    """One run, from its first spec to its end."""

    def teardown(self) -> None:
        logging.getLogger("trainingrun_operator").removeHandler(self.troubles)
        if sys.exc_info()[0] is not None:
            return
        self.looks = None
        self._end()

    def _end(self) -> None:
        """The world becomes well; the run is compared with one that has no history, run again, suspended and deleted."""
        if RUN not in self.cluster.runs:
            self.cluster.put(self.manifest)
        self._rest()
        if self.cluster.run(RUN).status.attempt == self.dated:
            for value in (True, False):
                self.apply([Change(("spec", "suspend"), value)], reruns=False)
                self._rest()
        if not self.cluster.run(RUN).status.is_finished:
            self._compare(is_whole_round=False)
        self.apply([Change(("spec", "suspend"), False)], reruns=True)
        self._rest()
        self._compare(is_whole_round=True)
        self.apply([Change(("spec", "suspend"), True)], reruns=False)
        self._rest()
        assert self.cluster.state(RUN) == "Suspended" or self.cluster.run(RUN).status.is_finished
        assert not self.cluster.live, "a suspended run has no pods"
        self.cluster.delete(pods_linger=False, job_lingers=False)
        assert self.cluster.settle(RUN) is None
        assert (self.cluster.objects, self.cluster.pods) == ({}, {}), "a deleted run leaves nothing"

    def _compare(self, *, is_whole_round: bool) -> None:
        other = twin.twin_of(self.cluster)
        twin.bring_to_rest(other)
        status = other.run(RUN).status
        begun = (status.round, max(1, status.attempt), status.restarts)
        assert begun == (1, 1, 0), "a run to which nothing happens begins once"
        seen, wanted = (twin.view(each, is_whole_round=is_whole_round) for each in (self.cluster, other))
        assert not (found := twin.differences(seen, wanted)), "\n".join(found)

    def _rest(self) -> None:
        """The run comes to rest in a world that is well, keeps its promises, and costs no write for an hour."""
        twin.bring_to_rest(self.cluster)
        self.ask()
        promises.require_at_rest(self.cluster)
        written = len(self.cluster.writes)
        self.cluster.restart()
        self.cluster.settle(RUN)
        assert self.cluster.writes[written:] == [], "an idle run costs no write"
