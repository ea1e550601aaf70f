"""What a run may name: everything exists that is not hidden, whatever name was generated."""

from typing import Any

from tests.builders import a_claim
from tests.simulation.world import Object
from trainingrun_operator.model import Reference


class Claims(dict[str, Object]):
    """Every claim, but for those that are hidden; some can be mounted on one node only."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        mode = "ReadWriteOnce" if name.startswith("d") else "ReadWriteMany"
        return default if name in self.hidden else a_claim(name, modes=(mode,))


class Objects(set[Reference]):
    """Every Secret and ConfigMap of the user, but for those that are hidden."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden: set[str] = set()

    def __contains__(self, reference: object) -> bool:
        assert isinstance(reference, Reference)
        return reference.name not in self.hidden
