"""The file systems of fsspec for each kind of uri, with bounded time-outs.

They remember no listings, because other attempts write too. What stumbles for a moment is tried again by the packages, each
request by itself: a listing of a million files has a thousand of them, and a large file is written in parts. For what takes
longer `guarded` has patience. Proxies are those of the environment: HTTPS_PROXY, HTTP_PROXY and NO_PROXY.
"""

import ssl
from typing import Any

from trainingrun.api import Addressing
from trainingrun_trainer.errors import bad_config
from trainingrun_trainer.remote.access import Access

CONNECT_SECONDS = 5
READ_SECONDS = 10
"""Between two packets; a large file may take as long as it needs."""
REQUEST_TRIES = 3
"""Of one request to S3, with pauses of up to 1 and 2 s, drawn. Google's package has tries of its own."""

FileSystem = Any

_FRESH = {"use_listings_cache": False, "skip_instance_cache": True}


def connect(access: Access) -> FileSystem:
    """The file system of a uri. Nothing is asked over the network yet, apart from where ambient credentials come from.

    Raises TrainerError about what is missing in the Secret.
    """
    scheme = access.uri.partition("://")[0]
    return {"s3": _s3, "gs": _google, "https": _https}[scheme](access)


def _s3(access: Access) -> FileSystem:
    import s3fs

    certificates = access.certificates
    filesystem = s3fs.S3FileSystem(
        **_s3_credentials(access),
        endpoint_url=access.location.endpoint,
        client_kwargs={
            **({"region_name": region} if (region := access.key("AWS_REGION")) else {}),
            **({"verify": str(certificates)} if certificates is not None else {}),
        },
        config_kwargs={
            "connect_timeout": CONNECT_SECONDS,
            "read_timeout": READ_SECONDS,
            # Not "adaptive", which slows down all that follows: patience comes after this.
            "retries": {"mode": "standard", "total_max_attempts": REQUEST_TRIES},
            "s3": _addressing(access),
            **(_S3_COMPATIBLE if access.location.endpoint else {}),
        },
        **_FRESH,
    )
    filesystem.retries = 1
    return filesystem


def _addressing(access: Access) -> dict[str, str]:
    """Where the bucket's name stands: servers other than the cloud's own rarely have a name for each bucket."""
    chosen = access.location.addressing
    if chosen is None:
        return {"addressing_style": "path"} if access.location.endpoint else {}
    return {"addressing_style": {Addressing.PATH: "path", Addressing.VIRTUAL_HOSTED: "virtual"}[chosen]}


_S3_COMPATIBLE = {
    # Checksums that only Amazon's own servers know.
    "request_checksum_calculation": "when_required",
    "response_checksum_validation": "when_required",
}


def _s3_credentials(access: Access) -> dict[str, Any]:
    """Of the Secret; without one those that botocore finds around the pod, or else none."""
    if access.location.secret_name is not None:
        return {
            "key": access.require("AWS_ACCESS_KEY_ID").read_text().strip(),
            "secret": access.require("AWS_SECRET_ACCESS_KEY").read_text().strip(),
            "token": access.key("AWS_SESSION_TOKEN"),
        }
    import botocore.session

    return {"anon": botocore.session.get_session().get_credentials() is None}


def _google(access: Access) -> FileSystem:
    # Not the package's own GCSFileSystem: that one asks with the surroundings' credentials what kind of bucket it is.
    from gcsfs.core import GCSFileSystem

    token = str(access.require("key.json")) if access.location.secret_name is not None else None
    options = {
        "endpoint_url": access.location.endpoint,
        "requests_timeout": _timeout(),
        "session_kwargs": {"trust_env": True},
        **_FRESH,
    }
    try:
        return GCSFileSystem(token=token, **options)
    except (ValueError, KeyError) as malformed:
        raise bad_config(
            f"The key key.json of the Secret {access.location.secret_name} ({access.field}.secretName) is no key of a service "
            f"account: {malformed!r}. Put the JSON file there that Google has issued."
        ) from malformed


def _https(access: Access) -> FileSystem:
    from fsspec.implementations.http import HTTPFileSystem

    certificates = access.certificates
    trusted = {"ssl": ssl.create_default_context(cafile=str(certificates))} if certificates is not None else {}
    return HTTPFileSystem(client_kwargs={"timeout": _timeout(), "trust_env": True}, **trusted, **_FRESH)


def _timeout() -> Any:
    """As aiohttp writes it."""
    import aiohttp

    return aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=READ_SECONDS)
