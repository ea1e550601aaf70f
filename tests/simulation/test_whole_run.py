"""What people see of a whole run's progress, from its first report to its end."""

from typing import Any

from tests.simulation.world import World
from trainingrun.contract import Stage

SHIPPED: dict[str, Any] = {
    "spec__workers": {"replicas": 2},
    "spec__training": {"epochs": 10},
    "spec__compression": {"pruning": {"finalSparsities": ["0.5", "0.8"], "epochs": 5}, "quantization": {"mode": "Int8"}},
}
COURSE = (
    *((Stage.TRAINING, 1, 10, epoch) for epoch in range(11)),
    *((Stage.PRUNING, 1, 5, epoch) for epoch in range(6)),
    (Stage.QUANTIZING, 1, 0, 0),
    *((Stage.PRUNING, 2, 5, epoch) for epoch in range(6)),
    (Stage.QUANTIZING, 2, 0, 0),
    (Stage.EVALUATING, 1, 0, 0),
)
"""What such a run reports: stage, the how manieth time, epochs, and those that are done."""


def follow(world: World, *, says_turns: bool = True) -> list[str]:
    """The column PROGRESS after each report of an attempt."""
    shown = []
    for stage, turn, epochs, epoch in COURSE:
        world.wait(10)
        world.report(epoch=epoch, stage=stage, turn=turn * says_turns, epochs=epochs, step=10 * epoch, steps=10 * epochs)
        world.settle()
        columns = world.run().status.columns
        assert columns is not None
        shown.append(columns.progress)
    return shown


def begin(world: World) -> None:
    world.settle()
    world.kubelet()
    world.settle()


def test_a_run_only_goes_forward_and_is_whole_when_it_has_succeeded(world: World) -> None:
    world.apply(**SHIPPED)
    begin(world)
    shown = follow(world)
    percents = [int(text.removesuffix("%")) for text in shown]
    assert percents == sorted(percents)
    assert (shown[0], shown[10], shown[11], shown[-1]) == ("0%", "42%", "44%", "95%")
    world.succeed()
    world.settle()
    status = world.run().status
    assert status.columns is not None
    assert status.progress is not None
    assert (status.columns.progress, status.progress.eta_seconds, status.progress.stage_percent) == ("100%", 0, 100)


def test_an_image_that_does_not_say_which_sparsity_it_is_at_goes_forward_too(world: World) -> None:
    world.apply(**SHIPPED)
    begin(world)
    percents = [int(text.removesuffix("%")) for text in follow(world, says_turns=False)]
    assert percents == sorted(percents)
    assert percents[-1] == 95


def test_an_attempt_that_goes_on_is_behind_by_what_was_lost_and_no_more(world: World) -> None:
    world.apply(**SHIPPED)
    begin(world)
    follow(world)
    world.end_pod(1, code=70, cause="RankKilled", rank=1, signal=9)
    world.end_pod(0, code=69, cause="PeerLost")
    world.settle()
    world.finish_deletions()
    world.settle()
    world.wait(60)
    begin(world)
    world.report(epoch=0, stage=Stage.STARTING)
    world.settle()
    status = world.run().status
    assert status.checkpoint is not None
    assert status.progress is not None
    assert (status.attempt, status.checkpoint.epoch, status.progress.percent) == (2, 10, 42)
