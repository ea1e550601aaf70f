"""From `spec.output` to the place where the run writes."""

from pathlib import Path

from trainingrun.api import Output
from trainingrun.contract import Cause
from trainingrun_trainer.output.objects import ObjectPlace, Store
from trainingrun_trainer.output.place import Place
from trainingrun_trainer.output.volume import VolumePlace
from trainingrun_trainer.patience import Patience
from trainingrun_trainer.remote.access import Access


def open_output(output: Output, *, mount: Path, access: Path, label: str = "", patience: Patience | None = None) -> Place:
    """The folder of an output; `mount` is where its claim is, `access` where what opens its uri is. Asks nobody yet.

    `label` is that of the attempt that writes there.
    """
    patience = patience or Patience()
    claim = output.persistent_volume_claim
    if claim is None:
        location = Access(location=output, field="spec.output", mount=access, unavailable=Cause.OUTPUT_FAILED)
        return ObjectPlace(Store(location, patience))
    place = VolumePlace(mount, f"pvc://{claim.claim_name}", label=label, patience=patience)
    return place.join(claim.path) if claim.path else place
