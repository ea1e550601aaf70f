"""Ranks that train on one device, as all do but those on TPUs."""

from contextlib import AbstractContextManager, nullcontext
from typing import Self

from trainingrun_trainer.parallel.gang import Step


class OneDevice:
    """The part of a `Gang` that is about the devices of a rank: its steps run where everything else does."""

    devices = 1

    @property
    def host(self) -> Self:
        """The gang itself."""
        return self

    def scope(self) -> AbstractContextManager[object]:
        """Nothing special."""
        return nullcontext()

    def on_devices(self, step: Step) -> Step:
        """The step itself."""
        return step
