"""From `spec.data` to samples in memory."""

from pathlib import Path

from trainingrun.api import BuiltinDataset, Data, DataFormat, IDXFiles, NPZArrays, number
from trainingrun_trainer.data import idx, npz
from trainingrun_trainer.data.dataset import Dataset
from trainingrun_trainer.data.feed import InMemory, Split
from trainingrun_trainer.data.parts import part
from trainingrun_trainer.storage import local_folder, open_source

_BUILTIN = {
    BuiltinDataset.MNIST10K: (
        "mnist-10k",
        IDXFiles(images="t10k-images-idx3-ubyte.gz", labels="t10k-labels-idx1-ubyte.gz"),
    )
}


def load(data: Data, *, mount: Path, access: Path, builtin: Path) -> Dataset:
    """Read the samples; `mount` and `access` as for `open_source`, `builtin` is where the image keeps its data sets.

    Raises TrainerError: bad data, or what the server of a uri refuses.
    """
    if data.source.builtin is not None:
        folder, files = _BUILTIN[data.source.builtin]
        return idx.load(local_folder(builtin / folder), images=files.images, labels=files.labels)
    place = open_source(data.source, mount=mount, access=access)
    if data.format is DataFormat.NPZ:
        arrays = data.npz or NPZArrays()
        return npz.load(place, file=arrays.file, images=arrays.images, labels=arrays.labels)
    files = data.idx or IDXFiles()
    return idx.load(place, images=files.images, labels=files.labels)


def load_split(data: Data, *, mount: Path, access: Path, builtin: Path, seed: int) -> tuple[Split, str]:
    """Read and split the samples; also returns the digest of the whole data set."""
    samples = load(data, mount=mount, access=access, builtin=builtin)
    parts = part(
        len(samples),
        validation_fraction=number(data.validation_fraction),
        test_fraction=number(data.test_fraction),
        seed=seed,
    )
    return Split(*(InMemory(samples.take(positions)) for positions in parts)), samples.sha256
