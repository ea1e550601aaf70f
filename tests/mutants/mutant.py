"""A mutant: one small wrong change of the code, as a tired colleague would make it, and the tests that must notice it."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
TRAINER_TESTS = "tests/unit/trainer"
"""The tests that need the trainer's environment."""
NEED_A_CLUSTER = ("schema", "faults", "cluster-test", "e2e")
"""Stages of `make test` that are run one after the other, because they share a cluster or this machine's network."""

_STAGES = {"cluster": "cluster-test"}
"""Stages that are not called as the folder of their tests."""


class MutantError(Exception):
    """A mutant that does not fit the code or the tests any more; the text says what to mend in its table."""


@dataclass(frozen=True)
class Mutant:
    """What is changed, why that is wrong, and who notices."""

    name: str
    area: str
    """Name of the table that it is in."""
    file: str
    find: str
    """What is there now, exactly once in the file."""
    replace: str
    why: str
    """What goes wrong with it, as a sentence."""
    tests: tuple[str, ...]
    """Files or tests, as pytest takes them."""

    @property
    def stage(self) -> str:
        """The stage of `make test` whose tests notice it."""
        folder = self.tests[0].split("/")[1]
        return _STAGES.get(folder, folder)

    @property
    def needs_a_cluster(self) -> bool:
        """Whether nothing but a cluster shows it."""
        return self.stage in NEED_A_CLUSTER

    @property
    def needs_the_trainer(self) -> bool:
        """Whether its tests need TensorFlow and Horovod."""
        return self.tests[0].startswith(TRAINER_TESTS)

    def apply(self, text: str) -> str:
        """The file with the change. Raises MutantError unless what is to be changed is there once."""
        found = text.count(self.find)
        if found != 1:
            raise MutantError(
                f"{self.name}: {self.file} has its text {found} times, not once: correct `find` in {self.area}.toml."
            )
        return text.replace(self.find, self.replace)


def mutants(folder: Path = HERE) -> tuple[Mutant, ...]:
    """All mutants, in the order of the tables."""
    return tuple(mutant for table in sorted(folder.glob("*.toml")) for mutant in _read(table))


def require_fit(mutant: Mutant, *, root: Path = ROOT) -> None:
    """Raises MutantError when the code or a test that the mutant names is not there any more."""
    if not (root / mutant.file).is_file():
        raise MutantError(f"{mutant.name}: there is no {mutant.file}.")
    mutant.apply((root / mutant.file).read_text())
    for test in mutant.tests:
        path, _, function = test.partition("::")
        if not (root / path).exists() or (function and f"def {function.partition('[')[0]}(" not in (root / path).read_text()):
            raise MutantError(f"{mutant.name}: there is no {test}: name the test that notices it now.")


def _read(table: Path) -> list[Mutant]:
    entries = tomllib.loads(table.read_text())
    return [Mutant(name=name, area=table.stem, **{**entry, "tests": tuple(entry["tests"])}) for name, entry in entries.items()]
