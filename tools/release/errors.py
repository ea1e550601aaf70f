"""What keeps a release from being made."""


class ReleaseError(Exception):
    """A sentence for whoever makes the release: what is wrong, and the way out."""
