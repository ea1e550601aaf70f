"""The answer to why: for every state, cause and reason a sentence and a command."""

from datetime import timedelta
from typing import Any

import pytest

from tests.builders import NOON
from tests.unit.client.runs import a_run
from trainingrun.api import TrainingRun
from trainingrun.contract import Cause
from trainingrun.views.next_steps import STEPS, commands
from trainingrun.views.why import Evidence, telling, warnings, why
from trainingrun_operator.reasons import Reason
from trainingrun_operator.step import State

LATER = NOON + timedelta(minutes=3, seconds=20)
WORDS = [*State, *Cause, *Reason, "New"]


def a_typed_run(**parts: Any) -> TrainingRun:
    found = a_run(**parts)
    return TrainingRun.parse({**found, "metadata": {**found["metadata"], "namespace": "team"}})


@pytest.mark.parametrize("word", WORDS, ids=str)
def test_every_word_of_the_operator_has_a_command_of_its_own(word: str) -> None:
    run = a_typed_run()
    told = commands(str(word), run)
    assert str(word) in STEPS, f"views.next_steps has no command for {word}"
    assert all(each.startswith("kubectl ") and "{" not in each for each in told)
    assert told


def test_no_command_is_for_a_word_that_nobody_says() -> None:
    assert set(STEPS) == set(map(str, WORDS))


def test_commands_name_the_namespace() -> None:
    assert commands("Suspended", a_typed_run()) == ("kubectl trainingrun resume digits -n team",)


def test_a_run_that_nobody_has_looked_at_says_so() -> None:
    found = a_typed_run()
    new = found.model_copy(update={"status": type(found.status)()})
    answer = why(new, now=LATER)
    assert (answer.state, answer.commands) == ("New", ("kubectl trainingrun doctor -n team",))
    assert "No operator has looked at it yet" in answer.sentence


def test_a_run_that_waits_says_for_what_and_since_when() -> None:
    answer = why(a_typed_run(state="Waiting", reason="ClaimNotFound", message="There is no claim."), now=LATER)
    assert (answer.state, answer.word, answer.since, answer.sentence) == (
        "Waiting",
        "ClaimNotFound",
        "3m20s",
        "There is no claim.",
    )


def test_a_failed_run_says_where_and_how_to_go_on() -> None:
    failure = {
        "cause": "OOMKilled",
        "message": "Too little.",
        "hint": "More.",
        "worker": 1,
        "node": "gpu-7",
        "exitCode": 137,
        "attempt": 2,
        "logTail": "step 7\nKilled",
    }
    run = a_run(state="Failed", failure=failure)
    run["spec"]["workers"] = {"resources": {"limits": {"memory": "2Gi"}}}
    answer = why(TrainingRun.parse(run), now=LATER)
    assert (answer.word, answer.sentence, answer.hint) == ("OOMKilled", "Too little.", "More.")
    (evidence,) = answer.evidence
    assert evidence.about == "attempt 2"
    assert evidence.message == "worker 1, node gpu-7, exit code 137; last lines: step 7 | Killed"
    assert answer.commands == ("kubectl trainingrun rerun digits --set workers.resources.limits.memory=4Gi",)


def test_a_run_that_goes_on_says_what_ended_the_attempt_before() -> None:
    past = {"attempt": 1, "outcome": "Restarted", "cause": "NodeLost", "message": "The node gpu-7 does not answer."}
    answer = why(a_typed_run(attempt=2, history=[past]), now=LATER)
    assert [(each.about, each.reason) for each in answer.evidence] == [("attempt 1", "NodeLost")]


def test_the_learning_rate_that_gave_no_number_is_lowered() -> None:
    assert commands("NotANumber", a_typed_run())[0].endswith("--set training.optimizer.learningRate=0.0001")


def test_stalled_is_told_before_what_it_waits_for() -> None:
    run = a_run(state="Stalled", reason="Unschedulable")
    stalled = {**run["status"]["conditions"][1], "type": "Stalled", "message": "No node."}
    run["status"]["conditions"].append(stalled)
    found = telling(TrainingRun.parse(run))
    assert found is not None
    assert found.message == "No node."


def test_warnings_are_evidence_and_the_newest_come_last() -> None:
    def event(kind: str, message: str, at: str) -> dict[str, Any]:
        about = {"kind": "Pod", "name": "digits-1-0"}
        return {
            "type": kind,
            "reason": "Failed",
            "message": message,
            "lastTimestamp": at,
            "involvedObject": about,
            "metadata": {},
        }

    found = warnings(
        [
            event("Warning", "late", "2026-11-24T12:02:00Z"),
            event("Normal", "fine", "2026-11-24T12:01:00Z"),
            event("Warning", "early", "2026-11-24T12:00:00Z"),
        ]
    )
    answer = why(a_typed_run(), now=LATER, events=found)
    assert [each.message for each in answer.evidence] == ["early", "late"]
    assert isinstance(answer.evidence[0], Evidence)
    assert answer.evidence[0].about == "pod/digits-1-0"


def test_what_was_in_the_way_of_a_run_is_told_until_it_has_succeeded() -> None:
    probe = Evidence(about="pod/digits-1-0", reason="Unhealthy", message="Readiness probe failed.", at=NOON, count=3)
    assert why(a_typed_run(), now=LATER, events=[probe]).evidence == (probe,)
    assert why(a_typed_run(state="Failed"), now=LATER, events=[probe]).evidence[-1] == probe
    assert why(a_typed_run(state="Succeeded"), now=LATER, events=[probe]).evidence == ()
