"""The study: suggestions, judgements, counts, and going on from its events."""

from collections.abc import Iterable
from typing import Any

import pytest

from trainingrun.api import Tuning
from trainingrun_trainer.tuning.events import Event, Kind, decode, encode
from trainingrun_trainer.tuning.space import trials
from trainingrun_trainer.tuning.study import Study, Trial

RATE: dict[str, Any] = {
    "name": "training.optimizer.learningRate",
    "double": {"minimum": "1e-5", "maximum": "1", "scale": "Log"},
}
BATCH: dict[str, Any] = {"name": "training.batchSize", "int": {"minimum": 16, "maximum": 100, "step": 16}}
NAME: dict[str, Any] = {"name": "training.optimizer.name", "categorical": ["Adam", "SGD"]}
ALL: list[dict[str, Any]] = [RATE, BATCH, NAME]


def a_tuning(*parameters: dict[str, Any], **spec: Any) -> Tuning:
    return Tuning.model_validate({"trials": 12, "epochsPerTrial": 1, "scheduler": "None", "parameters": parameters, **spec})


class Searching:
    """A study with its journal in a list."""

    def __init__(self, tuning: Tuning, *, before: Iterable[Event] = (), seed: int = 7) -> None:
        self.journal = list(before)
        self.study = Study(tuning, seed=seed, note=self.journal.extend, before=list(before))

    def asked(self, rank: int = 0) -> Trial:
        trial = self.study.ask(rank)
        assert trial is not None
        return trial

    def run(self, *values: float, rank: int = 0) -> Trial:
        """A trial with these values after its epochs, ended when it is told to."""
        trial = self.asked(rank)
        for epoch, value in enumerate(values, start=1):
            if not self.study.report(trial.number, epoch=epoch, value=value) and epoch < len(values):
                self.study.tell(trial.number, "pruned")
                return trial
        self.study.tell(trial.number, "completed")
        return trial


def goodness(trial: Trial) -> float:
    """Some value that follows from the parameters."""
    return -abs(float(trial.parameters["training.optimizer.learningRate"]) - 0.01)


def suggestions(searching: Searching, count: int) -> list[dict[str, str]]:
    found = []
    for _ in range(count):
        trial = searching.asked()
        found.append(trial.parameters)
        searching.study.report(trial.number, epoch=1, value=goodness(trial))
        searching.study.tell(trial.number, "completed")
    return found


@pytest.mark.parametrize("algorithm", ["TPE", "Random"])
def test_equal_seeds_give_equal_suggestions(algorithm: str) -> None:
    tuning = a_tuning(*ALL, trials=20, algorithm=algorithm)
    first = suggestions(Searching(tuning), 20)
    assert first == suggestions(Searching(tuning), 20)
    assert first != suggestions(Searching(tuning, seed=8), 20)
    assert len({str(each) for each in first}) == 20


@pytest.mark.parametrize("algorithm", ["TPE", "Random"])
def test_a_study_that_goes_on_suggests_what_it_would_have_without_the_interruption(algorithm: str) -> None:
    tuning = a_tuning(*ALL, trials=20, algorithm=algorithm)
    whole = suggestions(Searching(tuning), 20)
    begun = Searching(tuning)
    before = suggestions(begun, 14)
    restarted = Searching(tuning, before=decode(encode(begun.journal)))
    assert before + suggestions(restarted, 6) == whole


def test_tpe_learns_where_the_good_values_are() -> None:
    found = suggestions(Searching(a_tuning(RATE, trials=40)), 40)
    rates = [float(each["training.optimizer.learningRate"]) for each in found]
    assert sum(0.002 < rate < 0.05 for rate in rates[20:]) > 2 * sum(0.002 < rate < 0.05 for rate in rates[:10])


@pytest.mark.parametrize("algorithm", ["TPE", "Random"])
def test_a_long_search_draws_until_its_end(algorithm: str) -> None:
    found = suggestions(Searching(a_tuning(RATE, trials=60, algorithm=algorithm)), 60)
    assert min(float(each["training.optimizer.learningRate"]) for each in found[45:]) > 1.1e-5


def test_suggestions_are_texts_of_the_space() -> None:
    for each in suggestions(Searching(a_tuning(*ALL, algorithm="Random", trials=30)), 30):
        assert 1e-5 <= float(each["training.optimizer.learningRate"]) <= 1
        assert each["training.batchSize"] in {"16", "32", "48", "64", "80", "96"}
        assert each["training.optimizer.name"] in {"Adam", "SGD"}


def test_a_grid_is_tried_point_by_point() -> None:
    searching = Searching(a_tuning({**BATCH, "int": {"minimum": 1, "maximum": 3}}, NAME, algorithm="Grid"))
    points = [tuple(searching.run(0.5).parameters.values()) for _ in range(6)]
    assert points == [(size, name) for size in ("1", "2", "3") for name in ("Adam", "SGD")]
    assert searching.study.ask(0) is None
    assert searching.study.is_over


