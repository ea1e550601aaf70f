"""The stages that a spec asks for, and what each weighs."""

from typing import Any

import pytest

from tests.builders import a_run
from trainingrun.contract import Stage
from trainingrun.stages import AWARE, UNCOUNTED, parts_of

TRAINING: dict[str, Any] = {"spec__training": {"epochs": 20}}
PARAMETERS = [{"name": "training.batchSize", "categorical": ["32", "64"]}]

ASKED: dict[str, tuple[dict[str, Any], list[tuple[str, float]]]] = {
    "training alone": ({}, [("Training", 20), ("Evaluating", UNCOUNTED)]),
    "values that are Auto": (
        {"spec__training": {"epochs": 20, "batchSize": "Auto"}},
        [("Choosing", UNCOUNTED), ("Training", 20), ("Evaluating", UNCOUNTED)],
    ),
    "a search in which all trials finish": (
        {"spec__tuning": {"trials": 8, "epochsPerTrial": 5, "scheduler": "None", "parameters": PARAMETERS}},
        [("Tuning", 40), ("Training", 20), ("Evaluating", UNCOUNTED)],
    ),
    "a search that ends trials after epoch 1 and epoch 3": (
        {"spec__tuning": {"trials": 9, "epochsPerTrial": 5, "parameters": PARAMETERS}},
        [("Tuning", 9 * (1 + 2 / 3 + 2 / 9)), ("Training", 20), ("Evaluating", UNCOUNTED)],
    ),
    "one trial on two ranks, of which one has nothing to do": (
        {"spec__tuning": {"trials": 1, "epochsPerTrial": 1, "parameters": PARAMETERS}},
        [("Tuning", 2), ("Training", 20), ("Evaluating", UNCOUNTED)],
    ),
    "two sparsities, each quantized": (
        {
            "spec__compression": {
                "pruning": {"finalSparsities": ["0.8", "0.9"], "epochs": 4},
                "quantization": {"mode": "Int8Aware", "epochs": 2},
            }
        },
        [
            ("Training", 20),
            *2 * [("Pruning", 4), ("Quantizing", 2 * AWARE), ("Quantizing", UNCOUNTED)],
            ("Evaluating", UNCOUNTED),
        ],
    ),
    "eight bits without training": (
        {"spec__compression": {"quantization": {"mode": "Int8"}}},
        [("Training", 20), ("Quantizing", UNCOUNTED), ("Evaluating", UNCOUNTED)],
    ),
}


@pytest.mark.parametrize(("changes", "told"), ASKED.values(), ids=ASKED)
def test_a_run_has_the_work_that_its_spec_asks_for(changes: dict[str, Any], told: list[tuple[str, float]]) -> None:
    parts = parts_of(a_run(**TRAINING | changes).spec)
    said = [part for part in parts if part.stage is not None]
    assert [str(part.stage) for part in said] == [stage for stage, _ in told]
    assert [part.work for part in said] == pytest.approx([work for _, work in told])
    assert parts[-1].stage is None, "what is left after the last report: the publication"


def test_a_search_of_fewer_values_than_trials_is_less_work() -> None:
    run = a_run(spec__tuning={"trials": 8, "epochsPerTrial": 1, "parameters": PARAMETERS})
    works = {trials: parts_of(run.spec, trials=trials)[0].work for trials in (0, 2, 8, 10**9)}
    assert works == {0: 2, 2: 2, 8: 8, 10**9: 8}
    assert parts_of(run.spec)[0].stage is Stage.TUNING
