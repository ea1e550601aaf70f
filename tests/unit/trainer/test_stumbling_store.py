"""An object store that stumbles, goes away or changes its mind: what is asked again, and what is told in the server's words."""

import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.object_store.server import ObjectStore, put_credentials
from tests.object_store.stumbling import RESET, status, stumbling_proxy
from tests.unit.trainer.stores import a_location, a_store, an_access
from trainingrun.contract import Cause
from trainingrun_trainer.data.files import Piece, read_pieces
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.patience import Patience
from trainingrun_trainer.remote.access import Access
from trainingrun_trainer.remote.guarded import Guarded
from trainingrun_trainer.remote.meaning import Meaning, meaning
from trainingrun_trainer.storage import remote_folder

TRIES = Patience(20.0, sleep=lambda seconds: None, chance=lambda: 0.0)
ONCE = Patience(0.0)
S3 = {"uri": "s3://models/team", "secretName": "keys"}


class ClientError(Exception):
    """As botocore raises it."""

    def __init__(self, code: str, http: int) -> None:
        super().__init__(f"An error occurred ({code})")
        self.response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": http}}


class ClientResponseError(Exception):
    """As aiohttp raises it."""

    def __init__(self, http: int) -> None:
        super().__init__(f"{http}, message='no'")
        self.status = http


class HttpError(Exception):
    """As gcsfs raises it."""

    def __init__(self, code: int) -> None:
        super().__init__(f"Backend Error, {code}")
        self.code = code


class BadHttpMessage(Exception):  # noqa: N818  # the name that aiohttp gives it
    """As aiohttp's parser raises it about half an answer."""

    code = 400


class HttpProcessingError(BadHttpMessage):
    """Its base."""


def translated(problem: ClientError, kind: type[Exception] = OSError) -> Exception:
    """As s3fs passes it on."""
    told = kind("the words of the server")
    told.__cause__ = problem
    return told


PASSES = [408, 409, 425, 429, 500, 502, 503, 504, 599]
REJECTED = [400, 405, 411, 412, 414, 422, 451, 301, 501, 505]
STATUSES = {
    **dict.fromkeys(PASSES, Meaning.UNAVAILABLE),
    **dict.fromkeys(REJECTED, Meaning.REJECTED),
    **dict.fromkeys((401, 403), Meaning.REFUSED),
    **dict.fromkeys((404, 410), Meaning.MISSING),
    507: Meaning.FULL,
}


@pytest.mark.parametrize(("http", "expected"), STATUSES.items(), ids=map(str, STATUSES))
def test_errors_are_told_apart_by_their_status(http: int, expected: Meaning) -> None:
    assert {meaning(problem) for problem in (ClientResponseError(http), HttpError(http), ClientError("Odd", http))} == {
        expected
    }
    assert meaning(translated(ClientError("Odd", http))) is expected


CODES = {
    "SlowDown": (503, Meaning.UNAVAILABLE),
    "RequestTimeout": (400, Meaning.UNAVAILABLE),
    "IncompleteBody": (400, Meaning.UNAVAILABLE),
    "ExpiredToken": (400, Meaning.UNAVAILABLE),
    "InternalError": (200, Meaning.UNAVAILABLE),
    "OperationAborted": (409, Meaning.UNAVAILABLE),
    "AccessDenied": (403, Meaning.REFUSED),
    "InvalidToken": (400, Meaning.REFUSED),
    "NoSuchBucket": (404, Meaning.NO_BUCKET),
    "NoSuchKey": (404, Meaning.MISSING),
    "InvalidObjectState": (403, Meaning.LASTING),
    "XMinioStorageFull": (507, Meaning.FULL),
    "InvalidArgument": (400, Meaning.REJECTED),
}


@pytest.mark.parametrize(("code", "http", "expected"), [(code, *rest) for code, rest in CODES.items()], ids=CODES)
def test_a_code_says_more_than_its_status(code: str, http: int, expected: Meaning) -> None:
    assert meaning(ClientError(code, http)) is expected
    assert meaning(translated(ClientError(code, http))) is expected


def test_half_an_answer_is_no_word_of_the_server() -> None:
    assert meaning(translated(HttpProcessingError("not enough data"))) is Meaning.UNAVAILABLE  # type: ignore[arg-type]


