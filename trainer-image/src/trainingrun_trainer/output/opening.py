"""From `spec.output` to the place where the run writes."""

from pathlib import Path

from trainingrun.api import Output
from trainingrun.contract import Cause
from trainingrun_trainer.output.objects import ObjectPlace, Store
from trainingrun_trainer.output.place import Place
from trainingrun_trainer.output.volume import VolumePlace
from trainingrun_trainer.remote.access import Access


def open_output(output: Output, *, mount: Path, access: Path) -> Place:
    """The folder of an output; `mount` is where its claim is, `access` where what opens its uri is. Asks nobody yet."""
    claim = output.persistent_volume_claim
    if claim is None:
        location = Access(location=output, field="spec.output", mount=access, unavailable=Cause.OUTPUT_FAILED)
        return ObjectPlace(Store(location))
    place = VolumePlace(mount, f"pvc://{claim.claim_name}")
    return place.join(claim.path) if claim.path else place
