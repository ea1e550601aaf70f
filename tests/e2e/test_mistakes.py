"""What users get wrong with their data and their networks: a sentence in the status of the run, at once, and no second try.

Each sentence, and that it is never tried again, is told by the trainer's unit tests (`test_formats.py`, `test_entrypoint.py`);
its way into the status is the same for all: `make test` sends one mistake of each kind on that way, and `make test-long` all.
"""

import struct
import zlib
from collections.abc import Mapping
from typing import Any

import pytest

from tests.e2e.conftest import SMALL, Playground, put

CODE = """
import tf_keras

def raises(input_shape, classes, parameters):
    return tf_keras.Sequential([tf_keras.layers.Dense(parameters["units"])])

def nothing(input_shape, classes, parameters):
    tf_keras.Sequential([tf_keras.Input(input_shape), tf_keras.layers.Flatten(), tf_keras.layers.Dense(classes)])

def too_few(input_shape, classes, parameters):
    return tf_keras.Sequential([tf_keras.Input(input_shape), tf_keras.layers.Flatten(), tf_keras.layers.Dense(classes - 1)])

def compiled(input_shape, classes, parameters):
    network = tf_keras.Sequential([tf_keras.Input(input_shape), tf_keras.layers.Flatten(), tf_keras.layers.Dense(classes)])
    network.compile()
    return network
"""


def png(*, size: int) -> bytes:
    """A black square."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" * (size + 1) for _ in range(size)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


TWENTY = {f"{kind}/{number}.png": png(size=28) for kind in ("cat", "dog") for number in range(10)}

FOLDERS: dict[str, Mapping[str, bytes]] = {
    "empty-class": {**TWENTY, "fox/notes.txt": b"to come"},
    "unequal": {**TWENTY, "dog/large.png": png(size=32)},
    "truncated": {**TWENTY, "dog/half.jpg": b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"},
    "one-class": {name: content for name, content in TWENTY.items() if name.startswith("cat")},
    "one-sample": {"table.csv": b"a,label\n1,x\n"},
    "nan-label": {"table.csv": b"a,label\n1,0\n2,1\n3,NaN\n" + b"4,1\n" * 20},
}
IMAGES = {"format": "ImageFolder"}
TABLE = {"format": "CSV", "csv": {"labelColumn": "label"}}

MISTAKES: dict[str, tuple[dict[str, Any], str, str]] = {
    "empty-class": ({"data": IMAGES}, "BadData", "fox"),
    "unequal": ({"data": IMAGES}, "BadData", "dog/large.png"),
    "truncated": ({"data": IMAGES}, "BadData", "dog/half.jpg"),
    "one-class": ({"data": IMAGES}, "BadData", "two classes"),
    "one-sample": ({"data": TABLE}, "BadData", "two classes"),
    "nan-label": ({"data": TABLE}, "BadData", "line 4"),
    "raises": ({"function": "raises"}, "BadConfig", "KeyError: 'units'"),
    "nothing": ({"function": "nothing"}, "BadConfig", "None"),
    "too-few": ({"function": "too_few"}, "BadConfig", "9"),
    "compiled": ({"function": "compiled"}, "BadConfig", "compile"),
    "no-module": ({"function": "other:build"}, "BadConfig", "other"),
}


ONE_OF_EACH_KIND = ("unequal", "nan-label", "raises")
CASES = [pytest.param(name, marks=() if name in ONE_OF_EACH_KIND else pytest.mark.long) for name in MISTAKES]


@pytest.fixture(scope="module")
def failures(
    playground: Playground, digits: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> dict[str, Any]:
    """The status of every mistaken run that a test asks for, as it ends; they all run at the same time."""
    cases = [item for item in request.session.items if isinstance(item, pytest.Function) and item.path == request.path]
    asked = [str(case.callspec.params["name"]) for case in cases]
    folder = tmp_path_factory.mktemp("mistakes")
    for case, files in FOLDERS.items():
        for path, content in files.items():
            target = folder / case / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    put(playground, folder, path="mistakes")
    code = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "code"}, "data": {"mine.py": CODE}}
    playground.kubectl.apply(code)
    for name in asked:
        playground.start(name, **_spec(name, MISTAKES[name][0]))
    return {name: playground.wait_until_finished(name, timeout=420).status for name in asked}


def _spec(name: str, change: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "spec__workers": {"replicas": 1, "resources": SMALL},
        "spec__recovery": {"maximumRestarts": 0},
    }
    if "function" in change:
        function = change["function"] if ":" in change["function"] else f"mine:{change['function']}"
        return {**spec, "spec__model": {"entrypoint": {"function": function, "configMapName": "code"}}}
    source = {"persistentVolumeClaim": {"claimName": "datasets", "path": f"mistakes/{name}"}}
    return {**spec, "spec__data": {"source": source, **change["data"]}}


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_is_a_sentence_in_the_status(failures: dict[str, Any], name: str) -> None:
    _, cause, words = MISTAKES[name]
    status = failures[name]
    assert status.failure is not None, f"{name} has succeeded"
    assert status.failure.cause == cause, status.failure
    assert words in status.failure.message, status.failure
    assert (status.attempt, status.restarts) == (1, 0)