class Played:
    """A store behind the packages: each question takes the next answer that is prepared for it, and then it works."""

    def __init__(self, **answers: Sequence[object]) -> None:
        self.answers = {name: list(prepared) for name, prepared in answers.items()}
        self.asked: list[tuple[str, Any]] = []

    def _answer(self, name: str, said: Any, otherwise: Any) -> Any:
        self.asked.append((name, said))
        prepared = self.answers.get(name, [])
        answer = prepared.pop(0) if prepared else otherwise
        if isinstance(answer, Exception):
            raise answer
        return answer

    def cat_file(self, path: str, **_: Any) -> Any:
        return self._answer("cat_file", path, b"content")

    def ls(self, path: str, **_: Any) -> Any:
        return self._answer("ls", path, [])

    def info(self, path: str) -> Any:
        return self._answer("info", path, {"name": path, "size": 7, "type": "file"})

    def pipe_file(self, path: str, value: bytes) -> Any:
        return self._answer("pipe_file", path, None)

    def rm_file(self, path: str) -> Any:
        return self._answer("rm_file", path, None)

    def cat_ranges(self, paths: list[str], starts: list[int], ends: list[int], *, on_error: str) -> Any:
        assert on_error == "return"
        return self._answer("cat_ranges", paths, [path.encode() for path in paths])


def guarded(inner: Played, patience: Patience = TRIES, **location: Any) -> Guarded:
    access = an_access({**S3, **location}, mount=Path("/none"))
    return Guarded(lambda access: inner, access=access, patience=patience)


@pytest.mark.parametrize(
    "problem", [ClientResponseError(503), HttpError(429), translated(ClientError("SlowDown", 503)), TimeoutError()]
)
def test_of_many_parts_only_those_that_failed_are_asked_again(problem: Exception) -> None:
    inner = Played(cat_ranges=[[b"a", problem, b"c", problem], [b"b", problem], [b"d"]])
    parts = guarded(inner).cat_ranges(["a", "b", "c", "d"], [0] * 4, [1] * 4)
    assert parts == [b"a", b"b", b"c", b"d"]
    assert [paths for _, paths in inner.asked] == [["a", "b", "c", "d"], ["b", "d"], ["d"]]


def test_one_part_that_is_missing_is_not_waited_for() -> None:
    inner = Played(cat_ranges=[[b"a", HttpError(503), FileNotFoundError("c")]])
    with pytest.raises(FileNotFoundError, match="c"):
        guarded(inner).cat_ranges(["a", "b", "c"], [0] * 3, [1] * 3)
    assert len(inner.asked) == 1


ACTIONS: dict[str, tuple[str, Callable[[Guarded], object], str]] = {
    "read": ("cat_file", lambda store: store.cat_file("a"), "s3:GetObject"),
    "list": ("ls", lambda store: store.ls("a"), "s3:ListBucket"),
    "look": ("info", lambda store: store.info("a"), "s3:GetObject and s3:ListBucket"),
    "write": ("pipe_file", lambda store: store.pipe_file("a", b""), "s3:PutObject"),
    "remove": ("rm_file", lambda store: store.rm_file("a"), "s3:DeleteObject"),
}


@pytest.mark.parametrize(("name", "act", "permission"), ACTIONS.values(), ids=ACTIONS)
def test_what_is_refused_at_first_is_bad_config_in_the_servers_words(
    name: str, act: Callable[[Guarded], object], permission: str
) -> None:
    inner = Played(**{name: [translated(ClientError("AccessDenied", 403), PermissionError)]})
    store = guarded(inner)
    for other, others_act, _ in ACTIONS.values():
        if other != name:
            others_act(store)  # who may do the one need not be allowed the other
    with pytest.raises(TrainerError, match="AccessDenied: the words of the server") as refused:
        act(store)
    assert (refused.value.cause, refused.value.exit_code) == (Cause.BAD_CONFIG, 64)
    assert f"give them the permission {permission}" in str(refused.value)


LATER = [
    translated(ClientError("AccessDenied", 403), PermissionError),
    ClientResponseError(401),
    translated(ClientError("NoSuchBucket", 404), FileNotFoundError),
    translated(ClientError("Odd", 400)),
    OSError("SSL: CERTIFICATE_VERIFY_FAILED"),
]


