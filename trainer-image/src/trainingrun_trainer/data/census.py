"""What a data set has, in a line for the log: who does not find the own classes and numbers here has named the wrong folder."""

from collections.abc import Mapping, Sequence

MOST_CLASSES = 10
"""With more, only those with the fewest and the most samples are named."""


def census(counts: Sequence[int], *, names: Sequence[str], parts: Mapping[str, int]) -> str:
    """Samples of each class, and of each part of the data. Classes without names are called by their number."""
    called = list(names) or [str(number) for number in range(len(counts))]
    classes = [f"{name} {count:,}" for name, count in zip(called, counts, strict=True)]
    if len(classes) > MOST_CLASSES:
        order = sorted(range(len(counts)), key=counts.__getitem__)
        classes = [f"from {classes[order[0]]} to {classes[order[-1]]}"]
    held = ", ".join(f"{count:,} for {part}" for part, count in parts.items() if count > 0)
    return f"data: {sum(counts):,} samples of {len(counts)} classes ({', '.join(classes)}); {held}"
