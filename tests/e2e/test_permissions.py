"""The shipped roles against what the operator has asked of the API server while all the other tests ran.

The API server's audit log tells: nothing was forbidden, and nothing is allowed that was never needed.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from cluster.embedded import EmbeddedCluster
from tests.e2e import record
from tests.waiting import wait_for
from tools.install import OPERATOR, OPERATOR_NAMESPACE, Installation

pytestmark = pytest.mark.alone

MANIFEST = Path(__file__).parent.parent.parent / "manifests" / "base" / "rbac.yaml"
USER = f"system:serviceaccount:{OPERATOR_NAMESPACE}:{OPERATOR}"
LEASE = "trainingrun-operator"
ONLY_LONG = {"test_addresses.py", "test_isolation.py", "test_openshift.py", "test_tutorial.py"}
"""What `make test` runs nothing of."""


@dataclass(frozen=True)
class Asked:
    """One request of the operator."""

    group: str
    resource: str
    """With its subresource, as roles name it."""
    verb: str
    is_allowed: bool
    """Whether its roles allow it. What a quota or the end of a namespace refuses is a 403 too, and no matter of roles."""

    @property
    def permission(self) -> tuple[str, str, str]:
        """What a role has to grant for it."""
        return self.group, self.resource, self.verb


@pytest.fixture(scope="module")
def asked(installation: Installation) -> list[Asked]:
    """Everything that the operator has asked for since the first session of tests began."""
    if not isinstance(installation.cluster, EmbeddedCluster):
        pytest.skip("only the embedded cluster keeps an audit log")  # CLUSTER=kind or existing: the log is not ours to read
    system = installation.kubectl.within(OPERATOR_NAMESPACE)
    # The Lease is only made when there is none: so there is none, and the operator, which leads, must go on all the same.
    system.run("delete", "lease", LEASE)
    wait_for(lambda: system.get("lease", LEASE), lambda lease: lease is not None, what="the Lease to be made again", timeout=60)
    log = installation.cluster.layout().audit_log
    began, _ = record.read()
    return list(_requests(log, since=began or installation.began))


def test_nothing_that_the_operator_asked_for_was_forbidden(asked: list[Asked]) -> None:
    assert asked, "the audit log has no request of the operator, so that this says nothing"
    assert [request for request in asked if not request.is_allowed] == []


def test_every_permission_was_used(asked: list[Asked], request: pytest.FixtureRequest) -> None:
    _, before = record.read()
    files = before | {item.path.name for item in request.session.items}
    missing = {path.name for path in Path(__file__).parent.glob("test_*.py")} - files - ONLY_LONG
    if missing:
        some = ", ".join(sorted(missing))
        pytest.skip(f"the whole suite is needed, and {some} did not run")  # a few tests use a few permissions only
    used = {each.permission for each in asked}
    assert granted() - used == set()


def granted() -> set[tuple[str, str, str]]:
    """Group, resource and verb of everything that the shipped roles let the operator do."""
    roles = [found for found in yaml.safe_load_all(MANIFEST.read_text()) if "rules" in found]
    return {
        (group, resource, verb)
        for role in roles
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def _requests(log: Path, *, since: str) -> Iterator[Asked]:
    for line in log.read_text().splitlines():
        event = json.loads(line)
        if event["user"]["username"] != USER or event["requestReceivedTimestamp"] < since or "objectRef" not in event:
            continue
        about = event["objectRef"]
        resource = "/".join(filter(None, (about["resource"], about.get("subresource"))))
        is_allowed = event["annotations"]["authorization.k8s.io/decision"] == "allow"
        yield Asked(group=about.get("apiGroup", ""), resource=resource, verb=event["verb"], is_allowed=is_allowed)