@pytest.mark.parametrize("problem", LATER, ids=["denied", "401", "no bucket", "400", "certificate"])
@pytest.mark.parametrize(("name", "act", "_permission"), ACTIONS.values(), ids=ACTIONS)
def test_what_has_worked_before_is_tried_again_when_it_is_refused(
    name: str, act: Callable[[Guarded], object], _permission: str, problem: Exception
) -> None:
    inner = Played()
    store = guarded(inner)
    act(store)
    inner.answers[name] = [problem] * 3
    act(store)
    assert len(inner.asked) == 5


@pytest.mark.parametrize("problem", LATER, ids=["denied", "401", "no bucket", "400", "certificate"])
def test_what_stays_refused_after_it_has_worked_may_be_tried_by_another_attempt(problem: Exception) -> None:
    inner = Played()
    store = guarded(inner, ONCE)
    store.cat_file("a")
    inner.answers["cat_file"] = [problem] * 3
    with pytest.raises(TrainerError, match=r"refuses to read a file .* and did it before, it says") as refused:
        store.cat_file("a")
    assert (refused.value.cause, refused.value.exit_code) == (Cause.OUTPUT_FAILED, 70)


def test_a_file_that_is_missing_shows_that_one_may_ask() -> None:
    inner = Played(cat_file=[FileNotFoundError("a"), PermissionError("for now")])
    store = guarded(inner)
    with pytest.raises(FileNotFoundError):
        store.cat_file("a")
    assert store.cat_file("a") == b"content"


def test_keys_that_the_secret_has_meanwhile_are_used() -> None:
    old, new = Played(), Played()
    connected = iter([old, new])
    store = Guarded(lambda access: next(connected), access=an_access(S3, mount=Path("/none")), patience=TRIES)
    store.cat_file("a")
    old.answers["cat_file"] = [translated(ClientError("InvalidAccessKeyId", 403), PermissionError)]
    assert store.cat_file("a") == b"content"
    assert new.asked == [("cat_file", "a")]


FINAL = {
    "an archived object": (ClientError("InvalidObjectState", 403), Cause.BAD_CONFIG, 64, "InvalidObjectState"),
    "another method": (
        ClientResponseError(405),
        Cause.BAD_CONFIG,
        64,
        "spec.output.uri or spec.output.endpoint or spec.output.addressing",
    ),
    "a moved bucket": (ClientError("PermanentRedirect", 301), Cause.BAD_CONFIG, 64, "PermanentRedirect"),
    "a full store": (ClientError("XMinioStorageFull", 507), Cause.OUTPUT_FAILED, 70, "is full, it says"),
}


@pytest.mark.parametrize(("problem", "cause", "code", "words"), FINAL.values(), ids=FINAL)
def test_what_will_not_pass_is_told_at_once(problem: Exception, cause: Cause, code: int, words: str) -> None:
    inner = Played(pipe_file=[problem])
    with pytest.raises(TrainerError, match=words) as told:
        guarded(inner).pipe_file("a", b"")
    assert (told.value.cause, told.value.exit_code, len(inner.asked)) == (cause, code, 1)


def test_an_address_that_has_never_answered_is_tried_for_a_fifth_of_the_patience() -> None:
    moment = [0.0]
    patience = Patience(100, clock=lambda: moment[0], sleep=lambda seconds: moment.__setitem__(0, moment[0] + seconds))
    with pytest.raises(TrainerError, match="did not answer for 20 s"):
        guarded(Played(ls=[ConnectionError()] * 1000), patience).ls("a")
    inner = Played()
    store = guarded(inner, patience)
    store.ls("a")
    inner.answers["ls"] = [ConnectionError()] * 1000
    with pytest.raises(TrainerError, match="did not answer for 100 s"):
        store.ls("a")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    with a_store(tmp_path_factory.mktemp("s3") / "store") as running:
        for number in range(64):
            (running.bucket("datasets") / f"{number}").write_text(f"content {number}")
        yield running


