"""What an error of an object store or web server means to the user.

The packages of fsspec raise what their servers and transports raise, each its own kinds of errors. They are told apart by what
they say, so that none of these packages has to be imported to understand another one's errors.
"""

import urllib.parse
from collections.abc import Iterator
from enum import Enum

from trainingrun_trainer.errors import TrainerError, bad_config, failed
from trainingrun_trainer.remote.access import Access

_LONGEST = 300

_NO_BUCKET = {"NoSuchBucket"}
_FOR_NOW = {"ExpiredToken", "ExpiredTokenException"}
"""Refused, but the Secret may have newer keys by the next attempt."""
_REFUSED = {
    *("AccessDenied", "AllAccessDisabled", "AccountProblem", "Forbidden", "Unauthorized", "401", "403"),
    *("InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch", "AuthorizationHeaderMalformed"),
}
_NO_CREDENTIALS = {"NoCredentialsError", "PartialCredentialsError", "RefreshError", "DefaultCredentialsError"}
_MISSING = {"NoSuchKey", "404"}
_OF_THE_NETWORK = {"BotoCoreError", "ClientError", "HttpError", "GoogleAuthError", "RequestException", "ChecksumError"}
"""Base classes in botocore, aiohttp, gcsfs, google-auth and requests."""


class Meaning(Enum):
    """What to do about an error."""

    MISSING = "There is no such file: whoever asked for it knows what that means."
    NO_BUCKET = "There is no such bucket."
    REFUSED = "The credentials are wrong, or do not permit this."
    UNTRUSTED = "The server's certificate is not trusted."
    UNAVAILABLE = "Nobody answers, or not in time, or not sensibly: worth another try."
    UNKNOWN = "Not the server's fault."


def meaning(problem: BaseException) -> Meaning:
    """What an error of a file system means."""
    chain = list(_chain(problem))
    codes = {code for each in chain for code in _codes(each)}
    names = {kind.__name__ for kind in type(problem).__mro__}
    if codes & _NO_BUCKET:
        return Meaning.NO_BUCKET
    if any("CERTIFICATE_VERIFY_FAILED" in str(each) for each in chain):
        return Meaning.UNTRUSTED
    if codes & _FOR_NOW:
        return Meaning.UNAVAILABLE
    if isinstance(problem, PermissionError) or codes & _REFUSED or names & _NO_CREDENTIALS:
        return Meaning.REFUSED
    if isinstance(problem, FileNotFoundError) or codes & _MISSING:
        return Meaning.MISSING
    if isinstance(problem, OSError | TimeoutError) or names & _OF_THE_NETWORK:
        return Meaning.UNAVAILABLE
    return Meaning.UNKNOWN


def refusal(problem: BaseException, *, access: Access, seconds: float) -> TrainerError:
    """The sentence about an error whose meaning is neither MISSING nor UNKNOWN; it has been tried for so many seconds."""
    place, words = f"{access.uri} ({access.field}.uri)", _words(problem)
    match meaning(problem):
        case Meaning.NO_BUCKET:
            return no_bucket(access)
        case Meaning.REFUSED:
            return bad_config(f"The server refuses access to {place}, it says: {words}. {_credentials(access)}")
        case Meaning.UNTRUSTED:
            server = access.location.endpoint or f"https://{urllib.parse.urlsplit(access.uri).netloc}"
            return bad_config(
                f"The certificate of {server} for {place} is not trusted: {words}. Name the CA that has signed it in "
                f"{access.field}.certificateAuthority."
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


def _credentials(access: Access) -> str:
    """The way out for refused credentials."""
    field, secret = f"{access.field}.secretName", access.location.secret_name
    if access.uri.startswith("https://"):
        return f"Correct {access.field}.uri, or let everybody read it."
    if secret is None:
        return f"Name a Secret with credentials in {field}, or give the workers' identity the permission."
    return f"Correct the keys in the Secret {secret} ({field}), or give them the permission."


def _chain(problem: BaseException | None) -> Iterator[BaseException]:
    """The error and those that led to it."""
    seen: set[int] = set()
    while problem is not None and id(problem) not in seen:
        seen.add(id(problem))
        yield problem
        problem = problem.__cause__ or problem.__context__


def _codes(problem: BaseException) -> Iterator[str]:
    """The codes that a server has sent: botocore keeps them in a response, gcsfs as code, aiohttp as status."""
    response = getattr(problem, "response", None)
    if isinstance(response, dict):
        yield str(response.get("Error", {}).get("Code", ""))
    for field in ("code", "status"):
        yield str(getattr(problem, field, ""))
    if str(problem).startswith("Forbidden:"):  # gcsfs says 403 as a bare OSError
        yield "403"


def _words(problem: BaseException) -> str:
    """The error on one line, with the server's code if there is one."""
    text = " ".join(str(problem).split()).rstrip(".") or type(problem).__name__
    code = next((code for each in _chain(problem) for code in _codes(each) if code and not code.isdigit()), "")
    said = f"{code}: {text}" if code and code not in text else text
    return said if len(said) <= _LONGEST else f"{said[: _LONGEST - 1]}…"
