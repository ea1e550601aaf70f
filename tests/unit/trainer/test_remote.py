"""Data beyond volumes: what is read, and the sentence for everything that a server or a specification does wrong."""

import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.object_store.cutting import cutting_proxy
from tests.object_store.server import ObjectStore, make_certificate, put_credentials
from tests.patience import patience
from tests.unit.trainer.stages_alone import alone
from tests.unit.trainer.stores import a_location, a_store, an_access
from tests.unit.trainer.writing import digits, image_records, write_csv, write_image_folder, write_tf_record
from trainingrun.api import DataSource, Location
from trainingrun.contract import Cause
from trainingrun_trainer.data.files import read_file
from trainingrun_trainer.data.parts import Fractions, part
from trainingrun_trainer.data.shard import shard
from trainingrun_trainer.data.source import load_split, open_data
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.patience import Patience
from trainingrun_trainer.remote import filesystems
from trainingrun_trainer.remote.access import Access
from trainingrun_trainer.remote.meaning import Meaning, meaning
from trainingrun_trainer.storage import Folder, open_source

CA = {"certificateAuthority": {"configMapKeyRef": {"name": "ca", "key": "ca.crt"}}}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of a server on loopback that has signed itself, its key beside it."""
    return make_certificate(tmp_path_factory.mktemp("tls") / "server.pem", address="127.0.0.1")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    with a_store(tmp_path_factory.mktemp("s3") / "store") as running:
        (running.bucket("datasets") / "d").mkdir()
        (running.bucket("datasets") / "d" / "a.txt").write_text("hello")
        yield running


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """The mount of a Secret with the right keys."""
    return put_credentials(tmp_path / "keys")


def folder_of(location: dict[str, Any], *, mount: Path, patience: Patience | None = None) -> Folder:
    return open_source(DataSource.model_validate(location), mount=Path("/none"), access=mount, patience=patience)


def read(location: dict[str, Any], *, mount: Path, name: str = "a.txt", patience: Patience | None = None) -> bytes:
    return read_file(folder_of(location, mount=mount, patience=patience), name, field="spec.data.idx.images")


@pytest.mark.parametrize("uri", ["s3://datasets/d", "s3://datasets/d/"])
def test_a_file_of_a_store_is_read(store: ObjectStore, keys: Path, uri: str) -> None:
    assert read(a_location(store, uri), mount=keys) == b"hello"


def test_a_store_offers_what_formats_ask_of_a_folder(store: ObjectStore, keys: Path) -> None:
    folder = folder_of(a_location(store, "s3://datasets"), mount=keys)
    files, path = folder.filesystem, folder.join("d/a.txt")
    assert files.find(folder.join("d")) == [path]
    assert {name: about["size"] for name, about in files.find(folder.join("d"), detail=True).items()} == {path: 5}
    assert [files.isdir(folder.join("d")), files.isfile(path), files.exists(folder.join("x"))] == [True, True, False]
    assert files.cat_ranges([path, path], [0, 3], [2, 5]) == [b"he", b"lo"]
    with files.open(path) as file:
        assert (file.read(2), file.seek(4), file.read()) == (b"he", 4, b"o")


@pytest.mark.parametrize("kind", ["ImageFolder", "TFRecord", "CSV"])
def test_every_format_is_read_from_a_store(store: ObjectStore, keys: Path, tmp_path: Path, kind: str) -> None:
    images, labels = digits(70)
    folder = store.bucket("datasets") / kind
    write_image_folder(folder, images, labels)
    write_tf_record(folder / "a.tfrecord", image_records(images, labels))
    write_csv(folder / "a.csv", images.reshape(70, -1), labels.tolist())
    source = a_location(store, f"s3://datasets/{kind}")
    room = "10000000" if kind == "CSV" else "10000"  # a table is in memory as a whole
    environment = {"TRAININGRUN_DATA_ACCESS_MOUNT": str(keys), "TRAININGRUN_MEMORY_LIMIT": room}
    split, about = load_split(alone(tmp_path, environment=environment, data={"source": source, "format": kind}).context)
    assert about.is_streamed == (kind != "CSV")
    whole = shard(len(split.training), batch=63, rank=0, size=1)
    with split.training.deal(whole, first=0) as dealer:
        inputs = dealer.take(1).inputs.numpy().reshape(63, -1)
    expected = images if kind != "ImageFolder" else images[np.argsort(labels, kind="stable")]
    numbers = labels if kind != "ImageFolder" else np.sort(labels, kind="stable")
    chosen = part(numbers, Fractions(validation=0.1, test=0), seed=7).training
    assert (inputs == expected.reshape(70, -1)[chosen]).all()


def test_what_others_write_is_seen_at_once(store: ObjectStore, keys: Path) -> None:
    folder = folder_of(a_location(store, "s3://datasets/seen"), mount=keys)
    other = folder_of(a_location(store, "s3://datasets/seen"), mount=keys)
    for number in range(3):
        folder.filesystem.pipe_file(folder.join(f"{number}"), b"x")
        assert len(other.filesystem.ls(other.path)) == number + 1


REFUSED: dict[str, tuple[dict[str, Any], Cause, str]] = {
    "no such bucket": ({"uri": "s3://nowhere/d"}, Cause.BAD_CONFIG, "There is no bucket nowhere for s3://nowhere/d"),
    "no such file": ({"uri": "s3://datasets/d", "name": "b.txt"}, Cause.BAD_DATA, r"no file b.txt .* datasets/d holds a.txt"),
    "no such folder": ({"uri": "s3://datasets/e"}, Cause.BAD_DATA, r"datasets/e does not exist. datasets holds .*d/"),
    "the wrong key": (
        {"keys": {"AWS_SECRET_ACCESS_KEY": "wrong"}},
        Cause.BAD_CONFIG,
        r"refuses access to s3://datasets/d \(spec.data.source.uri\).* Secret keys \(spec.data.source.secretName\)",
    ),
    "no Secret": (
        {"secretName": None},
        Cause.BAD_CONFIG,
        "Name a Secret .* in spec.data.source.secretName",
    ),
    "a Secret that is not there": ({"keys": None}, Cause.DATA_UNAVAILABLE, r"The Secret keys .* does not exist, or is empty"),
    "a Secret for another cloud": (
        {"keys": {"key.json": "{}"}},
        Cause.BAD_CONFIG,
        "has no key AWS_ACCESS_KEY_ID, which s3://datasets/d needs; it has key.json",
    ),
    "a certificate that is not there": (
        CA,
        Cause.BAD_CONFIG,
        "that spec.data.source.certificateAuthority names does not exist",
    ),
}


@pytest.mark.parametrize(("wrong", "cause", "words"), REFUSED.values(), ids=REFUSED)
def test_a_mistake_is_named_with_the_field_to_correct(
    store: ObjectStore, tmp_path: Path, wrong: dict[str, Any], cause: Cause, words: str
) -> None:
    keys, name = wrong.get("keys", {}), wrong.get("name", "a.txt")
    fields = {field: value for field, value in wrong.items() if field not in ("keys", "name")}
    mount = tmp_path / "mounted"
    mount.mkdir()
    if keys is not None and "key.json" not in keys:
        put_credentials(mount)
    for key, value in (keys or {}).items():
        (mount / key).write_text(value)
    with pytest.raises(TrainerError, match=words) as refused:
        read({**a_location(store, "s3://datasets/d"), **fields}, mount=mount, name=name)
    assert refused.value.cause == cause
    assert refused.value.exit_code == {"BadConfig": 64, "BadData": 65, "DataUnavailable": 70}[cause]


def test_a_server_that_dies_in_mid_read_is_a_failure_within_seconds(store: ObjectStore, keys: Path) -> None:
    (store.bucket("datasets") / "large").write_bytes(bytes(3_000_000))
    with cutting_proxy(store.address, limit=1_000_000) as proxy:
        location = {**a_location(store, "s3://datasets"), "endpoint": f"http://{proxy.address}"}
        began = time.monotonic()
        with pytest.raises(TrainerError, match=r"s3://datasets \(spec.data.source.uri\) did not answer for") as dead:
            read(location, mount=keys, name="large", patience=Patience(2))
        assert proxy.is_cut.is_set()
    assert (dead.value.cause, dead.value.exit_code) == ("DataUnavailable", 70)
    assert time.monotonic() - began < patience(20)


def test_a_server_that_never_answers_is_a_failure_within_seconds(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filesystems, "READ_SECONDS", 1)
    with ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler) as silent:  # listens, and never accepts
        location = {"uri": "s3://datasets", "endpoint": f"http://127.0.0.1:{silent.server_port}", "secretName": "keys"}
        began = time.monotonic()
        with pytest.raises(TrainerError, match="did not answer for"):
            read(location, mount=keys, patience=Patience(1))
    assert time.monotonic() - began < patience(20)


def test_a_connection_that_is_cut_once_costs_nothing(store: ObjectStore, keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = folder_of(a_location(store, "s3://datasets/d"), mount=keys)
    failing = [OSError("connection reset"), TimeoutError()]
    really_read = folder.filesystem._inner.cat_file

    def cat_file(*arguments: Any, **options: Any) -> bytes:
        if failing:
            raise failing.pop()
        content: bytes = really_read(*arguments, **options)
        return content

    monkeypatch.setattr(folder.filesystem._inner, "cat_file", cat_file)
    assert folder.filesystem.cat_file(folder.join("a.txt")) == b"hello"
    assert failing == []


def trusting(mount: Path, certificate: Path) -> Path:
    """The mount, with this CA bundle in it."""
    (mount / "certificate-authority").mkdir(parents=True)
    (mount / "certificate-authority" / "bundle.pem").write_bytes(certificate.read_bytes())
    return mount


def test_a_store_with_a_private_certificate_is_trusted_when_its_authority_is_named(
    tmp_path: Path, keys: Path, certificate: Path
) -> None:
    with a_store(tmp_path / "store", certificate=certificate) as store:
        (store.bucket("datasets") / "a.txt").write_text("secret")
        location = a_location(store, "s3://datasets")
        with pytest.raises(TrainerError, match=rf"certificate of {store.endpoint} .* in spec.data.source.certificateAuthority"):
            read(location, mount=keys)
        assert read({**location, **CA}, mount=trusting(keys, certificate)) == b"secret"


@pytest.fixture
def website(tmp_path: Path, certificate: Path, builtin_data: Path) -> Iterator[str]:
    """A web server with the digits, with a private certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    handler = partial(SimpleHTTPRequestHandler, directory=str(builtin_data / "mnist-10k"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield f"https://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_data_is_read_from_a_web_server(website: str, tmp_path: Path, certificate: Path) -> None:
    data: dict[str, Any] = {
        "source": {"uri": website, **CA},
        "format": "IDX",
        "idx": {"images": "t10k-images-idx3-ubyte.gz", "labels": "t10k-labels-idx1-ubyte.gz"},
    }
    mount = trusting(tmp_path / "access", certificate)
    samples = open_data(alone(tmp_path, environment={"TRAININGRUN_DATA_ACCESS_MOUNT": str(mount)}, data=data).context)
    assert (len(samples), samples.classes) == (10_000, 10)
    with pytest.raises(TrainerError, match=r"There is no file none \(spec.data.idx.images\) in https://") as missing:
        read(data["source"], mount=mount, name="none")
    assert missing.value.cause == "BadData"


def test_a_web_server_with_a_private_certificate_is_not_trusted_by_itself(website: str, tmp_path: Path) -> None:
    with pytest.raises(TrainerError, match=rf"certificate of {website} for .* is not trusted") as untrusted:
        read({"uri": website}, mount=tmp_path)
    assert untrusted.value.exit_code == 64


def test_a_bucket_of_google_is_opened_with_the_key_of_the_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import gcsfs.core

    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(gcsfs.core, "GCSFileSystem", lambda **options: asked.append(options))
    (tmp_path / "key.json").write_text("{}")
    for location in ({"uri": "gs://models/a", "secretName": "key"}, {"uri": "gs://models/a", "endpoint": "http://fake:4443"}):
        filesystems.connect(an_access(location, mount=tmp_path))
    assert [options["token"] for options in asked] == [str(tmp_path / "key.json"), None]
    assert [options["endpoint_url"] for options in asked] == [None, "http://fake:4443"]
    assert {options["use_listings_cache"] for options in asked} == {False}


@pytest.mark.parametrize("content", ["{}", "no JSON"])
def test_a_key_that_google_has_not_issued_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "key.json").write_text(content)
    with pytest.raises(TrainerError, match=r"key.json of the Secret key \(spec.output.secretName\) is no key of a service"):
        filesystems.connect(an_access({"uri": "gs://models/a", "secretName": "key"}, mount=tmp_path))


class Told(Exception):  # noqa: N818  # stands for the errors of packages that are told apart by their attributes
    def __init__(self, text: str = "", **fields: Any) -> None:
        super().__init__(text)
        self.__dict__.update(fields)


class HttpError(Told):
    """As gcsfs names it."""


MEANINGS: dict[str, tuple[BaseException, Meaning]] = {
    "gcsfs, forbidden": (OSError("Forbidden: https://storage\nno access"), Meaning.REFUSED),
    "gcsfs, unauthorized": (HttpError("Invalid Credentials", code=401), Meaning.REFUSED),
    "gcsfs, overloaded": (HttpError("Backend Error", code=503), Meaning.UNAVAILABLE),
    "aiohttp, unauthorized": (Told("Unauthorized", status=401), Meaning.REFUSED),
    "s3, keys that have expired": (
        Told("The token has expired", response={"Error": {"Code": "ExpiredToken"}}),
        Meaning.UNAVAILABLE,
    ),
    "s3, a clock that is wrong": (PermissionError("the difference between the times is too large"), Meaning.REFUSED),
    "a time-out": (TimeoutError(), Meaning.UNAVAILABLE),
    "a defect of ours": (KeyError("x"), Meaning.UNKNOWN),
}


@pytest.mark.parametrize(("problem", "expected"), MEANINGS.values(), ids=MEANINGS)
def test_errors_are_told_apart(problem: BaseException, expected: Meaning) -> None:
    assert meaning(problem) is expected


def test_surroundings_give_credentials_where_no_secret_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "from the surroundings")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    location = Location.model_validate({"uri": "s3://models"})
    access = Access(location=location, field="spec.output", mount=tmp_path, unavailable=Cause.OUTPUT_FAILED)
    assert filesystems.connect(access).anon is False


def test_the_agent_starts_without_any_of_it() -> None:
    heavy = {"fsspec", "aiohttp", "s3fs", "botocore", "gcsfs", "numpy"}
    code = f"import sys, trainingrun_trainer.__main__; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=patience(60))
    assert done.stdout.strip() == "[]"
