"""The note on the output of what has been found: another attempt of the round goes on with the same values."""

from trainingrun_trainer.choosing.found import Note
from trainingrun_trainer.context import Context
from trainingrun_trainer.output.place import Place


def recall(context: Context) -> Note:
    """The note of the round as rank 0 sees it, the same on all ranks."""
    text = _read(context.paths.choices) if context.is_chief else b""
    return Note.decode(context.gang.broadcast_bytes(text))


def write_down(context: Context, note: Note) -> None:
    """Keep the note on the output; rank 0 does.

    Raises TrainerError (OutputFailed).
    """
    if context.is_chief:
        context.paths.choices.write(note.encode())


def _read(choices: Place) -> bytes:
    """The note as it was written, or nothing."""
    try:
        return choices.read()
    except FileNotFoundError:
        return b""
