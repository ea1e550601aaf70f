"""The learning rate of a stage in words, and as status has it: what somebody wrote, and what many ranks make of it. Pure."""

import math
from dataclasses import dataclass

from trainingrun.api import Choice, Scaling
from trainingrun.contract import Stage
from trainingrun_trainer.stages.schedule import LEAST_STEPS, Rates


@dataclass(frozen=True)
class Rate:
    """The rates of a stage, and where they come from."""

    stage: Stage
    field: str
    """The one in spec that sets them."""
    rates: Rates
    origin: str = ""
    """After the field's name, where nobody has set it: the rate is a default."""

    @property
    def words(self) -> str:
        """The field, its value, and what that is on all ranks."""
        asked, target = self.rates.one, self.rates.target
        scaled = "" if math.isclose(target, asked, rel_tol=1e-3) else f", which is {target:.3g} on all ranks"
        return f"{self.field}{self.origin} {asked}{scaled}"

    @property
    def choice(self) -> Choice:
        """The rate after warm-up, and how it came about."""
        return Choice(name=f"learningRate.{self.stage}", value=f"{self.rates.target:.3g}", reason=self._reason)

    @property
    def _reason(self) -> str:
        rates = self.rates
        found = f"{self.field}{self.origin} {rates.one}"
        if rates.factor > 1:
            found += f" times {rates.factor:.3g}, {rates.scaling} scaling of {rates.batches} batches in a step"
        if rates.scaling is Scaling.LINEAR and rates.linear < rates.batches:
            found += f", of which {rates.linear:.3g} leave an epoch {LEAST_STEPS} steps: beyond them by the square root"
        if rates.target < rates.one * rates.factor * 0.999:
            found += f", but no more than {rates.target:.3g}"
        if rates.warmup > 0:
            found += f"; the first {rates.warmup} of {rates.steps * rates.epochs} steps rise to it from {rates.first:.3g}"
        return f"{found}."
