"""What a container may use, by the files of its control groups."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from trainingrun_trainer.resources import memory_limit, processors_per_rank, used_memory

VERSION_1 = ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


@pytest.mark.parametrize(
    ("files", "groups", "expected"),
    [
        ({"memory.max": "2147483648\n"}, "0::/\n", 2147483648),
        ({"memory.max": "max\n", "pods/a/memory.max": "1073741824\n"}, "0::/pods/a\n", 1073741824),
        ({"memory/memory.limit_in_bytes": "536870912\n"}, "9:memory:/\n1:cpu:/\n", 536870912),
        (
            {"memory/memory.limit_in_bytes": "9223372036854771712", "memory/a/memory.limit_in_bytes": "1048576"},
            "5:cpu,memory:/a\n",
            1048576,
        ),
    ],
    ids=["version 2", "version 2, a group below", "version 1", "version 1, a group below"],
)
def test_the_limit_of_the_container_is_that_of_its_control_groups(
    tmp_path: Path, files: dict[str, str], groups: str, expected: int
) -> None:
    write(tmp_path, files)
    (tmp_path / "own").write_text(groups)
    assert memory_limit(mount=tmp_path, own_groups=tmp_path / "own") == expected


def test_without_a_limit_the_machines_memory_is_one(tmp_path: Path) -> None:
    assert 2**28 < memory_limit(mount=tmp_path, own_groups=tmp_path / "none") < 2**46


def test_the_memory_of_this_process_is_what_it_has_written_to() -> None:
    before = used_memory()
    written = b"x" * 2**26
    assert used_memory() - before == pytest.approx(len(written), rel=0.2)


@pytest.mark.parametrize(
    ("files", "ranks", "expected"),
    [
        pytest.param({}, 1, 8, id="no control groups"),
        pytest.param({"cpu.max": "max 100000\n"}, 1, 8, id="no limit"),
        pytest.param({"cpu.max": "250000 100000\n"}, 1, 3, id="a limit that is no whole number"),
        pytest.param({"cpu.max": "400000 100000\n"}, 2, 2, id="a limit for two ranks"),
        pytest.param({"cpu.max": "50000 100000\n"}, 1, 1, id="half a processor"),
        pytest.param({"cpu.max": "200000 100000\n"}, 4, 1, id="more ranks than processors"),
        pytest.param({"cpu.max": "6400000 100000\n"}, 1, 8, id="a limit above what there is"),
        pytest.param({"cpu.max": "max 100000\n", "pods/a/cpu.max": "200000 100000\n"}, 1, 2, id="a group below"),
        pytest.param(dict(zip(VERSION_1, ("-1\n", "100000\n"), strict=True)), 1, 8, id="version 1, no limit"),
        pytest.param(dict(zip(VERSION_1, ("150000\n", "50000\n"), strict=True)), 1, 3, id="version 1, a limit"),
    ],
)
def test_a_rank_has_its_share_in_the_processors_that_the_container_may_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], ranks: int, expected: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)))
    write(tmp_path, files)
    (tmp_path / "own").write_text("0::/pods/a\n")
    assert processors_per_rank(ranks, mount=tmp_path, own_groups=tmp_path / "own") == expected
