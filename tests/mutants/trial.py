"""Run tests in a copy, and say what came of it."""

import asyncio
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tests.mutants.copies import Copy
from tests.mutants.mutant import TRAINER_TESTS, Mutant, MutantError
from tests.patience import patience

LIMIT_SECONDS = 300.0
"""Of the tests of one mutant on a quiet machine."""
TIDY_SECONDS = 20.0
"""What interrupted tests may take to end what they have started; the rest is killed."""

_FAILED = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - (.*))?$", flags=re.MULTILINE)
_PASSED, _FAILURES = 0, 1


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant."""

    mutant: Mutant
    kind: Literal["noticed", "survived", "broken"]
    """Broken: the mutant does not fit, or its tests fail without it, or cannot be run with it."""
    by: str = ""
    """The test that has noticed it, or what is broken."""
    words: str = ""
    """What that test has said."""
    seconds: float = 0.0


@dataclass(frozen=True)
class Finished:
    """How tests have ended."""

    code: int | None
    """Pytest's exit code; None: they have not ended within the limit."""
    output: str

    @property
    def failed(self) -> list[tuple[str, str]]:
        """The tests that have failed, and what they said."""
        return _FAILED.findall(self.output)


async def judge(mutant: Mutant, *, copy: Copy, is_full: bool) -> Verdict:
    """Run the mutant's tests in a copy that has it; `is_full` asks for all tests of its stage when they do not notice."""
    started = time.monotonic()
    try:
        with copy.mutated(mutant):
            finished = await run_tests(copy, mutant.tests, "--exitfirst")
            if finished.code == _PASSED and is_full:
                finished = await run_tests(copy, _stage(mutant), "--exitfirst", limit=20 * LIMIT_SECONDS)
    except (MutantError, subprocess.CalledProcessError) as misfit:
        return Verdict(mutant, "broken", str(misfit))
    seconds = time.monotonic() - started
    if finished.code == _PASSED:
        return Verdict(mutant, "survived", seconds=seconds)
    if finished.code is None:
        return Verdict(mutant, "broken", f"no end within {LIMIT_SECONDS:.0f} s of patience", seconds=seconds)
    if finished.code != _FAILURES or not finished.failed:
        return Verdict(mutant, "broken", f"pytest ended with {finished.code}: {finished.output[-500:]}", seconds=seconds)
    return Verdict(mutant, "noticed", *finished.failed[0], seconds=seconds)


async def failures_without(mutants: Sequence[Mutant], *, copy: Copy, jobs: int) -> dict[str, str]:
    """What is wrong with the tests themselves, by the names of the mutants that they are to notice.

    Raises MutantError when they cannot be run.
    """
    tests = sorted({test for mutant in mutants for test in mutant.tests})
    if not tests:
        return {}
    gone = await _gone(tests, copy=copy)
    if gone:
        wrong = {mutant.name: f"there is no {test}" for mutant in mutants for test in mutant.tests if test in gone}
        left = [mutant for mutant in mutants if mutant.name not in wrong]
        return wrong | await failures_without(left, copy=copy, jobs=jobs)
    spread = (f"--numprocesses={jobs}", "--dist=worksteal") if jobs > 1 else ()
    finished = await run_tests(copy, tests, *spread, limit=LIMIT_SECONDS * len(tests))
    if finished.code not in (_PASSED, _FAILURES):
        raise MutantError(f"The tests cannot be run without any mutant:\n{finished.output[-3000:]}")
    return {
        mutant.name: f"{test} fails without it"
        for mutant in mutants
        for test, _ in finished.failed
        if test.startswith(mutant.tests)
    }


async def _gone(tests: Sequence[str], *, copy: Copy) -> set[str]:
    """The cases of these tests that are not there any more; pytest would run none of the others."""
    cases = {test for test in tests if test.endswith("]")}
    if not cases:
        return set()
    collected = await run_tests(copy, sorted({case.partition("[")[0] for case in cases}), "--collect-only")
    return cases - set(collected.output.splitlines())


async def run_tests(copy: Copy, tests: Sequence[str], *options: str, limit: float = LIMIT_SECONDS) -> Finished:
    """Run tests in their environment; nothing of them runs any more when this returns, also when it is cancelled."""
    environment = ".venv-trainer" if tests[0].startswith(TRAINER_TESTS) else ".venv"
    command = (f"{environment}/bin/python", "-m", "pytest", "-q", "--no-header", "--tb=short", "-p", "no:cacheprovider")
    with tempfile.TemporaryFile() as output:  # a pipe would be waited for as long as anybody holds it
        process = await asyncio.create_subprocess_exec(
            *command,
            *options,
            *tests,
            cwd=copy.folder,
            env=copy.variables,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            await asyncio.wait_for(process.wait(), patience(limit))
        except TimeoutError:
            return Finished(None, "")
        finally:
            if process.returncode is None:
                await _interrupt(process)
            copy.end_processes()
        output.seek(0)
        return Finished(process.returncode, output.read().decode(errors="replace"))


async def _interrupt(process: asyncio.subprocess.Process) -> None:
    """Let tests tidy up and end."""
    process.send_signal(signal.SIGINT)
    try:
        await asyncio.wait_for(process.wait(), TIDY_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()


def _stage(mutant: Mutant) -> tuple[str, ...]:
    """All quick tests of the stage that can run in the mutant's environment."""
    quick = ("-m", "not long")
    if mutant.needs_the_trainer:
        return (TRAINER_TESTS, *quick)
    return ("/".join(mutant.tests[0].split("/")[:2]), f"--ignore={TRAINER_TESTS}", *quick)
