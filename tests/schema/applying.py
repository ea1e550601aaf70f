"""Ask the API server what it would store."""

import json
from typing import Any

import yaml

from tools.kubectl import Kubectl


def dry_run(kubectl: Kubectl, manifest: dict[str, Any]) -> dict[str, Any]:
    """The object as the API server would store it."""
    printed = kubectl.run("apply", "--dry-run=server", "-o", "yaml", "-f", "-", stdin=json.dumps(manifest))
    stored: dict[str, Any] = yaml.safe_load(printed)
    return stored
