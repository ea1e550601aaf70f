"""The two ways to search: in one warm gang, and with one object per trial, as Katib and its like do.

Both ask the same study, so that the values they try differ only by what was known when they asked.
"""

from collections.abc import Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from tools.tuning_bench.course import Course
from tools.tuning_bench.manifests import WORKERS, search_in_gang, single_trial
from tools.tuning_bench.place import Place
from trainingrun.api import Tuning
from trainingrun_trainer.tuning.events import Event, encode
from trainingrun_trainer.tuning.study import Study, Trial

OBJECTIVE = "val_accuracy"


def in_gang(place: Place, search: Mapping[str, Any], *, name: str, seed: int) -> Course:
    """Search with one object, and read afterwards from its journal how that went."""
    applied = datetime.now(UTC)
    run = place.finish(search_in_gang(name, search, seed=seed))
    return Course.of(place.read(run, "tuning.jsonl"), applied=applied)


def object_per_trial(place: Place, search: Mapping[str, Any], *, name: str, seed: int) -> Course:
    """Search with a single-worker run for each trial; as many run at the same time as the gang has workers."""
    applied = datetime.now(UTC)
    objects = _Objects(place, Tuning.model_validate(search), name=name, seed=seed)
    with ThreadPoolExecutor(WORKERS) as threads:
        running = [threads.submit(objects.run_trials, runner) for runner in range(WORKERS)]
        try:
            wait(running, return_when=FIRST_EXCEPTION)
        finally:
            objects.close()
    for runner in running:
        runner.result()
    return Course.of(b"".join(objects.journal), applied=applied)


class _Objects:
    """A study in this process whose trials are objects."""

    def __init__(self, place: Place, settings: Tuning, *, name: str, seed: int) -> None:
        self.journal: list[bytes] = []
        self._place = place
        self._epochs = settings.epochs_per_trial
        self._name = name
        self._seed = seed
        self._study = Study(settings, seed=seed, note=self._note)
        self._lock = Lock()

    def run_trials(self, runner: int) -> None:
        """One after the other until none is left; one runner of several."""
        while (trial := self._ask(runner)) is not None:
            name = f"{self._name}-{trial.number}"
            run = self._place.finish(single_trial(name, trial.parameters, epochs=self._epochs, seed=self._seed))
            assert run.status.result is not None, "it has succeeded"
            value = next(float(metric.value) for metric in run.status.result.metrics if metric.name == OBJECTIVE)
            with self._lock:
                self._study.report(trial.number, epoch=self._epochs, value=value)
                self._study.tell(trial.number, "completed")
            print(f"  trial {trial.number}: {value}", flush=True)

    def close(self) -> None:
        """Give out no more trials: a runner has failed, or the benchmark is told to stop."""
        with self._lock:
            self._study.close()

    def _ask(self, runner: int) -> Trial | None:
        with self._lock:
            return self._study.ask(runner)

    def _note(self, events: list[Event]) -> None:
        self.journal.append(encode(events, time=datetime.now(UTC).isoformat()))
