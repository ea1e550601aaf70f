"""What a run looks like while one watches it."""

import io

from rich.console import Console

from tests.builders import NOON, a_run, stamp
from trainingrun.cli.following import follow
from trainingrun.views.stages import stages_to_show


def test_every_stage_of_a_finished_run_has_a_full_bar() -> None:
    succeeded = {"type": "Succeeded", "status": "True", "reason": "Completed", "lastTransitionTime": stamp(NOON)}
    run = a_run(spec__compression={"pruning": {}, "quantization": {}}, status={"conditions": [succeeded]})
    shown = io.StringIO()
    assert follow([run], console=Console(file=shown, force_terminal=True, no_color=True, width=100)) is run
    full = [line for line in shown.getvalue().splitlines() if "100%" in line]
    assert [stage for stage in stages_to_show(run) if not any(stage in line for line in full)] == []


def test_without_a_terminal_there_is_a_line_for_each_change() -> None:
    waiting = {"type": "Reconciling", "status": "True", "reason": "ClaimNotFound", "lastTransitionTime": stamp(NOON)}
    status = {"columns": {"status": "Waiting"}, "conditions": [{**waiting, "message": "There is no claim [a]."}]}
    shown = io.StringIO()
    follow([a_run(), a_run(), a_run(status=status)], console=Console(file=shown, width=200))
    lines = [line.split("s  ", 1)[1] for line in shown.getvalue().splitlines()]
    assert lines == ["waiting for the operator", "Waiting  There is no claim [a]."]
