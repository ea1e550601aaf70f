"""What is in an image or a wheel, as CycloneDX (SBOM), by syft, which is built from its Go module."""

import json
import os
import subprocess
from pathlib import Path

from cluster.binaries import GoModule, ensure_extra
from images.cache import cache_folder
from tools.release.errors import ReleaseError

SYFT = GoModule("syft", ("github.com/anchore/syft/cmd/syft",), source=Path(__file__).parent / "go")
_SETTINGS = {"SYFT_CHECK_FOR_APP_UPDATE": "false", "SYFT_FILE_METADATA_SELECTION": "none"}
"""It asks no server, and lists packages without each of their files."""


def write(source: str, bill: Path, *, name: str, version: str) -> None:
    """List the packages of a source, such as `oci-dir:PATH` or `file:PATH`.

    Raises ReleaseError when it cannot be read, ClusterError when syft cannot be built.
    """
    syft = ensure_extra(SYFT, cache=cache_folder())["syft"]
    command = [str(syft), "scan", source, "--quiet", "--source-name", name, "--source-version", version]
    done = subprocess.run(
        [*command, "--output", f"cyclonedx-json={bill}"],
        env={**os.environ, **_SETTINGS},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ReleaseError(f"syft cannot read {source}: {done.stderr.strip()}")
    _without_chance(bill)


def _without_chance(bill: Path) -> None:
    """The serial number, which is drawn, and the time go: the same contents are the same bytes."""
    content = json.loads(bill.read_text())
    content.pop("serialNumber", None)
    content.get("metadata", {}).pop("timestamp", None)
    bill.write_text(json.dumps(content, indent=1) + "\n")
