"""A copy of the working tree, in which mutants live while the tree itself stays as it is.

The virtual environments are the tree's own. Our packages are installed in them as links to the tree, so the copy's sources go
before them; `Copy.require_own_code` sees that they do.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cluster.processes import end
from tests.mutants.mutant import ROOT, Mutant, MutantError

ENVIRONMENTS = (".venv", ".venv-trainer")
_SOURCES = ("sdk/src", "operator/src", "trainer-image/src")
_PACKAGES = ("trainingrun", "trainingrun_operator", "trainingrun_trainer")
_WHERE = f"import importlib.util as u; [print(p, *u.find_spec(p).submodule_search_locations) for p in {_PACKAGES}]"


@dataclass(frozen=True)
class Copy:
    """A folder with all files of the tree that git would keep."""

    folder: Path

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment of what runs in the copy. No bytecode: that of a mutant must not be taken for the original's."""
        path = os.pathsep.join(str(self.folder / source) for source in _SOURCES)
        return {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "250"}

    @contextmanager
    def mutated(self, mutant: Mutant) -> Iterator[None]:
        """The copy with a mutant, and what is generated from the code written anew, while the context lasts."""
        path = self.folder / mutant.file
        original = path.read_text()
        path.write_text(mutant.apply(original))
        try:
            self._generate(mutant)
            yield
        finally:
            path.write_text(original)
            self._generate(mutant)

    def require_own_code(self) -> None:
        """Raises MutantError when Python would take a package from anywhere but the copy."""
        command = [sys.executable, "-c", _WHERE]
        found = subprocess.run(command, cwd=self.folder, env=self.variables, capture_output=True, text=True, check=True)
        strangers = [line for line in found.stdout.splitlines() if not line.partition(" ")[2].startswith(f"{self.folder}/")]
        if strangers:
            raise MutantError(f"Not of the copy in {self.folder}: {', '.join(strangers)}.")

    def end_processes(self) -> None:
        """End what tests have left behind: it works in the copy, as they did."""
        end([pid for pid in _pids() if _is_within(pid, self.folder)], grace=0)

    def _generate(self, mutant: Mutant) -> None:
        """The CRDs and their reference follow from the API."""
        if mutant.file.startswith("sdk/"):
            command = [sys.executable, "-m", "tools.generate"]
            subprocess.run(command, cwd=self.folder, env=self.variables, stdout=subprocess.DEVNULL, check=True)


@contextmanager
def copy_of(root: Path = ROOT) -> Iterator[Copy]:
    """A copy of the tree; it and all that works in it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="trainingrun-mutants-", ignore_cleanup_errors=True) as temporary:
        copy = Copy(Path(temporary).resolve())
        _fill(copy.folder, root=root)
        try:
            copy.require_own_code()
            yield copy
        finally:
            copy.end_processes()


def _fill(folder: Path, *, root: Path) -> None:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in filter(None, names):
        if (root / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, folder / name)
    for name in ENVIRONMENTS:
        (folder / name).symlink_to(root / name)


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]


def _is_within(pid: int, folder: Path) -> bool:
    try:
        return Path(os.readlink(f"/proc/{pid}/cwd").removesuffix(" (deleted)")).is_relative_to(folder)
    except OSError:
        return False
