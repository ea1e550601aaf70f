"""A first manifest for data that lies on a disk: what its names and first lines tell, and notes about what they do not."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from posixpath import basename, splitext
from typing import Any

IMAGES = frozenset([".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".dib", ".gif"])
TABLES = frozenset({".csv", ".tsv", ".data"})
_RECORDS = re.compile(r"\.tfrecords?(-\d+-of-\d+)?$")
_IDX = re.compile(r"(images|labels)[-.]idx[13]-ubyte(\.gz)?$")
_KINDS = ("images", "labels")
_PARTS = {"train": "folder", "training": "folder", "val": "validationFolder", "valid": "validationFolder"}
_LABELS = ("label", "class", "target", "y", "species", "category")
_DELIMITERS = ",;\t|"


@dataclass(frozen=True)
class Seen:
    """What is known of a folder."""

    files: Sequence[str]
    """Their paths in it, with slashes; hidden ones are left out."""
    lines: Mapping[str, Sequence[str]]
    """The first lines of tables, by file."""
    arrays: Mapping[str, Mapping[str, tuple[int, ...]]]
    """Shapes of the arrays in NPZ files, by file and name."""


@dataclass(frozen=True)
class Beginning:
    """A manifest, and sentences for the person who goes on with it."""

    manifest: dict[str, Any]
    notes: tuple[str, ...] = ()


class UnknownDataError(Exception):
    """Nothing in a folder is of a kind that is read; the text says what was found."""


def begin(seen: Seen, *, name: str, claim: str, path: str, output: str) -> Beginning:
    """The manifest of a first run on this data, once it is at a path of a claim. Raises UnknownDataError."""
    data, notes, has_images = _data(seen)
    source = {"persistentVolumeClaim": {"claimName": claim, "path": path}}
    spec = {
        "data": {"source": source, **data, "testFraction": 0.1},
        "model": {"builtin": {"type": "CNN" if has_images else "MLP"}},
        "training": {"epochs": 20, "earlyStopping": {"patience": 5}},
        "compression": {"quantization": {"mode": "Int8"}},
        "output": {"persistentVolumeClaim": {"claimName": output}},
    }
    head = {"apiVersion": "trainingrun.dev/v1alpha1", "kind": "TrainingRun", "metadata": {"name": name}}
    return Beginning({**head, "spec": spec}, tuple(notes))


def name_of(text: str) -> str:
    """A name that Kubernetes takes for a run, made of a folder's: small letters, digits and hyphens, at most 40."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40].strip("-") or "first-run"


def _data(seen: Seen) -> tuple[dict[str, Any], list[str], bool]:
    """`spec.data` without its source, notes, and whether samples are images."""
    files = seen.files
    if any(map(_IDX.search, files)):
        return _idx(files)
    if seen.arrays:
        return _npz(seen.arrays)
    records = [file for file in files if _RECORDS.search(file)]
    if records:
        return _records(records)
    pictures = [file for file in files if splitext(file)[1].lower() in IMAGES]
    if pictures:
        return _folders(pictures)
    if seen.lines:
        return _table(seen.lines)
    kinds = Counter(splitext(file)[1] or basename(file) for file in files).most_common(5)
    found = ", ".join(f"{count} {kind}" for kind, count in kinds) or "nothing"
    raise UnknownDataError(
        f"There is no data of a kind that is read, but {found}: pictures in a folder for each class, .npz, .csv, "
        ".tfrecord and IDX files are read."
    )


def _idx(files: Sequence[str]) -> tuple[dict[str, Any], list[str], bool]:
    named = {kind: [file for file in files if (found := _IDX.search(file)) and found[1] == kind] for kind in _KINDS}
    first = {kind: min(found, key=lambda each: ("train" not in each, each)) for kind, found in named.items() if found}
    missing = [kind for kind in _KINDS if kind not in first]
    notes = [f"There is no IDX file with {kind}: name it in spec.data.idx.{kind}." for kind in missing]
    return {"format": "IDX", "idx": first}, notes, True


