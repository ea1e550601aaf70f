"""What a client asks a fork server for, as one message: a module to run, and the world in which it does."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MESSAGE_BYTES = 1 << 20
"""More than the kernel carries in one message."""
MOST_DESCRIPTORS = 16

READ_WHILE_STARTING = (
    *("PYTHON", "LD_", "GLIBC_TUNABLES", "MALLOC_", "LANG", "LC_", "TZ"),
    *("OMP_", "GOMP_", "KMP_", "OPENBLAS_", "MKL_", "NPY_", "BLIS_"),
    *("TF_", "XLA_", "KERAS_", "FSSPEC_"),
)
"""How the names of variables begin that the interpreter, the C library or a framework reads once, when it is loaded."""


@dataclass(frozen=True)
class Order:
    """What to run as `python -m module arguments...`, with standard input, output and error as the first three descriptors."""

    module: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    """All of it."""
    folder: str
    """The current one, which also comes first where modules are looked for."""
    ignored: tuple[int, ...] = ()
    """Signals that the process ignores from its first moment on. All others have the effect that Python gives them."""
    variables: tuple[str, ...] = ()
    """Variables that name the descriptors after the first three, by number."""


def encode(order: Order) -> bytes:
    """As bytes; names and values may be such that only the file system can say them."""
    return json.dumps({**vars(order), "environment": dict(order.environment)}).encode()


def decode(message: bytes) -> Order:
    """The order of a message.

    Raises ValueError when it is none.
    """
    try:
        said: dict[str, Any] = json.loads(message)
        return Order(
            module=said["module"],
            arguments=tuple(said["arguments"]),
            environment=said["environment"],
            folder=said["folder"],
            ignored=tuple(said["ignored"]),
            variables=tuple(said["variables"]),
        )
    except (TypeError, KeyError) as unknown:
        raise ValueError(f"The message is no order: {unknown!r}.") from unknown


def misfit(wanted: Mapping[str, str], *, has: Mapping[str, str]) -> str | None:
    """The first variable, by name, that a process would miss when it is forked from a server with the environment `has`."""
    names = sorted(name for name in {*wanted, *has} if name.startswith(READ_WHILE_STARTING))
    return next((name for name in names if wanted.get(name) != has.get(name)), None)
