"""What the operator has mounted for a uri: the keys of its Secret as files, and the certificates of its CA."""

from dataclasses import dataclass
from pathlib import Path

from trainingrun.api import Location
from trainingrun.contract import CERTIFICATE_AUTHORITY_FILE, Cause
from trainingrun_trainer.errors import TrainerError, bad_config, failed


@dataclass(frozen=True)
class Access:
    """A location of the specification, and the files that open it."""

    location: Location
    field: str
    """Where the specification says it, for example `spec.output`."""
    mount: Path
    unavailable: Cause
    """The cause of an attempt that ends because nobody answers there."""

    @property
    def uri(self) -> str:
        """The uri without a slash at its end."""
        return (self.location.uri or "").rstrip("/")

    @property
    def path(self) -> str:
        """The folder as fsspec's file systems write it: web servers by their whole uri, object stores by bucket and prefix."""
        return self.uri if self.uri.startswith("https://") else self.uri.partition("://")[2]

    def key(self, name: str) -> str | None:
        """The content of a key of the Secret, or None when it has no such key."""
        try:
            return (self.mount / name).read_text().strip()
        except FileNotFoundError:
            return None

    def require(self, name: str) -> Path:
        """The file of a key that the Secret must have.

        Raises TrainerError: retryable when there is no Secret yet, bad config when it lacks the key.
        """
        path = self.mount / name
        if not path.is_file():
            raise self._missing(name)
        return path

    @property
    def certificates(self) -> Path | None:
        """The CA bundle that is trusted instead of the image's own. Raises TrainerError (bad config) when it is missing."""
        if self.location.certificate_authority is None:
            return None
        path = self.mount / CERTIFICATE_AUTHORITY_FILE
        if not path.is_file():
            raise bad_config(
                f"The key that {self.field}.certificateAuthority names does not exist: correct its name and key, or create it."
            )
        return path

    def _missing(self, name: str) -> TrainerError:
        secret, where = self.location.secret_name, f"{self.field}.secretName"
        keys = [path.name for path in self.mount.glob("*") if path.is_file()]
        if not keys:
            return failed(
                f"The Secret {secret} ({where}) does not exist, or is empty.",
                cause=self.unavailable,
                hint=f"Create it with the key {name} for {self.uri}; the next attempt reads it.",
            )
        return bad_config(f"The Secret {secret} ({where}) has no key {name}, which {self.uri} needs; it has {', '.join(keys)}.")