def _npz(files: Mapping[str, Mapping[str, tuple[int, ...]]]) -> tuple[dict[str, Any], list[str], bool]:
    file, arrays = max(files.items(), key=lambda item: sum(shape[0] for shape in item[1].values() if shape))
    samples = [name for name, shape in arrays.items() if len(shape) > 1 and shape[-1:] != (1,)]
    inputs = min(samples, key=lambda name: ("train" not in name, not name.lower().startswith(("x", "im")), name), default="")
    count = arrays[inputs][0] if inputs else 0
    others = [name for name, shape in arrays.items() if name != inputs and shape[:1] == (count,)]
    labels = min(others, key=lambda name: ("train" not in name, not name.lower().startswith(("y", "lab")), name), default="")
    notes = []
    if not inputs or not labels:
        shapes = ", ".join(f"{name} {shape}" for name, shape in arrays.items())
        notes.append(f"{file} has {shapes}: name the arrays in spec.data.npz.images and .labels.")
    chosen = {"images": inputs, "labels": labels}
    named = {key: value for key, value in chosen.items() if value}
    return {"format": "NPZ", "npz": {"file": file, **named}}, notes, len(arrays.get(inputs, ())) > 2


def _records(files: Sequence[str]) -> tuple[dict[str, Any], list[str], bool]:
    first, *others = [file for file in files if "train" in basename(file)] or files
    folder, slash, name = first.rpartition("/")
    pattern = folder + slash + (re.sub(r"\d+", "*", name, count=1) if others else name)
    notes = [
        "Features of records have names that only their writer knows: set spec.data.tfRecord.inputKey and .labelKey where they "
        "are not image/encoded and image/class/label.",
        "Pictures of records become 96 x 96: change spec.data.image, or remove it where samples are numbers.",
    ]
    return {"format": "TFRecord", "tfRecord": {"files": pattern}, "image": {"height": 96, "width": 96}}, notes, True


def _folders(pictures: Sequence[str]) -> tuple[dict[str, Any], list[str], bool]:
    paths = [file.split("/") for file in pictures]
    flat = sum(len(path) == 1 for path in paths)
    if flat == len(pictures):
        raise UnknownDataError(
            f"The {flat} pictures lie side by side: put them into a folder for each class, named as the class "
            "(cat/1.jpg, dog/1.jpg)."
        )
    top = {path[0] for path in paths if len(path) > 1}
    parts = {_PARTS[name.lower()]: name for name in sorted(top, reverse=True) if name.lower() in _PARTS}
    notes = ["Pictures become 96 x 96: change spec.data.image."]
    where: dict[str, Any] = {}
    classes = top
    if "folder" in parts:
        where = {"imageFolder": parts}
        classes = {path[1] for path in paths if path[0] == parts["folder"] and len(path) > 2}
    if len(classes) < 2:
        only = " and ".join(sorted(classes)) or "no class"
        raise UnknownDataError(f"There are pictures of {only} only: two classes are the least.")
    if flat:
        notes.append(f"Pictures beside the class folders are left out: {flat}.")
    notes.insert(0, f"{len(classes)} classes: {', '.join(sorted(classes)[:10])}{', ...' if len(classes) > 10 else ''}.")
    return {"format": "ImageFolder", **where, "image": {"height": 96, "width": 96}}, notes, True


def _table(files: Mapping[str, Sequence[str]]) -> tuple[dict[str, Any], list[str], bool]:
    file, lines = min(files.items(), key=lambda item: ("train" not in item[0], item[0]))
    first, *rest = lines or ("",)
    delimiter = max(_DELIMITERS, key=first.count)
    names = [name.strip().strip('"') for name in first.split(delimiter)]
    has_header = bool(rest) and not any(map(_is_number, names))
    if not has_header:
        names = [f"c{place}" for place in range(len(names))]
    label = next((name for wanted in _LABELS for name in names if name.lower() == wanted), names[-1])
    table: dict[str, Any] = {"files": file, "labelColumn": label}
    table |= {} if delimiter == "," else {"delimiter": delimiter}
    table |= {} if has_header else {"header": False}
    texts = (
        []
        if not rest
        else [
            name
            for name, value in zip(names, (rest if has_header else lines)[0].split(delimiter), strict=False)
            if name != label and not _is_number(value)
        ]
    )
    table |= {"categoricalColumns": texts} if texts else {}
    notes = [
        f"The label is the column {label}: change spec.data.csv.labelColumn where it is another of {', '.join(names[:12])}."
    ]
    return {"format": "CSV", "csv": table}, notes, False


def _is_number(text: str) -> bool:
    try:
        float(text.strip().strip('"'))
    except ValueError:
        return False
    return True
