"""A tenant who means harm, against the real operator: what its workers answer, and the last words that they leave.

The operator goes on as if nothing had happened: it is not restarted and has no defect, it looks after a neighbour as it did
before, and the tenant's runs can be suspended and deleted. Each worker answers in turn to the questions that it is asked.
"""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.e2e.answers_of_strangers import HONEST, two_hundred
from tests.e2e.conftest import Playground, is_true
from tests.patience import patience
from tools.install import OPERATOR, OPERATOR_NAMESPACE
from trainingrun.api import TrainingRun

NEIGHBOUR = "neighbour"
QUIET = 8
"""Looks at the neighbour that show how often the operator looks when it is left alone."""
EPOCH_SECONDS = 0.25
"""Of a worker that plays: the clock by which it is seen how late the operator looks."""
LAST: dict[str, tuple[int | None, str]] = {
    "stays": (None, ""),
    "pauses": (None, ""),
    "judges": (66, json.dumps({"attempt": 1, "worker": 0, "exitCode": 66, "cause": "NotAccepted", "result": {"epochs": -1}})),
    "nests": (1, "\U0001f600\u2028\ufeff" + "[" * 4000),
}
"""By run: the exit code of its worker, which else lives on, and what it leaves."""


@dataclass
class Watched:
    """How far the neighbour was, in epochs, at each change of its status."""

    epochs: list[int] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def watch(self, playground: Playground) -> None:
        """Note every change, until the run has gone."""
        for found in playground.kubectl.watch("trainingrun", NEIGHBOUR, timeout=600):
            progress = TrainingRun.parse(found).status.progress
            if progress is not None and progress.epoch is not None:
                with self.changed:
                    self.epochs.append(progress.epoch)
                    self.changed.notify_all()

    def until(self, looks: int) -> None:
        """Wait until there have been so many."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.epochs) >= looks, patience(60)), self.epochs

    def pace(self, first: int, last: int) -> float:
        """Epochs from one look to the next, between these looks."""
        return (self.epochs[last] - self.epochs[first]) / (last - first)


@dataclass(frozen=True)
class Siege:
    """What there is of it when all has been answered."""

    playground: Playground
    watched: Watched
    asked: int
    """How many answers were to be given."""
    quiet: int
    """Looks at the neighbour before it."""
    answered: list[str]
    operators: dict[str, Any]
    """As they were before it, by UID."""


@pytest.fixture(scope="module", params=[pytest.param(5, id="44"), pytest.param(1, id="200", marks=pytest.mark.long)])
def siege(playground: Playground, request: pytest.FixtureRequest) -> Iterator[Siege]:
    """All has been answered, and the workers that end do so. Its parameter: of so many answers one is given, of most kinds."""
    playground.play(NEIGHBOUR, workers=1, epochs=None)
    watched = Watched()
    watching = threading.Thread(target=watched.watch, args=(playground,), daemon=True)
    watching.start()
    watched.until(QUIET)
    operators, quiet = find_operators(playground), len(watched.epochs)
    answers = two_hundred(one_of=request.param)
    for number, (name, (ends, last)) in enumerate(LAST.items()):
        part = {"answers": answers[number :: len(LAST)], "honest": HONEST, "ends": ends, "last": latin(last)}
        attack(playground, name, part)
    answered = hear(playground)
    yield Siege(playground, watched, len(answers), quiet, answered, operators)
    playground.kubectl.delete("trainingrun", NEIGHBOUR)
    watching.join()


def latin(text: str) -> str:
    """The UTF-8 of a text, or nearly, as a worker writes it."""
    return text.encode(errors="surrogatepass").decode("latin-1")


def attack(playground: Playground, name: str, part: dict[str, Any]) -> None:
    """Start a run whose worker plays this part, which may be too long for an annotation of a client-side apply."""
    told = json.dumps(a_config_map(name, {"part.json": json.dumps(part)}))
    playground.kubectl.run("apply", "--server-side", "-f", "-", stdin=told)
    volume = {"name": "part", "mountPath": "/mnt/part", "configMap": {"name": name}}
    playground.play(
        name,
        workers=1,
        variables={"PLAYED_HOSTILE": "/mnt/part/part.json"},
        grace_seconds=1,
        further={"volumes": [volume]},
        spec__recovery={"maximumRestarts": 0},
    )


def a_config_map(name: str, data: dict[str, str]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def hear(playground: Playground) -> list[str]:
    """What all workers have answered, once they have answered all. Those that end are gone soon after."""
    for name in LAST:
        playground.wait(name, "training", lambda run: run.status.stage == "Training")
    pods = [pod["metadata"]["name"] for pod in playground.kubectl.list("pods", selector=f"trainingrun.dev/run!={NEIGHBOUR}")]
    with ThreadPoolExecutor(len(pods)) as ears:
        return [line for lines in ears.map(lambda pod: answers_of(playground, pod), pods) for line in lines]


def answers_of(playground: Playground, pod: str) -> list[str]:
    lines: list[str] = []
    for line in playground.kubectl.log(pod, timeout=240):
        if line == "all is answered":
            return lines
        lines.append(line)
    raise AssertionError(f"{pod} was not asked often enough; it was last asked for: {lines[-1:]}")


def find_operators(playground: Playground) -> dict[str, Any]:
    """How often each pod of the operator was restarted, by its UID."""
    system = playground.installation.kubectl.within(OPERATOR_NAMESPACE)
    pods = system.list("pods", selector=f"app.kubernetes.io/name={OPERATOR}")
    return {pod["metadata"]["uid"]: [each["restartCount"] for each in pod["status"]["containerStatuses"]] for pod in pods}


def test_every_answer_was_given_and_the_operator_is_the_same_without_a_word_of_a_defect(siege: Siege) -> None:
    assert len(siege.answered) == len(set(siege.answered)) == siege.asked
    assert find_operators(siege.playground) == siege.operators
    assert [line for line in operator_errors(siege.playground) if siege.playground.namespace in line or "asking" in line] == []


def operator_errors(playground: Playground) -> list[str]:
    """What both operators call an error."""
    system = playground.installation.kubectl.within(OPERATOR_NAMESPACE)
    logs = [system.run("logs", pod["metadata"]["name"]) for pod in system.list("pods")]
    return [line for log in logs for line in log.splitlines() if '"level": "error"' in line]


def test_a_neighbour_is_looked_at_as_before(siege: Siege) -> None:
    """By its own epochs: on average no look comes a second later than when nobody else was there."""
    before = siege.watched.pace(0, siege.quiet - 1)
    assert siege.watched.pace(siege.quiet - 1, len(siege.watched.epochs) - 1) <= before + patience(1) / EPOCH_SECONDS
    neighbour = siege.playground.get(NEIGHBOUR).status
    assert (neighbour.attempt, neighbour.stage, neighbour.failure) == (1, "Training", None)


@pytest.mark.parametrize(("name", "cause"), [("judges", "NotAccepted"), ("nests", "PodFailed")])
def test_the_tenants_runs_end_as_any_others(siege: Siege, name: str, cause: str) -> None:
    status = siege.playground.wait_until_finished(name).status
    assert status.failure is not None
    assert (status.failure.cause, status.attempt) == (cause, 1)


def test_the_tenants_runs_can_be_suspended_and_deleted(siege: Siege) -> None:
    playground = siege.playground
    playground.kubectl.run("patch", "trun", "pauses", "--type=merge", "-p", '{"spec":{"suspend":true}}')
    playground.wait("pauses", "suspended", lambda run: is_true(run, "Suspended"))
    playground.kubectl.run("delete", "trun", *LAST, "--timeout=60s", timeout=70)
    for name in LAST:
        playground.wait_until_nothing_is_left(name)
