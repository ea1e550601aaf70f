"""Which image archives a cluster has been given, so that none is loaded twice."""

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Loaded:
    """A file of image names and stamps of the archives that they came from."""

    path: Path

    def stamps(self) -> dict[str, str]:
        """The stamp of every image that has been loaded; of none when the file is missing or torn."""
        try:
            remembered: dict[str, str] = json.loads(self.path.read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return remembered

    def write(self, stamps: dict[str, str]) -> None:
        """Replace what is remembered."""
        self.path.write_text(json.dumps(stamps))

    def forget(self) -> None:
        """Remember nothing: the cluster is a new one."""
        self.path.unlink(missing_ok=True)


def stamp_of(archive: Path) -> str:
    """Another one when the file is another one."""
    return f"{archive.stat().st_size} {archive.stat().st_mtime_ns}"
