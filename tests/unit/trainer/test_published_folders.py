"""Image folders as they are published, and as they lie on disks: the form is theirs, the content is made here."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.png import png
from tests.unit.trainer.kinds_of_images import COLOURS, NUMBERS, PALETTE, gif, jpeg
from tests.unit.trainer.stages_alone import alone
from tests.unit.trainer.writing import CLAIM
from trainingrun_trainer.data.dataset import Dataset
from trainingrun_trainer.data.source import open_data

HOW_TO = Path(__file__).parents[3] / "docs" / "how-to" / "data.md"
SIZE = {"height": 4, "width": 6, "channels": 3}


def put(folder: Path, **files: bytes) -> None:
    """Files in a folder; two underscores stand for a slash."""
    for name, content in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def imagenette(folder: Path) -> None:
    """Parts with classes named by WordNet, a grey image among them, a table beside."""
    put(folder, **{"noisy_imagenette.csv": b"path\n", ".DS_Store": b"x", "train__.DS_Store": b"x"})
    for part in ("train", "val"):
        for name in ("n01440764", "n02102040"):
            put(folder, **{f"{part}__{name}__ILSVRC2012_val_00000293.JPEG": jpeg(COLOURS)})
            put(folder, **{f"{part}__{name}__{name}_9402.JPEG": jpeg(COLOURS[..., :1])})


def pets(folder: Path) -> None:
    """The class in the names of files, which are not all what they are called; made class folders of as the how-to says."""
    put(folder, **{"annotations__trimaps__Abyssinian_1.png": png(COLOURS, colour=2), "images__Abyssinian_100.mat": b"MATLAB"})
    for name, content in {"1": jpeg(COLOURS), "34": gif(NUMBERS, PALETTE), "5": png(COLOURS, colour=2)}.items():
        put(folder, **{f"images__Abyssinian_{name}.jpg": content, f"images__great_pyrenees_{name}.jpg": content})
    (line,) = [line for line in HOW_TO.read_text().splitlines() if line.startswith("cd images && for file")]
    subprocess.run(["bash", "-ec", line], cwd=folder, check=True)


def flowers(folder: Path) -> None:
    """At the root of a claim, after a NAS, Windows, a Mac and a notebook have looked at it."""
    put(
        folder,
        **{"LICENSE.txt": b"CC", "lost+found__1.jpg": b"", "System Volume Information__a": b"", "$RECYCLE.BIN__1.jpg": b""},
    )
    (folder / "__MACOSX" / "daisy").mkdir(parents=True)
    (folder / "__MACOSX" / "daisy" / "._1.jpg").write_bytes(b"")
    for name in ("daisy", "tulips"):
        put(folder, **{f"{name}__{number}_f52e8ee070_n.jpg": jpeg(COLOURS) for number in range(2)})
        put(
            folder,
            **{
                f"{name}__@eaDir__SYNOPHOTO_THUMB_M.jpg": b"",
                f"{name}__Thumbs.db": b"",
                f"{name}__.ipynb_checkpoints__a.jpg": b"",
            },
        )


PUBLISHED: dict[str, tuple[Callable[[Path], None], dict[str, Any], int, dict[str, int]]] = {
    "Imagenette": (
        imagenette,
        {"imageFolder": {"folder": "train", "validationFolder": "val"}},
        8,
        {"hidden files": 1},
    ),
    "Oxford-IIIT Pet": (pets, {"imageFolder": {"folder": "classes"}}, 6, {}),
    "flowers": (
        flowers,
        {},
        4,
        {
            "folders of file systems, NAS boxes or archivers": 6,
            "hidden folders": 2,
            "files ending in .db": 2,
            "files beside the class folders": 1,
        },
    ),
}


@pytest.mark.parametrize(("write", "data", "count", "left_out"), PUBLISHED.values(), ids=PUBLISHED)
def test_published_folders_are_read_as_they_are(
    tmp_path: Path, write: Callable[[Path], None], data: dict[str, Any], count: int, left_out: dict[str, int]
) -> None:
    folder = tmp_path / "data"
    write(folder)
    spec = {"source": CLAIM, "format": "ImageFolder", "image": SIZE, **data}
    opened = open_data(alone(tmp_path, environment={"TRAININGRUN_DATA_MOUNT": str(folder)}, data=spec).context)
    assert not isinstance(opened, Dataset)
    assert (len(opened), opened.classes) == (count, 2)
    assert {each.kind: each.count for each in opened.left_out} == left_out
    pixels = opened.decode(opened.read(np.arange(count)), positions=np.arange(count))
    assert np.abs(pixels[0].astype(int) - COLOURS).max() <= 10
