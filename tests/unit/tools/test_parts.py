"""Commands side by side: what they tell, and how they end."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cluster.processes import start_time
from tests.waiting import wait_for
from tools.parts import Lane, Part, PartError, line, run

ROOT = Path(__file__).parent.parent.parent.parent
RUN = """
import sys
from pathlib import Path
from tools.parts import Lane, Part, run
folder = Path(sys.argv[1])
run([Lane([Part("waits", ["sh", "-c", f"echo $$ > {folder}/pid; exec sleep 600"])], log=folder / "log")])
"""


def a_part(script: str, *, name: str = "part") -> Part:
    return Part(name, ["sh", "-c", script])


def a_lane(*scripts: str, log: Path) -> Lane:
    return Lane([a_part(script, name=f"part-{number}") for number, script in enumerate(scripts)], log=log)


def test_lanes_run_side_by_side_and_their_parts_one_after_the_other(tmp_path: Path) -> None:
    def meet(mine: str, others: str) -> str:
        """A minute is the longest that it waits for the other lane, which may not begin before this one has ended."""
        return (
            f"touch {tmp_path}/{mine}; for turn in $(seq 1200); do [ -e {tmp_path}/{others} ] && exit; sleep 0.05; done; exit 1"
        )

    one = a_lane(meet("a", "b"), f"mv {tmp_path}/c {tmp_path}/d", log=tmp_path / "one.log")
    other = a_lane(f"touch {tmp_path}/c", meet("b", "a"), log=tmp_path / "other.log")
    run([one, other])
    assert (tmp_path / "d").exists(), "moved when both had met, so after the first part of its lane"


def test_a_part_that_fails_ends_the_others_and_is_told_in_its_own_sentence(tmp_path: Path) -> None:
    fail = f"echo compiled something; until [ -s {tmp_path}/pid ]; do sleep 0.02; done; echo The disk is full. >&2; exit 1"
    failing = a_lane(fail, f"touch {tmp_path}/next", log=tmp_path / "1.log")
    other = a_lane(f"echo $$ > {tmp_path}/pid; exec sleep 600", log=tmp_path / "2.log")
    with pytest.raises(PartError, match=rf"^The disk is full\.\nThe log is {tmp_path}/1\.log$"):
        run([failing, other])
    assert start_time(int((tmp_path / "pid").read_text())) is None
    assert not (tmp_path / "next").exists()
    assert (tmp_path / "1.log").read_text() == "compiled something\nThe disk is full."


def test_a_program_that_is_missing_is_told_too(tmp_path: Path) -> None:
    with pytest.raises(PartError, match="no-such-program"):
        run([Lane([Part("part", ["/no-such-program"])], log=tmp_path / "log")])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_parts_end_with_who_runs_them(number: signal.Signals, tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", RUN, tmp_path], cwd=ROOT, stderr=subprocess.DEVNULL) as running:
        file = tmp_path / "pid"
        pid = int(wait_for(lambda: file.read_text() if file.exists() else "", bool, what="the part", timeout=10, interval=0.05))
        os.kill(running.pid, number)
    wait_for(lambda: start_time(pid), lambda found: found is None, what="the part to end", timeout=5, interval=0.02)


def test_one_line_tells_what_every_lane_does(tmp_path: Path) -> None:
    lanes = [
        Lane([], log=tmp_path, running=a_part("", name="Kubernetes"), said="7 packages compiled"),
        Lane([], log=tmp_path, running=None),
        Lane([], log=tmp_path, running=a_part("", name="trainer image"), said="STEP 2"),
    ]
    assert line(lanes, seconds=61.4) == "    61 s  Kubernetes: 7 packages compiled | trainer image: STEP 2"
