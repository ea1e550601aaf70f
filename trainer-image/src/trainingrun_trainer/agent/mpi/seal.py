"""What agents believe each other: bytes that are sealed with the secret token of the attempt. Pure.

Whoever reaches the store can read and write it, but only the pods of the attempt know its token.
"""

import hashlib
import hmac
import json


def sealed(content: str, *, by: int, token: str) -> bytes:
    """The content with a seal that shows which worker it comes from."""
    return json.dumps({"content": content, "seal": _seal(content, by=by, token=token)}).encode()


def unsealed(value: bytes, *, by: int, token: str) -> str | None:
    """The content, or None when it was not this worker that sealed it."""
    try:
        parts = json.loads(value)
        content, seal = str(parts["content"]), str(parts["seal"])
    except (ValueError, TypeError, KeyError):
        return None
    return content if hmac.compare_digest(seal.encode(), _seal(content, by=by, token=token).encode()) else None


def _seal(content: str, *, by: int, token: str) -> str:
    return hmac.new(token.encode(), f"{by}\n{content}".encode(), hashlib.sha256).hexdigest()
