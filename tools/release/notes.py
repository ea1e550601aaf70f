"""The changelog of a release, from the fragments that each change has left in changelog.d."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from tools.release import checkout, versions
from tools.release.errors import ReleaseError


def write(root: Path, *, version: str) -> None:
    """Write the version and its part of CHANGELOG.md, and remove the fragments.

    Its date is the commit's. Raises ReleaseError where the version is not newer, or files were changed since the commit.
    """
    commit = checkout.commit(root)
    versions.write(root, version)
    day = datetime.fromtimestamp(commit.epoch, tz=UTC).date().isoformat()
    command = [sys.executable, "-m", "towncrier", "build", "--yes", "--version", version, "--date", day]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ReleaseError(f"towncrier could not write CHANGELOG.md: {(done.stderr or done.stdout).strip()}")
    print(
        f"The checkout is of version {version} now. Read CHANGELOG.md, commit, tag the commit v{version}, and then: "
        f"make release VERSION={version} REGISTRY=..."
    )
