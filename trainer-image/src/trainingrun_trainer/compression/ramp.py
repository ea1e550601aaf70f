"""When masks are updated. Pure.

The sparsity rises along a cubic curve, steep at first: Zhu and Gupta, "To prune, or not to prune",
https://arxiv.org/abs/1710.01878.
"""

from dataclasses import dataclass

RAMP_SHARE = 0.3
"""Of all steps, in which the sparsity rises. In the others the weights that are left make up for those that are gone, which
needs steps, and a learning rate that has not fallen yet."""
FEWEST_UPDATES = 10


@dataclass(frozen=True)
class Ramp:
    """The steps, counted from 0, in which masks are updated: 0, `frequency`, 2 * `frequency` and so on up to `end`."""

    end: int
    """A multiple of `frequency`: the last update is the one that reaches the final sparsity."""
    frequency: int


def ramp(steps: int, *, frequency: int) -> Ramp:
    """The ramp of a fine-tuning of `steps` steps that asks for an update every `frequency` steps.

    There are at least ten updates, or one per step where the ramp has fewer steps than that.
    """
    length = max(1, int(steps * RAMP_SHARE))
    spacing = max(1, min(frequency, length // FEWEST_UPDATES))
    return Ramp(end=length // spacing * spacing, frequency=spacing)
