"""OpenShift's security context constraint `restricted-v2`, as far as users and groups go, played by admission policies.

Every namespace has users and a group of its own, which annotations name. Pods that name others are refused, in OpenShift's
words; pods that name none get them. Source: "Managing security context constraints" of OpenShift's documentation, and the
annotations that its namespaces have. Supplementary groups are free there, and bound here: what fits these fits those.
"""

from typing import Any

Manifest = dict[str, Any]

FIRST_USER, USERS = 1000650000, 10000
NAME = "tests-restricted-v2"
LABEL = {"tests.trainingrun.dev/scc": "restricted-v2"}
ANNOTATIONS = {
    "openshift.io/sa.scc.uid-range": f"{FIRST_USER}/{USERS}",
    "openshift.io/sa.scc.supplemental-groups": f"{FIRST_USER}/{USERS}",
}

_PODS = {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]}
_VARIABLES = [
    {"name": "users", "expression": "namespaceObject.metadata.annotations['openshift.io/sa.scc.uid-range'].split('/')"},
    {"name": "first", "expression": "int(variables.users[0])"},
    {"name": "last", "expression": "variables.first + int(variables.users[1]) - 1"},
]
_IN_RANGE = "%s >= variables.first && %s <= variables.last"
_CONTAINERS = "object.spec.containers.map(c, Object.spec.containers{name: c.name, securityContext: %s})"
_POD = "Object.spec.securityContext{fsGroup: object.spec.?securityContext.?fsGroup.orValue(variables.first)}"
_CONTAINER = (
    "Object.spec.containers.securityContext{runAsUser: c.?securityContext.?runAsUser.orValue("
    "object.spec.?securityContext.?runAsUser.orValue(variables.first))}"
)


def a_constraint() -> tuple[Manifest, ...]:
    """The policies and their bindings to namespaces that have `LABEL`."""
    mutation = f"Object{{spec: Object.spec{{securityContext: {_POD}, containers: {_CONTAINERS % _CONTAINER}}}}}"
    given = {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": mutation}}
    return (
        _policy("Mutating", mutations=[given], reinvocationPolicy="Never"),
        _binding("Mutating"),
        _policy("Validating", validations=[_users(), _group(), _groups()]),
        _binding("Validating", validationActions=["Deny"]),
    )


def kinds() -> tuple[str, ...]:
    """Of the objects, those that bind before those that are bound."""
    return tuple(reversed([str(manifest["kind"]).lower() for manifest in a_constraint()]))


def _users() -> Manifest:
    of_pod = "object.spec.?securityContext.?runAsUser"
    asked = f"object.spec.containers.map(c, c.?securityContext.?runAsUser.orValue({of_pod}.orValue(-1)))"
    allowed = f"({asked} + [{of_pod}.orValue(variables.first)]).all(user, {_IN_RANGE % ('user', 'user')})"
    return _refusal(allowed, ".containers[0].runAsUser: Invalid value: must be in the ranges: [")


def _group() -> Manifest:
    allowed = "object.spec.?securityContext.?fsGroup.orValue(-1) == variables.first"
    return _refusal(allowed, ".spec.securityContext.fsGroup: not an allowed group: [")


def _groups() -> Manifest:
    allowed = f"object.spec.?securityContext.?supplementalGroups.orValue([]).all(group, {_IN_RANGE % ('group', 'group')})"
    return _refusal(allowed, ".spec.securityContext.supplementalGroups: not an allowed group: [")


def _refusal(allowed: str, words: str) -> Manifest:
    said = f"unable to validate against any security context constraint: [provider restricted-v2: {words}"
    return {
        "expression": allowed,
        "messageExpression": f"'{said}' + string(variables.first) + ', ' + string(variables.last) + ']]'",
    }


def _policy(kind: str, **fields: Any) -> Manifest:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": f"{kind}AdmissionPolicy",
        "metadata": {"name": NAME},
        "spec": {"failurePolicy": "Fail", "matchConstraints": _PODS, "variables": _VARIABLES, **fields},
    }


def _binding(kind: str, **fields: Any) -> Manifest:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": f"{kind}AdmissionPolicyBinding",
        "metadata": {"name": NAME},
        "spec": {"policyName": NAME, "matchResources": {"namespaceSelector": {"matchLabels": LABEL}}, **fields},
    }
