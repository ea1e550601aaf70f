"""Only the newest attempt of a run may publish.

An attempt on a node that was given up may still run when the next one has been started, and both write to the same output. So
each writes only below its own number until it publishes, and announces itself by its folder; an older one looks for such
folders at every checkpoint, and right before each thing that it publishes, and ends when it finds one.

Between that look and the write that follows it there is no protection: a file system has no write on condition. It is the
time of one write, in which a newer attempt would have to begin, train and publish.
"""

from trainingrun.contract import Cause
from trainingrun_trainer.errors import failed
from trainingrun_trainer.settings import OutputPaths


def claim(paths: OutputPaths) -> None:
    """Make this attempt's folder: older attempts see it, and the output is seen to be writable before hours are spent.

    What older ones have left half-written is taken away.

    Raises TrainerError: OutputFailed when it cannot be written, Superseded when a newer attempt has been here.
    """
    paths.attempt.claim()
    require_newest(paths)
    for folder in (paths.run, paths.round):
        folder.tidy()


def require_newest(paths: OutputPaths) -> None:
    """Attempt numbers grow from round to round, so a newer attempt of any round counts.

    Raises TrainerError (Superseded) naming it.
    """
    rounds = (paths.rounds.join(name) for name in paths.rounds.names())
    attempts = (int(name) for folder in rounds for name in folder.names() if name.isdigit())
    newest = max(attempts, default=0)
    own = paths.config.attempt
    if newest > own:
        raise failed(
            f"Attempt {own} ends: attempt {newest} of this run has taken over the output, at {paths.rounds.uri}.",
            cause=Cause.SUPERSEDED,
            hint="Nothing is to be done. The newer attempt goes on from the last checkpoint; see that this one's node is gone.",
        )
