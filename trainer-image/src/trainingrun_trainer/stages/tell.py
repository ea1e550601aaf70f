"""What has been decided from the data is said: in the log, in the status, and in what the run leaves."""

from dataclasses import replace

from trainingrun_trainer.choosing.found import Found
from trainingrun_trainer.context import Context


def tell(context: Context, found: tuple[Found, ...]) -> Context:
    """The context that knows it."""
    context.progress.choices([each.choice for each in found])
    if context.is_chief:
        for each in found:
            print(f"{each.name}: {each.value}. {each.reason}")
    return replace(context, found=found)
