"""Whose folder on the output it is: two runs of one name, in two namespaces, may have been given one place.

The first to come leaves a note in the folder. A run of the same name in the same namespace is its successor, and replaces what
it has published. Stores and file systems have no write on condition that all of them know, so that the note is read again
after it has been written, and before anything is published.
"""

from pydantic import ValidationError

from trainingrun.api.base import Tolerant
from trainingrun_trainer.errors import bad_config
from trainingrun_trainer.settings import OutputPaths

NAME = ".owner.json"


class Owner(Tolerant):
    """The run that a folder belongs to."""

    namespace: str
    name: str
    uid: str


def claim(paths: OutputPaths) -> None:
    """Leave the note of this run in its folder.

    Raises TrainerError: bad config when the folder belongs to another run, OutputFailed when the output cannot be written.
    """
    own = _of(paths)
    if require_own(paths) != own:
        paths.run.join(NAME).write(own.model_dump_json().encode())
        require_own(paths)


def require_own(paths: OutputPaths) -> Owner | None:
    """The owner that the folder names, if it names one.

    Raises TrainerError (bad config) when it is not this run.
    """
    owner, run = named(paths), paths.config.run
    if owner is not None and (owner.namespace, owner.name) != (run.namespace, run.name):
        raise bad_config(
            f"{paths.run.uri} belongs to the TrainingRun {owner.namespace}/{owner.name}: this one, {run.namespace}/{run.name}, "
            "would replace what is there.",
            hint="Give spec.output another folder, for example one for each namespace, or give this run another name. If the "
            f"other run is gone for good, remove {paths.run.join(NAME).uri}.",
        )
    return owner


def named(paths: OutputPaths) -> Owner | None:
    """The owner that the folder names; none where there is no note that can be read."""
    try:
        return Owner.model_validate_json(paths.run.join(NAME).read())
    except (FileNotFoundError, ValidationError):
        return None


def _of(paths: OutputPaths) -> Owner:
    run = paths.config.run
    return Owner(namespace=run.namespace, name=run.name, uid=run.uid)
