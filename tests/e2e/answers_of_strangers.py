"""Two hundred answers to the question how far a worker is, as a tenant may give who means harm, or has no idea."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import HealthCheck, given, seed, settings

from tests.hostile import REPORTS

Steps = list[dict[str, Any]]
Answer = tuple[str, Steps]
"""A name, and what `tests.rank.hostile` does."""

_MEBI = 2**20
_LONG = 3600
_HONEST = {"attempt": 1, "stage": "Training", "step": 1, "updatedAt": "2026-01-01T00:00:00Z"}
HONEST = json.dumps(_HONEST)
_FATAL: dict[str, dict[str, Any]] = {
    "a moment without a zone": {"updatedAt": "2026-01-01T00:00:20"},
    "one metric too many": {"stage": "Evaluating", "metrics": [{"name": f"m{number}", "value": "1"} for number in range(17)]},
    "a large loss": {"stage": "Pruning", "metrics": [{"name": "val_loss", "value": "1e40"}]},
    "an end long ago": {"stage": "Quantizing", "etaSeconds": -(10**15)},
}
"""What an honest report has to say instead to end an operator of 702d264, or its run. Another stage is looked at at once."""
_STATUSES = (199, 201, 204, 206, 304, 400, 401, 407, 418, 429, 500, 502, 503, 599, 999)
_REDIRECTS = (
    *("http://169.254.169.254/latest/meta-data/", "https://kubernetes.default.svc/api", "http://[::1]:8081/metrics"),
    *("file:///etc/passwd", "//evil.invalid/", "/progress", "http://[", "\u00e9", ""),
)
_GARBAGE = {
    "another protocol": "SSH-2.0-OpenSSH_9.2\r\n",
    "a TLS alert": "\x15\x03\x03\x00\x02\x02\x28",
    "a preface of HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
    "a version from the future": "HTTP/9.9 200 OK\r\nContent-Length: 0\r\n\r\n",
    "no number": "HTTP/1.1 fine\r\n\r\n",
    "a negative number": "HTTP/1.1 -200 OK\r\n\r\n",
    "a large number": f"HTTP/1.1 {'2' * 400} OK\r\n\r\n",
    "no reason": "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n{}",
    "a radio station": "ICY 200 OK\r\n\r\n",
    "bytes": bytes(range(256)).decode("latin-1"),
    "HTTP/0.9": HONEST,
    "nothing but ends of lines": "\r\n" * 10_000,
    "zeros": "\0" * 10_000,
    "a header without a colon": "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n",
    "a header with a zero": "HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 2\r\n\r\n{}",
    "a header with spaces": "HTTP/1.1 200 OK\r\nContent Length : 2\r\n\r\n{}",
    "a folded header": "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n c\r\nContent-Length: 2\r\n\r\n{}",
    "bare ends of lines": "HTTP/1.1 200 OK\nContent-Length: 2\n\n{}",
    "an unknown coding": "HTTP/1.1 200 OK\r\nTransfer-Encoding: magic\r\n\r\n{}",
    "a length and chunks": "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "two lengths": "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 7\r\n\r\n{}",
    "a chunk of no size": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n{}\r\n0\r\n\r\n",
    "a chunk of 2^64 bytes": f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{'F' * 16}\r\n{{}}\r\n0\r\n\r\n",
    "a long extension": f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;{'x' * 70_000}\r\n{{}}\r\n0\r\n\r\n",
    "endless trailers": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + "X: y\r\n" * 5000,
    "two answers": "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}" * 2,
    "another protocol from here on": "HTTP/1.1 101 So\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x05hello",
    "early hints": "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 50 + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "many cookies": "HTTP/1.1 200 OK\r\n" + "Set-Cookie: a=b; Domain=.\r\n" * 200 + "Content-Length: 2\r\n\r\n{}",
}
_LENGTHS = ("-1", "1e9", "0x10", "9" * 30, "3", "1", "", "5, 5")
_BODIES = {
    "nothing": "",
    "null": "null",
    "a word": '"Training"',
    "a list": "[]",
    "a number": "1",
    "brackets": "[" * 60_000,
    "braces": '{"attempt":' * 5000,
    "a number of many digits": '{"attempt": ' + "9" * 60_000 + "}",
    "an infinite number": '{"attempt": 1e999999, "updatedAt": 1e999999}',
    "no number": '{"attempt": NaN}',
    "one field again and again": "{" + ",".join(['"attempt": 1'] * 4000) + "}",
    "other bytes than text": "\xff\xfe{\0}\0",
    "half a pair": '{"attempt": 1, "stage": "\\ud800"}',
    "just too long": " " * 65_537,
    "as long as may be": f"{HONEST:65536}",
    "a moment before time": '{"attempt": 1, "updatedAt": "0001-01-01T00:00:00+14:00"}',
}


def two_hundred(*, one_of: int = 1) -> Sequence[Answer]:
    """As many, each with a name of its own, the same in every session; or what was fatal once, and one of so many others."""
    fatal = [(f"fatal: {name}", [_http(json.dumps({**_HONEST, **said}))]) for name, said in _FATAL.items()]
    known = [*_of_http(), *((f"a body: {name}", [_http(body)]) for name, body in _BODIES.items())]
    others = [*known, *_of_hypothesis(200 - len(fatal) - len(known))]
    return [*fatal, *others[::one_of]]


def _of_http() -> Iterator[Answer]:
    yield from ((f"status {code}", [_http(HONEST, status=f"{code} So")]) for code in _STATUSES)
    for code, place in zip((301, 302, 303, 307, 308, 301, 302, 303, 307), _REDIRECTS, strict=True):
        yield f"{code} to {place!r}", [_http(HONEST, f"Location: {place}", status=f"{code} There")]
    yield from ((name, [{"send": said}]) for name, said in _GARBAGE.items())
    for length in _LENGTHS:
        yield f"a length of {length!r}", [{"send": f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{{}}"}]
    yield from _large()
    yield from _slow()


def _large() -> Iterator[Answer]:
    """What would fill a memory, if it was kept or unpacked."""
    head, chunked = {"send": "HTTP/1.1 200 OK\r\n\r\n"}, {"send": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"}
    yield "a gzip bomb", [{"send": "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"}, {"gzip": 32 * _MEBI}]
    yield "what is said to be compressed", [_http(HONEST, "Content-Encoding: gzip, deflate, br, zstd")]
    yield "ten mebibytes", [_http("", "X: y"), {"send": " " * 1024, "times": 10 * 1024}]
    yield "a body without end", [head, {"send": " " * 1024, "times": None}]
    yield "chunks without end", [chunked, {"send": "400\r\n" + " " * 1024 + "\r\n", "times": None}]
    yield "chunks of one byte", [chunked, {"send": "1\r\n \r\n" * 1000, "times": 100}]
    yield "a header of mebibytes", [{"send": "HTTP/1.1 200 OK\r\nX: "}, {"send": "y" * 1024, "times": 4 * 1024}]
    yield "a hundred thousand headers", [{"send": "HTTP/1.1 200 OK\r\n"}, {"send": "X: y\r\n" * 1000, "times": 100}]
    yield "a status of mebibytes", [{"send": "HTTP/1.1 200 "}, {"send": "y" * 1024, "times": 4 * 1024}]
    yield "a thousand times to go on", [{"send": "HTTP/1.1 100 Continue\r\n\r\n" * 1000}, _http(HONEST)]
    yield "to go on for ever", [{"send": "HTTP/1.1 100 Continue\r\n\r\n" * 100, "times": None}]


def _slow() -> Iterator[Answer]:
    """What would keep whoever asks waiting, or leaves in the middle."""
    yield "no answer at all", [{"hold": _LONG}]
    yield "no more than a status", [{"send": "HTTP/1.1 200 OK\r\n"}, {"hold": _LONG}]
    yield "no body", [{"send": "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"}, {"hold": _LONG}]
    yield "half a body", [{"send": 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"attempt"'}, {"hold": _LONG}]
    yield "a letter now and then", [{"send": letter, "hold": 0.3} for letter in "HTTP/1.1 200 OK\r\n" * 4]
    yield "gone at once", []
    yield "gone after a status", [{"send": "HTTP/1.1 200 OK\r\n"}]
    yield "gone in a body", [{"send": "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"}]
    yield "gone in a chunk", [{"send": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n99\r\n{"}]
    yield "torn off at once", [{"reset": True}]
    yield "torn off in a body", [{"send": "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"}, {"reset": True}]


def _of_hypothesis(count: int) -> Iterator[Answer]:
    """Reports, or nearly."""
    found: list[str] = []

    @seed(0)
    @settings(max_examples=2 * count, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(REPORTS)
    def collect(report: str) -> None:
        found.append(report)

    collect()
    different = list(dict.fromkeys(found))[-count:]
    assert len(different) == count
    for number, report in enumerate(different):
        yield f"report {number}: {report[:60]!a}", [_http(report.encode(errors="surrogatepass").decode("latin-1"))]


def _http(body: str, *headers: str, status: str = "200 OK") -> dict[str, Any]:
    lines = "".join(f"{header}\r\n" for header in headers)
    return {"send": f"HTTP/1.1 {status}\r\n{lines}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}"}
