"""The ranks of one worker together."""

from pathlib import Path

from tests.waiting import wait_for
from trainingrun_trainer.agent.crew import Crew
from trainingrun_trainer.agent.logbook import Logbook
from trainingrun_trainer.agent.verdict import first_cause
from trainingrun_trainer.output.volume import VolumePlace


def test_a_rank_that_has_said_why_it_failed_is_believed_though_it_has_not_ended(tmp_path: Path) -> None:
    module = "tests.unit.trainer.lingering_rank"
    logbook = Logbook(scratch=tmp_path)
    crew = Crew(attempt=1, size=1, logbook=logbook, module=module)
    crew.start(0, environment={})
    wait_for(lambda: crew.ranks[0].last, lambda last: last is not None, what="its last words", timeout=30)
    assert crew.running == [0]
    verdict = first_cause(crew.end(only_causes=True))
    logbook.save(VolumePlace(tmp_path / "log", "log"))
    assert (verdict.cause, verdict.exit_code, verdict.message) == ("OutputFailed", 70, "No space.")
