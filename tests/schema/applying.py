"""Ask the API server what it would store."""

import json
from typing import Any

import pytest
import yaml

from tools.kubectl import Kubectl, KubectlError


def dry_run(kubectl: Kubectl, manifest: dict[str, Any]) -> dict[str, Any]:
    """The object as the API server would store it."""
    printed = kubectl.run("apply", "--dry-run=server", "-o", "yaml", "-f", "-", stdin=json.dumps(manifest))
    stored: dict[str, Any] = yaml.safe_load(printed)
    return stored


def refusal(kubectl: Kubectl, manifest: dict[str, Any]) -> str:
    """What the API server says when it refuses the object, as it must: by a rule, not because a rule could not be evaluated."""
    with pytest.raises(KubectlError) as refused:
        dry_run(kubectl, manifest)
    said = str(refused.value)
    assert "no such" not in said
    return said
