"""`make test-mutants`: every small wrong change of the tables here is noticed by the tests that it names.

python -m tests.mutants                       # all
python -m tests.mutants --stage unit          # those that the tests of one stage notice
python -m tests.mutants --only NAME           # one, by its name
python -m tests.mutants --full                # where the named tests notice nothing: all of their stage
"""

import argparse
import asyncio
import itertools
import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack

from tests.mutants.copies import Copy, copy_of
from tests.mutants.mutant import ROOT, Mutant, MutantError, mutants, require_fit
from tests.mutants.table import progress, summary
from tests.mutants.trial import Verdict, failures_without, judge
from tests.patience import stretch


def main(arguments: list[str] | None = None) -> int:
    """Try mutants, print what became of them, and return the exit code: 1 when one survived or is broken."""
    options = _parser().parse_args(arguments)
    chosen = [each for each in mutants() if _is_chosen(each, options)]
    if not chosen:
        print("No mutant has this name or is noticed in this stage.", file=sys.stderr)
        return 64
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts in the background does not hear it, else
    stretch()
    started = time.monotonic()
    try:
        verdicts = asyncio.run(_try(chosen, jobs=options.jobs, is_full=options.full))
    except MutantError as problem:
        print(problem, file=sys.stderr)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("Interrupted: nothing was changed in the tree, and nothing is left behind.", file=sys.stderr)
        return 130
    print(summary(verdicts, seconds=time.monotonic() - started))
    return 0 if all(verdict.kind == "noticed" for verdict in verdicts) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutants", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", action="append", metavar="NAME", help="a mutant; may be given several times")
    parser.add_argument("--stage", action="append", help="a stage of `make test`; may be given several times")
    parser.add_argument("--full", action="store_true", help="run all of a stage when the named tests notice nothing")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="mutants at the same time; default: processors")
    return parser


def _is_chosen(mutant: Mutant, options: argparse.Namespace) -> bool:
    return (not options.only or mutant.name in options.only) and (not options.stage or mutant.stage in options.stage)


async def _try(chosen: Sequence[Mutant], *, jobs: int, is_full: bool) -> list[Verdict]:
    """The verdicts: first on those that need no cluster, several at a time, then on the others, one after the other."""
    task = asyncio.current_task()
    assert task is not None, "a coroutine runs in a task"
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    verdicts: list[Verdict] = []
    with ExitStack() as copies:
        places = [copies.enter_context(copy_of()) for _ in range(jobs)]
        for needs_a_cluster in (False, True):
            group = [mutant for mutant in chosen if mutant.needs_a_cluster is needs_a_cluster]
            if group and needs_a_cluster:
                await _start_cluster()
            here = places[:1] if needs_a_cluster else places
            fitting = await _fitting(group, copies=here, verdicts=verdicts)
            await _judge_all(fitting, copies=here, is_full=is_full, verdicts=verdicts)
    return verdicts


async def _start_cluster() -> None:
    """By the code of the tree: no mutant shall make what the tests share. Raises MutantError when it does not start."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "cluster", "up", cwd=ROOT)
    if await process.wait() != 0:
        raise MutantError("The cluster does not start, and some mutants are noticed in one only.")


async def _fitting(group: Sequence[Mutant], *, copies: Sequence[Copy], verdicts: list[Verdict]) -> list[Mutant]:
    """Those whose text is found and whose tests pass without them; the others are broken."""
    wrong: dict[str, str] = {}
    for mutant in group:
        try:
            require_fit(mutant)
        except MutantError as misfit:
            wrong[mutant.name] = str(misfit)
    for needs_the_trainer in (False, True):
        here = [each for each in group if each.needs_the_trainer is needs_the_trainer and each.name not in wrong]
        if here:
            print(f"the tests of {len(here)} mutants, without them", flush=True)
            wrong |= await failures_without(here, copy=copies[0], jobs=len(copies))
    verdicts += [Verdict(mutant, "broken", wrong[mutant.name]) for mutant in group if mutant.name in wrong]
    return [mutant for mutant in group if mutant.name not in wrong]


async def _judge_all(group: Sequence[Mutant], *, copies: Sequence[Copy], is_full: bool, verdicts: list[Verdict]) -> None:
    """Take one mutant after the other, in each copy one at a time."""
    left, done = list(reversed(group)), itertools.count(1)

    async def work(copy: Copy) -> None:
        while left:
            verdict = await judge(left.pop(), copy=copy, is_full=is_full)
            verdicts.append(verdict)
            print(progress(verdict, number=next(done), of=len(group)), flush=True)

    async with asyncio.TaskGroup() as workers:
        for copy in copies:
            workers.create_task(work(copy))


if __name__ == "__main__":
    sys.exit(main())
