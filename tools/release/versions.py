"""The version of all that is released, and the one place where it is written."""

import re
from pathlib import Path

from tools.release.errors import ReleaseError

PLACE = Path("sdk/src/trainingrun/version.py")
_LINE = re.compile(r'^VERSION = "(?P<version>[^"]+)"$', re.MULTILINE)
_NUMBER = r"(0|[1-9]\d*)"
_SEMANTIC = re.compile(rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(-(?P<stage>alpha|beta|rc)\.{_NUMBER})?")
"""What https://semver.org and PEP 440 both understand."""

Order = tuple[int, int, int, str, int]


def current(root: Path) -> str:
    """The version of this checkout."""
    return _found(root)["version"]


def write(root: Path, version: str) -> None:
    """Make it the version of this checkout. Raises ReleaseError when it is none, or not newer than the one that is there."""
    if order(version) <= order(current(root)):
        raise ReleaseError(f"Version {version} is not newer than {current(root)}, which {PLACE} has: choose a newer one.")
    path = root / PLACE
    path.write_text(_LINE.sub(f'VERSION = "{version}"', path.read_text()))


def order(version: str) -> Order:
    """By what versions are compared: 1.2.0-rc.1 comes before 1.2.0. Raises ReleaseError when it is no version."""
    found = _SEMANTIC.fullmatch(version)
    if found is None:
        raise ReleaseError(f"{version!r} is no version: write it as 1.2.3 or 1.2.3-rc.1, without a v.")
    major, minor, patch = (int(found[group]) for group in (1, 2, 3))
    return major, minor, patch, found["stage"] or "released", int(found[6] or 0)


def _found(root: Path) -> re.Match[str]:
    found = _LINE.search((root / PLACE).read_text())
    if found is None:
        raise ReleaseError(f'{PLACE} has no line VERSION = "...": put it back.')
    return found
