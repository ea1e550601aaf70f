"""`init`: a first manifest for a folder of data on this disk."""

import ast
import itertools
import os
import shlex
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from trainingrun.cli import drawing
from trainingrun.client.errors import UsageError
from trainingrun.client.manifests import to_yaml
from trainingrun.views.beginning import TABLES, Seen, UnknownDataError, begin, name_of

MOST_FILES = 20_000
"""So many tell what the others are."""
_LINES = 3
_LONGEST_LINE = 100_000


def init(data: Path, *, name: str | None, claim: str, path: str | None, output: str) -> None:
    """Print a manifest, and say how to go on. Raises UsageError for a folder that is not there or has no data."""
    if not data.exists():
        raise UsageError(f"There is no {data}: name the folder or file with the data.")
    folder = data if data.is_dir() else data.parent
    files = list(itertools.islice(_files(folder), MOST_FILES)) if data.is_dir() else [data.name]
    place = path if path is not None else name_of(data.resolve().stem)
    try:
        made = begin(_seen(folder, files), name=name or name_of(data.resolve().stem), claim=claim, path=place, output=output)
    except UnknownDataError as unknown:
        raise UsageError(f"{data}: {unknown}") from None
    sys.stdout.write(to_yaml(made.manifest))
    target = f"pvc/{claim}:{place}" if data.is_dir() else f"pvc/{claim}:{place}/{data.name}"
    for note in made.notes:
        drawing.say(note)
    drawing.say("Next:")
    drawing.say(f"  kubectl trainingrun cp {shlex.quote(str(data))} {shlex.quote(target)}")
    drawing.say("  kubectl trainingrun run -f FILE --watch")


def _files(folder: Path) -> Iterator[str]:
    """Paths in a folder, with slashes, in the order of their names; what is hidden is not data."""
    for parent, folders, files in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
        for name in sorted(files):
            if not name.startswith("."):
                yield Path(parent, name).relative_to(folder).as_posix()


def _seen(folder: Path, files: list[str]) -> Seen:
    tables = [name for name in files if Path(name).suffix.lower() in TABLES]
    archives = [name for name in files if name.endswith(".npz")]
    arrays = {name: found for name in archives[:20] if (found := dict(_arrays(folder / name)))}
    return Seen(files, lines={name: _first_lines(folder / name) for name in tables[:20]}, arrays=arrays)


def _first_lines(file: Path) -> list[str]:
    with file.open(encoding="utf-8", errors="replace") as opened:
        return [line.rstrip("\r\n") for _ in range(_LINES) if (line := opened.readline(_LONGEST_LINE))]


def _arrays(file: Path) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Names and shapes, from the headers alone. Source: NumPy's description of its format (numpy.lib.format)."""
    try:
        with zipfile.ZipFile(file) as archive:
            for entry in archive.namelist():
                with archive.open(entry) as opened:
                    magic = opened.read(8)
                    size = int.from_bytes(opened.read(2 if magic[6:7] == b"\x01" else 4), "little")
                    header = ast.literal_eval(opened.read(min(size, 65_536)).decode("latin-1"))
                yield entry.removesuffix(".npy"), tuple(header["shape"])
    except (zipfile.BadZipFile, ValueError, SyntaxError, KeyError, TypeError) as problem:
        raise UsageError(f"{file} is no NPZ file that can be read: {problem}") from problem
