"""The note on the output of what has been found: another attempt of the round goes on with the same values."""

from trainingrun_trainer.choosing.found import Note
from trainingrun_trainer.context import Context
from trainingrun_trainer.output import output_failed, write_whole


def recall(context: Context) -> Note:
    """The note of the round as rank 0 sees it, the same on all ranks."""
    text = b""
    if context.is_chief and context.paths.choices.is_file():
        text = context.paths.choices.read_bytes()
    return Note.decode(context.gang.broadcast_bytes(text))


def write_down(context: Context, note: Note) -> None:
    """Keep the note on the output; rank 0 does.

    Raises TrainerError (OutputFailed).
    """
    if not context.is_chief:
        return
    try:
        write_whole(context.paths.choices, note.encode())
    except OSError as refused:
        raise output_failed(context.paths.choices, refused) from refused
