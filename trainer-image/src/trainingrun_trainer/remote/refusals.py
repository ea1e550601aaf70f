"""The sentences about what an object store or web server does not do."""

import urllib.parse
from enum import Enum

from trainingrun_trainer.errors import TrainerError, bad_config, failed
from trainingrun_trainer.remote.access import Access
from trainingrun_trainer.remote.meaning import Meaning, code_of, meaning

_LONGEST = 300


class Action(Enum):
    """What is asked of a store, as people say it."""

    LOOK = "to look for a file"
    LIST = "to list files"
    READ = "to read a file"
    WRITE = "to write a file"
    REMOVE = "to remove a file"


_PERMISSIONS = {
    "s3": {
        Action.LOOK: "s3:GetObject and s3:ListBucket",
        Action.LIST: "s3:ListBucket",
        Action.READ: "s3:GetObject",
        Action.WRITE: "s3:PutObject and s3:AbortMultipartUpload",
        Action.REMOVE: "s3:DeleteObject",
    },
    "gs": {
        Action.LOOK: "storage.objects.get and storage.objects.list",
        Action.LIST: "storage.objects.list",
        Action.READ: "storage.objects.get",
        Action.WRITE: "storage.objects.create and, to write over a file, storage.objects.delete",
        Action.REMOVE: "storage.objects.delete",
    },
}


def refusal(problem: BaseException, *, access: Access, action: Action, seconds: float, worked: bool = False) -> TrainerError:
    """The sentence about an error whose meaning is neither MISSING nor UNKNOWN; it has been tried for so many seconds.

    What has `worked` before is no mistake of the specification.
    """
    place, words = f"{access.uri} ({access.field}.uri)", _words(problem)
    means = meaning(problem)
    if worked and means is not Meaning.UNAVAILABLE:
        return failed(
            f"The server of {place} refuses {action.value} for {seconds:.0f} s, and did it before, it says: {words}.",
            cause=access.unavailable,
            hint=_credentials(access, action),
        )
    match means:
        case Meaning.NO_BUCKET:
            return no_bucket(access)
        case Meaning.REFUSED:
            return bad_config(
                f"The server refuses access to {place} {action.value}, it says: {words}. {_credentials(access, action)}"
            )
        case Meaning.UNTRUSTED:
            server = access.location.endpoint or f"https://{urllib.parse.urlsplit(access.uri).netloc}"
            return bad_config(
                f"The certificate of {server} for {place} is not trusted: {words}. Name the CA that has signed it in "
                f"{access.field}.certificateAuthority."
            )
        case Meaning.PROXIED:
            return bad_config(
                f"The proxy of the environment (HTTPS_PROXY, HTTP_PROXY) refuses the way to {place}, it says: {words}. Let it "
                "pass there, correct spec.workers.env, or name the server in NO_PROXY."
            )
        case Meaning.REJECTED | Meaning.LASTING:
            return bad_config(
                f"The server of {place} refuses {action.value}, it says: {words}. Correct {_address(access)}, or what the "
                "server complains about."
            )
        case Meaning.FULL:
            return failed(
                f"The store of {place} is full, it says: {words}.",
                cause=access.unavailable,
                hint="Enlarge it or its quota, or remove what is not needed; the next attempt goes on.",
            )
        case _:
            return failed(
                f"{place} did not answer for {seconds:.0f} s: {words}.",
                cause=access.unavailable,
                hint=f"See that its server runs, has space, and can be reached by the workers at {access.field}.endpoint.",
            )


def no_bucket(access: Access) -> TrainerError:
    """The sentence about a bucket that does not exist."""
    bucket = access.path.partition("/")[0]
    return bad_config(
        f"There is no bucket {bucket} for {access.uri} ({access.field}.uri): create it, or correct {access.field}.uri."
    )


def _address(access: Access) -> str:
    """The fields that lead to the server."""
    fields = {"s3": ("uri", "endpoint", "addressing"), "gs": ("uri", "endpoint"), "https": ("uri",)}[_scheme(access)]
    return " or ".join(f"{access.field}.{name}" for name in fields)


def _credentials(access: Access, action: Action) -> str:
    """The way out for refused credentials."""
    field, secret = f"{access.field}.secretName", access.location.secret_name
    if _scheme(access) == "https":
        return f"Correct {access.field}.uri, or let everybody read it."
    permission = _PERMISSIONS[_scheme(access)][action]
    if secret is None:
        return f"Name a Secret with credentials in {field}, or give the workers' identity the permission {permission}."
    return f"Correct the keys in the Secret {secret} ({field}), or give them the permission {permission}."


def _scheme(access: Access) -> str:
    return access.uri.partition("://")[0]


def _words(problem: BaseException) -> str:
    """The error on one line, with the server's code if there is one."""
    text = " ".join(str(problem).split()).rstrip(".") or type(problem).__name__
    code = code_of(problem)
    said = f"{code}: {text}" if code and code not in text else text
    return said if len(said) <= _LONGEST else f"{said[: _LONGEST - 1]}…"