@pytest.mark.parametrize(
    "answers", [[status(503)], [RESET], [status(429), status(409), status(500)]], ids=["503", "reset", "mixed"]
)
def test_a_step_of_many_files_is_read_from_a_store_that_stumbles(
    store: ObjectStore, tmp_path: Path, answers: list[bytes]
) -> None:
    keys = put_credentials(tmp_path / "keys")
    with stumbling_proxy(store.address, every=8, answers=answers, matching=b"^GET /datasets/") as proxy:
        location = {**a_location(store, "s3://datasets"), "endpoint": f"http://{proxy.address}"}
        folder = remote_folder(an_access(location, mount=keys), patience=Patience(20.0, chance=lambda: 0.1))
        pieces = [Piece(folder.join(f"{number}"), 0, len(f"content {number}")) for number in range(64)]
        assert read_pieces(folder, pieces) == [f"content {number}".encode() for number in range(64)]
    assert proxy.stumbled >= 8
    assert proxy.requests <= 64 + 2 * proxy.stumbled


class _Recording(BaseHTTPRequestHandler):
    """A proxy that goes nowhere, and notes where it should have gone."""

    asked: list[str]

    def do_GET(self) -> None:
        """The name that http.server calls."""
        self.asked.append(f"{self.command} {self.path}")
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_CONNECT = do_GET  # noqa: N815  # the names that http.server calls

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What a proxy that the environment names is asked for."""
    asked: list[str] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Recording,), {"asked": asked})) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("NO_PROXY", "near.example,169.254.169.254,metadata.google.internal")
        yield asked
        server.shutdown()


def ask(location: dict[str, Any], tmp_path: Path) -> None:
    """Look for a file, in vain."""
    access: Access = an_access(location, mount=put_credentials(tmp_path / "keys"))
    with pytest.raises((TrainerError, FileNotFoundError)):
        remote_folder(access, patience=ONCE).filesystem.cat_file(f"{access.path}/a.txt")


PROXIED = {
    "s3": ({**S3, "endpoint": "http://store.example:9000"}, " http://store.example:9000/models/team/a.txt"),
    "s3 with TLS": ({**S3, "endpoint": "https://store.example:9000"}, "CONNECT store.example:9000"),
    "gs": ({"uri": "gs://models/team", "endpoint": "http://store.example:4443"}, " http://store.example:4443/"),
    "https": ({"uri": "https://data.example/team"}, "CONNECT data.example:443"),
}


@pytest.mark.parametrize(("location", "asked"), PROXIED.values(), ids=PROXIED)
def test_proxies_of_the_environment_are_used(proxy: list[str], tmp_path: Path, location: dict[str, Any], asked: str) -> None:
    ask(location, tmp_path)
    assert any(asked in each for each in proxy), proxy


@pytest.mark.parametrize(
    "location",
    [
        {**S3, "endpoint": "http://near.example:9"},
        {"uri": "gs://models", "endpoint": "http://near.example:9"},
        {"uri": "https://near.example:9"},
    ],
    ids=["s3", "gs", "https"],
)
def test_servers_that_no_proxy_is_for_are_asked_directly(
    proxy: list[str], tmp_path: Path, location: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gcsfs.retry.asyncio.sleep", _no_sleep)
    ask(location, tmp_path)
    assert proxy == []


async def _no_sleep(seconds: float, *_: object) -> None:
    """Google's package waits for half a minute, otherwise."""


ADDRESSED = {
    "by default": ({}, " http://store.example:9000/models/team/a.txt"),
    "by path": ({"addressing": "Path"}, " http://store.example:9000/models/team/a.txt"),
    "by host": ({"addressing": "VirtualHosted"}, " http://models.store.example:9000/team/a.txt"),
}


@pytest.mark.parametrize(("fields", "asked"), ADDRESSED.values(), ids=ADDRESSED)
def test_a_bucket_is_addressed_as_the_server_wants_it(
    proxy: list[str], tmp_path: Path, fields: dict[str, str], asked: str
) -> None:
    ask({**S3, "endpoint": "http://store.example:9000", **fields}, tmp_path)
    assert asked in proxy[0]


def test_a_cloud_is_addressed_by_path_where_that_is_chosen(proxy: list[str], tmp_path: Path) -> None:
    (put_credentials(tmp_path / "keys") / "AWS_REGION").write_text("eu-central-1")
    ask({**S3, "addressing": "Path"}, tmp_path)
    assert proxy[0] == "CONNECT s3.eu-central-1.amazonaws.com:443"
