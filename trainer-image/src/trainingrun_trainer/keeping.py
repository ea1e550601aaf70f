"""Which checkpoints stay on the output: `spec.training.checkpoint.keep` of all attempts and rounds together.

Only the newest attempt of a run removes what others have written; see `fence`. Older attempts are looked at once, after this
attempt's first checkpoint is safe, and until nothing is left of theirs.
"""

from collections.abc import Iterator

from trainingrun_trainer import checkpoint as checkpoints
from trainingrun_trainer.checkpoint import Checkpoint
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.output.place import Place
from trainingrun_trainer.settings import OutputPaths


class Keeper:
    """Writes the checkpoints of one course of an attempt, and removes those that nobody will go on from."""

    def __init__(self, paths: OutputPaths, states: Place, *, keep: int) -> None:
        """`states` has a folder for each attempt of the round."""
        self._own = states.join(str(paths.config.attempt))
        self._states, self._paths, self._keep = states, paths, keep
        self._is_alone = False
        """Whether no older attempt has a checkpoint."""

    def save(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint.

        Raises TrainerError (OutputFailed) when the output is full or cannot be written.
        """
        own = checkpoints.save(checkpoint, folder=self._own, keep=self._keep)
        if self._is_alone:
            return
        attempt = self._paths.config.attempt
        room = self._keep - own
        for older in _attempts(self._states, before=attempt):
            room -= checkpoints.prune(older, keep=max(0, room))
        for states in _earlier_rounds(self._paths):
            for older in _attempts(states, before=attempt):
                checkpoints.prune(older, keep=0)
        self._is_alone = own >= self._keep


def retire(paths: OutputPaths, *, keep: int) -> None:
    """The round has published: of its training `keep` checkpoints stay, of what came after it and of other rounds none.

    The result is there, so that a failure is said and changes nothing.
    """
    try:
        for attempt in _attempts(paths.round, before=paths.config.attempt + 1):
            keep -= checkpoints.prune(attempt, keep=max(0, keep))
        courses = (paths.round.join(name) for name in paths.round.names() if not name.isdigit())
        for states in (*courses, *_earlier_rounds(paths)):
            for attempt in _attempts(states, before=paths.config.attempt + 1):
                checkpoints.prune(attempt, keep=0)
    except TrainerError as problem:
        print(f"Checkpoints that nobody needs any more stay at {paths.rounds.uri}: {problem}")


def _attempts(states: Place, *, before: int) -> Iterator[Place]:
    """The folders of attempts with lower numbers, the newest first."""
    numbers = (int(name) for name in states.names() if name.isdigit())
    for number in sorted((number for number in numbers if number < before), reverse=True):
        yield states.join(str(number))


def _earlier_rounds(paths: OutputPaths) -> Iterator[Place]:
    """The places where attempts of earlier rounds have their folders, of every course."""
    earlier = (name for name in paths.rounds.names() if name.isdigit() and int(name) < paths.config.round)
    for round_folder in map(paths.rounds.join, earlier):
        yield round_folder
        yield from (round_folder.join(name) for name in round_folder.names() if not name.isdigit())
