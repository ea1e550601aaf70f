"""Prometheus' own tool: what it makes of rules and expressions, with its own engine."""

import subprocess
from pathlib import Path
from typing import Any

import yaml

from cluster.binaries import GoModule, ensure_extra
from images.cache import cache_folder
from tests.patience import patience

MODULE = GoModule(
    "promtool",
    ("github.com/prometheus/prometheus/cmd/promtool",),
    # Without what finds targets at a score of clouds: no test looks for any.
    flags=("-trimpath", "-ldflags=-s -w", "-tags=remove_all_sd"),
    source=Path(__file__).parent / "go",
)


def build() -> Path:
    """The program; built first, which takes minutes, unless it has been."""
    return ensure_extra(MODULE, cache=cache_folder())["promtool"]


def check_rules(program: Path, rules: Path) -> str:
    """What it says of a file of rules; raises AssertionError when there is a mistake in it."""
    return _run(program, "check", "rules", "--lint=all", "--lint-fatal", str(rules))


def check_config(program: Path, config: Path) -> str:
    """What it says of a configuration of Prometheus; raises AssertionError when there is a mistake in it."""
    return _run(program, "check", "config", "--syntax-only", str(config))


def unit_test(program: Path, content: dict[str, Any], *, folder: Path) -> str:
    """Run a unit test of rules, and return what is wrong; empty when all is as it should be."""
    path = folder / "test.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False, width=200))
    done = _done(program, "test", "rules", str(path))
    return "" if done.returncode == 0 else done.stdout + done.stderr


def _run(program: Path, *arguments: str) -> str:
    done = _done(program, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _done(program: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=patience(120), check=False)