def test_runners_get_trials_of_their_own_and_one_that_asks_again_gets_the_same() -> None:
    searching = Searching(a_tuning(*ALL))
    first, second = searching.asked(0), searching.asked(1)
    assert first.number != second.number
    assert searching.asked(0) is first
    assert len([event for event in searching.journal if event.event == "started"]) == 2


@pytest.mark.parametrize(
    ("objective", "best"),
    [({"metric": "val_accuracy", "goal": "Maximize"}, 1), ({"metric": "val_loss", "goal": "Minimize"}, 0)],
)
def test_the_best_is_what_the_goal_asks_for(objective: dict[str, str], best: int) -> None:
    searching = Searching(a_tuning(*ALL, trials=3, objective=objective))
    ended = [searching.run(value) for value in (0.1, 0.9, 0.9)]
    status = searching.study.status
    assert (status.trials, status.completed, status.failed) == (3, 3, 0)
    assert status.best is not None
    assert status.best.number == best
    assert searching.study.best == ended[best].parameters


def test_a_failure_is_counted_and_the_search_goes_on() -> None:
    searching = Searching(a_tuning(*ALL, trials=2))
    searching.study.tell(searching.asked().number, "failed", cause="NotANumber", message="The loss became nan.")
    good = searching.run(0.5)
    assert (searching.study.status.failed, searching.study.best) == (1, good.parameters)
    failure = searching.study.first_failure
    assert failure is not None
    assert (failure.number, failure.cause, failure.message) == (0, "NotANumber", "The loss became nan.")
    assert searching.study.is_over


def test_a_trial_that_an_attempt_left_unfinished_has_failed_and_is_not_tried_again() -> None:
    tuning = a_tuning(*ALL, trials=3)
    died = Searching(tuning)
    died.run(0.5)
    lost = died.asked()
    after = Searching(tuning, before=died.journal)
    failure = after.study.first_failure
    assert failure is not None
    assert (failure.number, failure.cause) == (lost.number, "OOMKilled")
    assert after.asked().number == 2
    assert after.journal[-2].event == "failed"


def test_an_interrupted_trial_is_tried_again_with_the_same_values() -> None:
    tuning = a_tuning(*ALL, trials=3, epochsPerTrial=3)
    stopped = Searching(tuning)
    stopped.run(0.1, 0.2, 0.3)
    trial = stopped.asked()
    stopped.study.report(trial.number, epoch=1, value=0.7)
    stopped.study.close()
    assert stopped.study.ask(1) is None
    after = Searching(tuning, before=stopped.journal)
    again = after.run(0.4, 0.5, 0.6)
    assert (again.number, again.parameters, again.values) == (trial.number, trial.parameters, [0.4, 0.5, 0.6])
    assert after.asked().number == 2
    assert after.study.status.failed == 0


def test_asha_ends_what_falls_behind_and_remembers_over_a_restart() -> None:
    tuning = a_tuning(*ALL, trials=8, epochsPerTrial=4, scheduler="ASHA")
    searching = Searching(tuning)
    for value in (0.5, 0.6, 0.7):
        searching.run(*[value] * 4)
    restarted = Searching(tuning, before=searching.journal)
    for each in (searching, restarted):
        assert each.run(*[0.1] * 4).state == "pruned"
        assert each.run(*[0.9] * 4).state == "completed"
    assert restarted.study.status == searching.study.status
    assert searching.study.status.pruned > 0


def test_without_a_scheduler_all_trials_come_to_their_end() -> None:
    searching = Searching(a_tuning(*ALL, trials=6, epochsPerTrial=3))
    for value in (0.9, 0.8, 0.7, 0.3, 0.2, 0.1):
        assert searching.run(value, value, value).state == "completed"


def test_reports_and_ends_may_come_twice() -> None:
    searching = Searching(a_tuning(*ALL, epochsPerTrial=2))
    trial = searching.asked()
    answers = [searching.study.report(trial.number, epoch=1, value=0.5) for _ in range(2)]
    assert answers == [True, True]
    searching.study.report(trial.number, epoch=2, value=0.6)
    for _ in range(2):
        searching.study.tell(trial.number, "completed")
    assert [event.event for event in searching.journal] == ["started", "epoch", "epoch", "completed"]


def test_what_cannot_be_noted_has_not_happened() -> None:
    def refuse(events: list[Event]) -> None:
        raise OSError("full")

    study = Study(a_tuning(*ALL), seed=7, note=refuse)
    with pytest.raises(OSError, match="full"):
        study.ask(0)
    assert study.moves == 0


def test_events_are_lines_and_half_a_line_is_passed_over() -> None:
    events = [Event(0, "started", rank=0, parameters={"a": "1"}), Event(0, "epoch", epoch=1, value=0.25)]
    lines = encode(events, attempt=2)
    assert b'"attempt": 2' in lines
    assert decode(lines) == events
    assert decode(lines[:-3]) == events[:1]


