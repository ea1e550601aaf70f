"""That deadlines follow the machine, which is measured once for a session and all its processes."""

import os
import subprocess
import sys

from tests.patience import MARGIN, VARIABLE, patience, stretch

SAY = "from tests.patience import patience; print(patience(10))"


def said(environment: dict[str, str]) -> float:
    return float(
        subprocess.run([sys.executable, "-c", SAY], env=environment, capture_output=True, text=True, check=True).stdout
    )


def test_a_slow_machine_is_waited_for_longer() -> None:
    assert said({**os.environ, VARIABLE: "2.5"}) == 10 * MARGIN * 2.5


def test_no_machine_is_waited_for_less_than_a_quiet_one() -> None:
    unmeasured = {name: value for name, value in os.environ.items() if name != VARIABLE}
    assert said(unmeasured) >= 10 * MARGIN


def test_the_processes_of_a_session_inherit_what_was_measured() -> None:
    assert os.environ[VARIABLE] == f"{stretch():.2f}"
    assert said(dict(os.environ)) == patience(10)
