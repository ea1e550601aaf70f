"""The agent's entry point, PID 1 of every worker pod: `python -m trainingrun_trainer`."""

import os
import sys
import traceback
from functools import partial

from trainingrun.contract import AttemptConfig, Cause, ExitCode, FinalRecord
from trainingrun_trainer import owner
from trainingrun_trainer.agent.logbook import Logbook
from trainingrun_trainer.agent.termination import encode
from trainingrun_trainer.agent.worker import Worker
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.settings import OutputPaths, Settings


def main() -> int:
    """Run one worker and leave its final record, whatever happens; returns the exit code."""
    os.umask(0o002)  # the next run on the output may be another user of the volume's group
    settings = Settings.from_environment()
    try:
        config = settings.load_config()
    except TrainerError as problem:
        print(problem, file=sys.stderr)
        _leave(
            FinalRecord(
                attempt=0,
                worker=settings.worker,
                exit_code=problem.exit_code,
                cause=problem.cause,
                message=str(problem),
                hint=problem.hint,
            ),
            settings=settings,
        )
        return problem.exit_code
    logbook = Logbook()
    record = _live(config, settings=settings, logbook=logbook)
    _leave(record, settings=settings)
    # Last: an output that does not answer must not cost the record. The record is read when this process has ended, so one that
    # has failed on the output does not try it again for minutes: its peers, which only lost it, would have spoken first.
    if record.cause == Cause.OUTPUT_FAILED:
        logbook.discard()
    else:
        paths = OutputPaths.of(config, settings=settings)
        logbook.save(paths.log(settings.worker), permit=partial(owner.require_own, paths))
    return record.exit_code


def _live(config: AttemptConfig, *, settings: Settings, logbook: Logbook) -> FinalRecord:
    try:
        return Worker(config, settings=settings, logbook=logbook).run()
    except Exception as problem:  # the agent must have a last word even about its own defects
        logbook.write(traceback.format_exc())
        return FinalRecord(
            attempt=config.attempt,
            worker=settings.worker,
            exit_code=ExitCode.INTERNAL,
            cause=Cause.INTERNAL,
            message=f"The agent of worker {settings.worker} failed: {problem!r}.",
            log_tail=logbook.tail(),
        )


def _leave(record: FinalRecord, *, settings: Settings) -> None:
    try:
        settings.termination_message.write_bytes(encode(record))
    except OSError as problem:
        print(f"The termination message could not be written: {problem}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
