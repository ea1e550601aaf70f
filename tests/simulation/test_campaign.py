"""A campaign over specs and over what happens meanwhile: see `campaign/machine.py`.

Hypothesis derives most of its examples from others of the same session, by repeating parts of them. Lives of one run become
poorer by that, so every life has a seed of its own, and is the only one of its session beside the simplest.
"""

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.crd.values import Change
from tests.simulation.campaign.machine import Campaign

STEPS = 50
"""Of one life."""
SHORT, LONG = 12, 200
"""Lives in `make test`, and in `make test-long`."""


def live(number: int) -> None:
    """One life: whatever is applied and happens, its promises are kept, and it ends as one that was created like that."""
    session = settings(
        max_examples=2, stateful_step_count=STEPS, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(seed(number)(Campaign), settings=session)


@pytest.mark.parametrize("number", range(SHORT))
def test_whatever_is_applied_and_happens_a_run_ends_as_one_that_was_created_like_that(number: int) -> None:
    live(number)


@pytest.mark.long
@pytest.mark.parametrize("number", range(SHORT, LONG))
def test_the_same_holds_for_many_more_lives(number: int) -> None:
    live(number)


def test_steps_that_were_printed_are_a_test() -> None:
    state = Campaign()
    state.create(workers=1, restarts=0, labels={}, scheduler=None, changes=[])
    state.attempt_trains(epoch=3)
    state.promises_are_kept()
    state.change(change=Change(path=("spec", "training", "epochs"), value=3))
    state.promises_are_kept()
    state.change_and_run_again(change=Change(path=("spec", "workers", "replicas"), value=3))
    state.promises_are_kept()
    state.workers_succeed()
    state.promises_are_kept()
    state.teardown()
