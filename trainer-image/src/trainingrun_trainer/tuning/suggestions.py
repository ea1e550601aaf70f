"""What is tried next: values from Optuna's samplers, none of them twice."""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from trainingrun.api import Algorithm, Scale, SearchParameter, Tuning, number
from trainingrun_trainer.tuning.space import Values, decimal_text, grid, largest, points

TPE_DRAWS = 8
"""Before TPE, which may ask for the best again and again, gives way to chance."""
RANDOM_DRAWS = 32
"""Before chance, which rarely finds the last values of a small space, gives way to their order."""
STARTUP_TRIALS = 10
"""That have ended before TPE believes what it has learned, as Optuna has it; but it counts those that failed, too."""

Point = frozenset[tuple[str, str]]
"""Values of a trial, to be compared with others'."""


def point(values: Mapping[str, str]) -> Point:
    """The values, to be compared with others'."""
    return frozenset(values.items())


class Suggestions:
    """Suggests values that no trial has had. What it does follows from its arguments alone."""

    def __init__(self, tuning: Tuning, *, seed: int) -> None:
        """Raises TrainerError (bad config) for a grid that has no end, or too many points."""
        self._tuning = tuning
        self._seed = seed
        self._grid = grid(tuning) if tuning.algorithm is Algorithm.GRID else []
        self.distributions: dict[str, BaseDistribution] = {each.name: _distribution(each) for each in tuning.parameters}

    def typed(self, values: Mapping[str, str]) -> dict[str, Any]:
        """Values as Optuna has them."""
        return {each.name: _value(each, values[each.name]) for each in self._tuning.parameters}

    def suggest(self, trial: int, *, study: optuna.Study, tried: Collection[Point], failed: int) -> Values:
        """Values for the trial of this number that are not in `tried`: the caller knows of some. `failed` trials had none."""
        if self._grid:
            return self._grid[trial]
        return next(values for values in self._drawn(trial, study, failed=failed) if point(values) not in tried)

    def _drawn(self, trial: int, study: optuna.Study, *, failed: int) -> Iterator[Values]:
        """Each draw has a sampler of its own, its seed made of all numbers: it does not matter which draws came before."""
        for draw in range(TPE_DRAWS + RANDOM_DRAWS):
            seed = _seed(f"{self._seed} {trial} {draw}" if draw else f"{self._seed} {trial}")
            is_random = self._tuning.algorithm is Algorithm.RANDOM or draw >= TPE_DRAWS
            study.sampler = optuna.samplers.RandomSampler(seed=seed) if is_random else _tpe(seed, failed=failed)
            asked = study.ask(self.distributions)
            study.tell(asked, state=optuna.trial.TrialState.FAIL)
            yield {each.name: _text(each, asked.params[each.name]) for each in self._tuning.parameters}
        yield from points(self._tuning)


def _tpe(seed: int, *, failed: int) -> optuna.samplers.BaseSampler:
    # Trials that run count as bad until they end, so that runners which ask meanwhile are not sent to the same place.
    return optuna.samplers.TPESampler(seed=seed, constant_liar=True, n_startup_trials=max(1, STARTUP_TRIALS - failed))


def _seed(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4])


def _distribution(parameter: SearchParameter) -> BaseDistribution:
    if parameter.double is not None:
        bounds = parameter.double
        return FloatDistribution(bounds.minimum, bounds.maximum, log=bounds.scale is Scale.LOG)
    if parameter.int_ is not None:
        whole = parameter.int_
        return IntDistribution(whole.minimum, largest(parameter), log=whole.scale is Scale.LOG, step=whole.step)
    return CategoricalDistribution(parameter.categorical)


def _text(parameter: SearchParameter, value: Any) -> str:
    """A value of Optuna's as it would be written in spec."""
    return decimal_text(value, parameter.double) if parameter.double is not None else str(value)


def _value(parameter: SearchParameter, text: str) -> Any:
    """The inverse."""
    if parameter.double is not None:
        return number(text)
    return int(text) if parameter.int_ is not None else text
