"""Ask the API server what it would store.

The many cases of the tables ask it over one connection, with what `kubectl create --dry-run=server` sends: a kubectl for each
would take a tenth of a second of a processor. What kubectl makes of an object of its own accord is asked with kubectl.
"""

import http.client
import json
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.faults.api import Endpoint
from tests.patience import patience
from tools.kubectl import Kubectl
from trainingrun.api import GROUP, PLURAL, PRESET_PLURAL, VERSION

_COLLECTIONS = {
    "TrainingRun": f"apis/{GROUP}/{VERSION}/namespaces/{{}}/{PLURAL}",
    "TrainingPreset": f"apis/{GROUP}/{VERSION}/{PRESET_PLURAL}",
    "Pod": "api/v1/namespaces/{}/pods",
    "Service": "api/v1/namespaces/{}/services",
    "ConfigMap": "api/v1/namespaces/{}/configmaps",
    "Job": "apis/batch/v1/namespaces/{}/jobs",
    "NetworkPolicy": "apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
}
_QUERY = "dryRun=All&fieldValidation=Strict&fieldManager=tests"


class RefusedError(Exception):
    """The API server refuses an object; the text is what it says."""


def dry_run(kubectl: Kubectl, manifest: dict[str, Any]) -> dict[str, Any]:
    """The object as the API server would store it if it were new. Raises RefusedError."""
    namespace = manifest["metadata"].get("namespace") or kubectl.namespace or "default"
    connection = _connected(kubectl.kubeconfig, kubectl.binary)
    path, headers = f"/{_COLLECTIONS[manifest['kind']].format(namespace)}?{_QUERY}", {"Content-Type": "application/json"}
    try:
        status, found = _answer(connection, path, manifest, headers)
    except (http.client.HTTPException, OSError):
        connection.close()  # the API server ends what has been idle for minutes; the next request connects anew
        status, found = _answer(connection, path, manifest, headers)
    if status >= 300:
        raise RefusedError(found["message"])
    return found


def _answer(
    connection: http.client.HTTPSConnection, path: str, manifest: dict[str, Any], headers: dict[str, str]
) -> tuple[int, dict[str, Any]]:
    connection.request("POST", path, body=json.dumps(manifest), headers=headers)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def refusal(kubectl: Kubectl, manifest: dict[str, Any]) -> str:
    """What the API server says when it refuses the object, as it must: by a rule, not because a rule could not be evaluated."""
    with pytest.raises(RefusedError) as refused:
        dry_run(kubectl, manifest)
    said = str(refused.value)
    assert "no such" not in said
    return said


def dry_apply(kubectl: Kubectl, manifest: dict[str, Any]) -> None:
    """Ask what `kubectl apply` would make of an object that is there. Raises KubectlError."""
    kubectl.run("apply", "--dry-run=server", "-f", "-", stdin=json.dumps(manifest))


@cache
def _connected(kubeconfig: Path, binary: str) -> http.client.HTTPSConnection:
    endpoint = Endpoint.of(Kubectl(binary=binary, kubeconfig=kubeconfig))
    server = urlsplit(endpoint.server)
    return http.client.HTTPSConnection(server.hostname or "", server.port, context=endpoint.context(), timeout=patience(30))
