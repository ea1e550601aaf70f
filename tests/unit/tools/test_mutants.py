"""`make test-mutants`: its tables fit the code, its copies are copies, and it tells apart what becomes of a mutant."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.mutants.copies import Copy, copy_of
from tests.mutants.mutant import ROOT, Mutant, MutantError, mutants, require_fit
from tests.mutants.table import summary
from tests.mutants.trial import Verdict, failures_without, judge
from tests.waiting import wait_for

LAYOUT = "cluster/layout.py"
NAMES = "tests/unit/cluster/test_cluster.py::test_names_of_interfaces_and_sockets_stay_short_enough"


def a_mutant(find: str, replace: str, *, file: str = LAYOUT, test: str = NAMES) -> Mutant:
    return Mutant(name="m", area="a", file=file, find=find, replace=replace, why="It is wrong.", tests=(test,))


NOTICED = a_mutant("_digest(self.name)[:8]", "_digest(self.name)[:16]")
SURVIVES = a_mutant("at most 15 characters", "at most 15 letters")
BROKEN = a_mutant("import hashlib", "import nothing_of_this_name")


def misfit(mutant: Mutant) -> str:
    try:
        require_fit(mutant)
    except MutantError as problem:
        return str(problem)
    return ""


def test_the_code_and_the_tests_that_mutants_name_are_there() -> None:
    assert [problem for mutant in mutants() if (problem := misfit(mutant))] == []


def test_there_are_enough_of_them_and_each_has_a_name_a_sentence_and_tests_of_one_stage() -> None:
    every = mutants()
    assert len(every) >= 40
    assert [name for name, count in Counter(mutant.name for mutant in every).items() if count > 1] == []
    assert [mutant.name for mutant in every if not mutant.why.endswith(".") or mutant.find == mutant.replace] == []
    assert [mutant.name for mutant in every if len({path.split("/")[1] for path in mutant.tests}) != 1] == []


@pytest.mark.parametrize(
    ("mutant", "words"),
    [
        (a_mutant("no such text", ""), "m: cluster/layout.py has its text 0 times"),
        (a_mutant("return", ""), "times, not once: correct `find` in a.toml"),
        (a_mutant("", "", file="cluster/none.py"), "m: there is no cluster/none.py"),
        (a_mutant("import hashlib", "", test="tests/none.py"), "m: there is no tests/none.py: name the test"),
        (a_mutant("import hashlib", "", test=f"{NAMES}_now"), "_now: name the test that notices it now"),
    ],
)
def test_a_mutant_that_does_not_fit_any_more_is_a_sentence(mutant: Mutant, words: str) -> None:
    assert words in misfit(mutant)


@pytest.fixture(scope="module")
def copy() -> Iterator[Copy]:
    with copy_of() as made:
        yield made


def test_a_mutant_is_in_the_copy_alone_and_goes(copy: Copy) -> None:
    with copy.mutated(NOTICED):
        assert NOTICED.replace in (copy.folder / LAYOUT).read_text()
        assert NOTICED.find in (ROOT / LAYOUT).read_text()
    assert (copy.folder / LAYOUT).read_text() == (ROOT / LAYOUT).read_text()


def test_what_is_generated_from_a_mutant_is_generated_anew_in_the_copy_alone(copy: Copy) -> None:
    crd = "crds/trainingruns.yaml"
    before = (ROOT / crd).read_text()
    rule = "self.schedule.warmupEpochs < self.epochs"
    with copy.mutated(a_mutant(rule, rule.replace("<", "<="), file="sdk/src/trainingrun/api/training.py")):
        assert "self.schedule.warmupEpochs <= self.epochs" in (copy.folder / crd).read_text()
        assert (ROOT / crd).read_text() == before
    assert (copy.folder / crd).read_text() == before


def test_code_from_anywhere_but_the_copy_is_refused(copy: Copy) -> None:
    copy.require_own_code()
    (copy.folder / "elsewhere").mkdir()
    with pytest.raises(MutantError, match="Not of the copy"):
        Copy(copy.folder / "elsewhere").require_own_code()


async def test_a_mutant_is_noticed_or_survives_or_is_broken(copy: Copy) -> None:
    verdicts = [await judge(mutant, copy=copy, is_full=False) for mutant in (NOTICED, SURVIVES, BROKEN)]
    assert [verdict.kind for verdict in verdicts] == ["noticed", "survived", "broken"]
    assert verdicts[0].by == NAMES
    assert await failures_without([NOTICED], copy=copy, jobs=1) == {}


async def test_tests_that_fail_without_a_mutant_say_nothing_about_it(copy: Copy) -> None:
    with copy.mutated(NOTICED):
        assert await failures_without([SURVIVES], copy=copy, jobs=1) == {"m": f"{NAMES} fails without it"}


async def test_a_case_that_is_not_there_any_more_is_named_and_the_others_are_tried(copy: Copy) -> None:
    case = "tests/unit/cluster/test_cluster.py::test_a_name_that_cannot_be_used_is_refused[no such case]"
    gone = replace(SURVIVES, name="gone", tests=(case,))
    assert await failures_without([gone, NOTICED], copy=copy, jobs=1) == {"gone": f"there is no {case}"}


def test_the_table_says_what_became_of_each() -> None:
    verdicts = [Verdict(NOTICED, "noticed", f"{NAMES}[/data]"), Verdict(SURVIVES, "survived")]
    text = summary(verdicts, seconds=3)
    row = "| a | m | It is wrong. | unit | test_cluster.py::test_names_of_interfaces_and_sockets_stay_short_enough |"
    assert row in text
    assert "| a | m | It is wrong. | unit | **survived** |" in text
    assert text.endswith("1 noticed, 1 survived, after 3 s")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_whoever_interrupts_it_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "tests.mutants", "--only", "symptom-taken-for-the-cause"]
    variables = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        command, cwd=ROOT, env=variables, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        wait_for(lambda: works_in(tmp_path), bool, what="tests to run in a copy", timeout=60, interval=0.05)
        running.send_signal(number)
        _, said = running.communicate()
    assert (running.returncode, "nothing is left behind" in said) == (130, True)
    assert (list(tmp_path.glob("trainingrun-mutants-*")), works_in(tmp_path)) == ([], [])


def works_in(folder: Path) -> list[str]:
    """Processes that work in a copy in this folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cwd"):
        try:
            found.append(os.readlink(path))
        except OSError:
            continue
    return [where for where in found if where.startswith(str(folder))]
