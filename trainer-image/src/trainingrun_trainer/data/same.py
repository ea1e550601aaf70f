"""Whether all ranks, and all attempts of a round, train on the same samples and hold out the same ones.

Data that has changed is divided in another way: a network would be judged on samples that it has been trained on.
"""

import hashlib
from collections.abc import Iterable

from trainingrun_trainer.data.parts import Parts
from trainingrun_trainer.errors import bad_data
from trainingrun_trainer.parallel.exchange import gather_bytes
from trainingrun_trainer.parallel.gang import Gang

_SHOWN = 12
"""Digits of a digest in a sentence."""


def digest(data: str, parts: Parts, *, without: Iterable[int] = ()) -> str:
    """Of data with this digest, of what is held out of it, and of the positions of samples that are left out."""
    whole = hashlib.sha256(f"{data} {sorted(without)}".encode())
    for positions in parts:
        whole.update(len(positions).to_bytes(8, "little"))
        whole.update(positions.tobytes())
    return whole.hexdigest()


def require_same_on_all_ranks(gang: Gang, sha256: str) -> None:
    """Raises TrainerError (bad data) on all ranks when one has other data than rank 0. All ranks must call this."""
    first, *others = (each.decode() for each in gather_bytes(gang, sha256.encode()))
    different = [rank for rank, other in enumerate(others, start=1) if other != first]
    if different:
        raise bad_data(
            f"Rank {different[0]} of {gang.size} has read other data than rank 0, or divides it in another way: its digest is "
            f"{others[different[0] - 1][:_SHOWN]}, that of rank 0 {first[:_SHOWN]}. "
            f"{len(different)} ranks differ from rank 0.",
            hint="Wait until the data is written, see that all nodes mount the same folder, and set spec.rerun to a new value.",
        )


def require_same_data(before: str, *, now: str, where: str) -> None:
    """Raises TrainerError (bad data) when the checkpoints at `where` were made with other data."""
    if before != now:
        raise bad_data(
            f"The data has changed since the checkpoint at {where} was written: its digest was {before[:_SHOWN]}, and is "
            f"{now[:_SHOWN]}. Going on would validate on samples that have been trained on.",
            hint="Set spec.rerun to a new value to begin anew with the data as it is now.",
        )
