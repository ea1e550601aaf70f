"""How long stages take, on a clock that is told."""

from collections.abc import Iterator

from trainingrun.contract import Stage
from trainingrun_trainer.stage_clock import StageClock


def test_a_stage_that_comes_again_goes_on() -> None:
    moments: Iterator[float] = iter([10.0, 12.0, 12.0, 15.0, 15.0, 16.0, 16.0, 20.0])
    clock = StageClock(lambda: next(moments))
    for stage in (Stage.PRUNING, Stage.QUANTIZING, Stage.PRUNING):
        clock.begin(stage)
    assert clock.seconds == {Stage.STARTING: 2.0, Stage.PRUNING: 3.0 + 4.0, Stage.QUANTIZING: 1.0}
