"""What an error of an object store or web server means, told apart by its code, its HTTP status and its class. Pure.

The packages of fsspec raise what their servers and transports raise, each its own kinds of errors. They are known by what they
say, so that none of these packages has to be imported to understand another one's errors.
Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html; statuses: RFC 9110, 6585 and 8470.
"""

from collections.abc import Iterator
from enum import Enum

_NO_BUCKET = {"NoSuchBucket"}
_LASTING = {"InvalidObjectState", "KeyTooLongError", "EntityTooLarge", "EntityTooSmall", "InvalidRange"}
"""Of one object, and so for as long as it is what it is: archived, or too large."""
_FULL = {"XMinioStorageFull", "QuotaExceeded", "InsufficientStorage"}
_FOR_NOW = {
    *("ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"),  # the Secret may have newer keys soon
    *("InternalError", "ServiceUnavailable", "SlowDown", "Throttling", "ThrottlingException", "TooManyRequests"),
    *("RequestTimeout", "RequestLimitExceeded", "OperationAborted", "TemporaryRedirect"),
    *("IncompleteBody", "BadDigest", "XAmzContentSHA256Mismatch"),  # lost on the way
}
_REFUSED = {
    *("AccessDenied", "AllAccessDisabled", "AccountProblem", "Forbidden", "Unauthorized", "NotSignedUp"),
    *("InvalidAccessKeyId", "InvalidToken", "InvalidSecurity", "SignatureDoesNotMatch", "AuthorizationHeaderMalformed"),
}
_MISSING = {"NoSuchKey", "NoSuchUpload", "NoSuchVersion"}

_STATUS_REFUSED = {401, 403}
_STATUS_MISSING = {404, 410}
_STATUS_FOR_NOW = {408, 409, 425, 429}
_STATUS_FULL = 507
_STATUS_CANNOT = {501, 505}

_NO_CREDENTIALS = {"NoCredentialsError", "PartialCredentialsError", "RefreshError", "DefaultCredentialsError"}
_NEVER_SENT = {"ParamValidationError", "NoRegionError", "InvalidRegionError", "UnknownEndpointError", "InvalidURL"}
_OF_A_PROXY = {"ClientHttpProxyError", "ProxyConnectionError"}
_OF_THE_PARSER = {"HttpProcessingError"}
"""In aiohttp: half an answer, with a status that no server has sent."""
_OF_THE_NETWORK = {"BotoCoreError", "ClientError", "HttpError", "GoogleAuthError", "RequestException", "ChecksumError"}
"""Base classes in botocore, aiohttp, gcsfs, google-auth and requests."""


class Meaning(Enum):
    """What to do about an error."""

    MISSING = "There is no such file: whoever asked for it knows what that means."
    NO_BUCKET = "There is no such bucket."
    REFUSED = "The credentials are wrong, or do not permit this."
    UNTRUSTED = "The server's certificate is not trusted."
    PROXIED = "The proxy on the way does not let it pass."
    REJECTED = "The server does not do such a thing, or not at this address."
    LASTING = "The server will not do it with this object."
    FULL = "There is no room: nothing that passes by itself."
    UNAVAILABLE = "Nobody answers, or not in time, or not sensibly: worth another try."
    UNKNOWN = "Not the server's fault."

    @property
    def is_said_of_all(self) -> bool:
        """Whether it is no matter of one object: then it was not so before, if the same has worked before."""
        return self in (Meaning.NO_BUCKET, Meaning.REFUSED, Meaning.UNTRUSTED, Meaning.PROXIED, Meaning.REJECTED)


def meaning(problem: BaseException) -> Meaning:
    """What an error of a file system means."""
    chain = list(_chain(problem))
    codes = {code for each in chain for code in _codes(each)}
    statuses = {status for each in chain for status in _statuses(each)}
    names = {kind.__name__ for each in chain for kind in type(each).__mro__}
    if any("CERTIFICATE_VERIFY_FAILED" in str(each) for each in chain):
        return Meaning.UNTRUSTED
    if names & _OF_A_PROXY:
        return Meaning.PROXIED if statuses and _by_status(max(statuses)) is Meaning.REJECTED else Meaning.UNAVAILABLE
    by_code = _by_code(codes)
    if by_code is not None:
        return by_code
    if isinstance(problem, PermissionError) or statuses & _STATUS_REFUSED or names & _NO_CREDENTIALS:
        return Meaning.REFUSED
    if isinstance(problem, FileNotFoundError) or statuses & _STATUS_MISSING:
        return Meaning.MISSING
    if statuses:
        return _by_status(max(statuses))
    if names & _NEVER_SENT:
        return Meaning.REJECTED
    if isinstance(problem, OSError | TimeoutError) or names & _OF_THE_NETWORK:
        return Meaning.UNAVAILABLE
    return Meaning.UNKNOWN


def code_of(problem: BaseException) -> str:
    """The server's own name of the error; empty when it has given none."""
    return next((code for each in _chain(problem) for code in _codes(each) if code and not code.isdigit()), "")


def _by_code(codes: set[str]) -> Meaning | None:
    """S3-compatible servers name their errors; some send a status that means something else."""
    known = {
        Meaning.NO_BUCKET: _NO_BUCKET,
        Meaning.LASTING: _LASTING,
        Meaning.FULL: _FULL,
        Meaning.UNAVAILABLE: _FOR_NOW,
        Meaning.REFUSED: _REFUSED,
        Meaning.MISSING: _MISSING,
    }
    return next((means for means, names in known.items() if codes & names), None)


def _by_status(status: int) -> Meaning:
    if status == _STATUS_FULL:
        return Meaning.FULL
    if status in _STATUS_FOR_NOW or (status >= 500 and status not in _STATUS_CANNOT) or status < 300:
        return Meaning.UNAVAILABLE
    return Meaning.REJECTED


def _chain(problem: BaseException | None) -> Iterator[BaseException]:
    """The error and those that led to it."""
    seen: set[int] = set()
    while problem is not None and id(problem) not in seen:
        seen.add(id(problem))
        yield problem
        problem = problem.__cause__ or problem.__context__


def _codes(problem: BaseException) -> Iterator[str]:
    """The codes that a server has sent: botocore keeps them in a response."""
    response = getattr(problem, "response", None)
    if isinstance(response, dict):
        yield str(response.get("Error", {}).get("Code", ""))


def _statuses(problem: BaseException) -> Iterator[int]:
    """HTTP statuses: botocore keeps them in a response or for want of a code as one, gcsfs as code, aiohttp as status."""
    if {kind.__name__ for kind in type(problem).__mro__} & _OF_THE_PARSER:
        return
    response = getattr(problem, "response", None)
    status = getattr(problem, "status", None)
    said = [getattr(problem, "code", None) if status is None else status, *_codes(problem)]
    if isinstance(response, dict):
        said.append(response.get("ResponseMetadata", {}).get("HTTPStatusCode"))
    if str(problem).startswith("Forbidden:"):  # gcsfs says 403 as a bare OSError
        said.append(403)
    if str(problem).startswith(("Bad Request:", "Bucket is requester pays")):  # and 400 as a ValueError
        said.append(400)
    for each in said:
        if str(each).isdigit() and 100 <= int(str(each)) < 600:
            yield int(str(each))