@pytest.mark.parametrize("epochs", [0, 3], ids=["fails at once", "has values before it fails"])
@pytest.mark.parametrize("below", [0.03, 0.001], ids=["a third fails", "most fail"])
def test_tpe_turns_away_from_where_trials_fail(below: float, epochs: int) -> None:
    searching, failed = Searching(a_tuning(RATE, trials=60, epochsPerTrial=4)), []
    for _ in range(60):
        trial = searching.asked()
        does_fail = float(trial.parameters["training.optimizer.learningRate"]) > below
        failed.append(does_fail)
        for epoch in range(epochs if does_fail else 4):
            searching.study.report(trial.number, epoch=epoch + 1, value=0.5)
        searching.study.tell(trial.number, "failed" if does_fail else "completed", cause="NotANumber" if does_fail else "")
    assert sum(failed[30:]) <= 12


def test_tpe_learns_also_while_nearly_all_trials_fail() -> None:
    searching, failed = Searching(a_tuning(RATE, trials=40)), []
    for _ in range(40):
        trial = searching.asked()
        failed.append(float(trial.parameters["training.optimizer.learningRate"]))
        searching.study.tell(trial.number, "failed", cause="OOMKilled")
    assert len(set(failed)) == 40
    assert min(failed) < 1e-3 < 0.1 < max(failed)


SIZES: dict[str, Any] = {"name": "training.batchSize", "int": {"minimum": 16, "maximum": 48, "step": 16}}
ANGLES: dict[str, Any] = {"name": "augmentation.rotationDegrees", "double": {"minimum": "0", "maximum": "0.5"}}
NARROW: dict[str, Any] = {
    "name": "training.optimizer.learningRate",
    "double": {"minimum": "0.001", "maximum": "0.001004", "scale": "Log"},
}
SMALL = {"names": [NAME], "whole numbers": [SIZES], "both": [NAME, SIZES], "decimals that are rounded": [NARROW]}


@pytest.mark.parametrize("algorithm", ["TPE", "Random"])
@pytest.mark.parametrize(("what", "count"), [("names", 2), ("whole numbers", 3), ("both", 6), ("decimals that are rounded", 5)])
@pytest.mark.parametrize("end", ["completed", "pruned", "failed"])
def test_a_small_search_tries_everything_once_and_ends(algorithm: str, what: str, count: int, end: Kind) -> None:
    tuning = a_tuning(*SMALL[what], trials=20, algorithm=algorithm, epochsPerTrial=2)
    searching = Searching(tuning)
    assert searching.study.status.trials == count
    seen = []
    while (trial := searching.study.ask(0)) is not None:
        seen.append(str(trial.parameters))
        searching.study.report(trial.number, epoch=1, value=0.5)
        searching.study.report(trial.number, epoch=2, value=0.5)
        searching.study.tell(trial.number, end)
    assert len(seen) == len(set(seen)) == count
    assert searching.study.is_over


@pytest.mark.parametrize("tuning", [a_tuning(NAME, SIZES, trials=20), a_tuning(NAME, SIZES, trials=4), a_tuning(NARROW)])
def test_a_small_search_that_goes_on_tries_the_rest_as_it_would_have(tuning: Tuning) -> None:
    def ended(searching: Searching, count: int) -> list[dict[str, str]]:
        found: list[dict[str, str]] = []
        while len(found) < count and (trial := searching.study.ask(0)) is not None:
            found.append(trial.parameters)
            searching.study.report(trial.number, epoch=1, value=0.1 * trial.number)
            searching.study.tell(trial.number, "failed" if trial.number == 1 else "completed")
        return found

    whole = Searching(tuning)
    all_of_them = ended(whole, 20)
    begun = Searching(tuning)
    before = ended(begun, 3)
    restarted = Searching(tuning, before=decode(encode(begun.journal)))
    assert before + ended(restarted, 20) == all_of_them
    assert restarted.study.is_over
    assert restarted.study.status == whole.study.status


def test_two_runners_do_not_try_the_same_at_the_same_time() -> None:
    searching = Searching(a_tuning(NAME, SIZES))
    seen = {str(searching.asked(rank).parameters) for rank in range(6)}
    assert len(seen) == 6
    assert searching.study.ask(6) is None
    assert not searching.study.is_over


def test_the_journal_of_a_trainer_that_tried_values_twice_is_gone_on_with() -> None:
    twice = [
        Event(number, kind, rank=0, parameters={"training.optimizer.name": "Adam"})
        if kind == "started"
        else Event(number, kind)
        for number in range(3)
        for kind in ("started", "failed")
    ]
    searching = Searching(a_tuning(NAME, trials=20), before=twice)
    assert searching.asked().parameters == {"training.optimizer.name": "SGD"}
    assert searching.study.ask(1) is None
    assert searching.study.status.trials == 4


@pytest.mark.parametrize(
    ("parameter", "count"),
    [(RATE, 20), (ANGLES, 20), (BATCH, 6), (NARROW, 5), ({"name": "a", "double": {"minimum": "1", "maximum": "1e4"}}, 20)],
)
def test_the_values_of_a_space_are_counted(parameter: dict[str, Any], count: int) -> None:
    assert trials(a_tuning({**parameter, "name": "model.parameters.x"}, trials=20)) == count
