"""The Pod Security level `restricted`, written down from the table of the Pod Security Standards in Kubernetes' documentation.

Apart from the code that makes pods, so that a test can hold the one against the other.
"""

from collections.abc import Iterator
from typing import Any

Raw = dict[str, Any]

VOLUME_TYPES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
POD_FIELDS = ("hostNetwork", "hostPID", "hostIPC")
SELINUX_TYPES = (None, "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")


def violations(pod: Raw) -> list[str]:
    """What `restricted` forbids in this pod's spec; empty when it admits the pod."""
    found = [*_pod(pod), *_volumes(pod)]
    for container in _containers(pod):
        found += [*_container(container), *_contexts(pod, container)]
    return found


def _containers(pod: Raw) -> list[Raw]:
    return [*pod.get("initContainers", ()), *pod["containers"], *pod.get("ephemeralContainers", ())]


def _pod(pod: Raw) -> Iterator[str]:
    yield from (field for field in POD_FIELDS if pod.get(field))
    if pod.get("securityContext", {}).get("sysctls"):
        yield "sysctls"


def _volumes(pod: Raw) -> Iterator[str]:
    for volume in pod.get("volumes", ()):
        kinds = set(volume) - {"name"}
        if len(kinds) != 1 or not kinds <= VOLUME_TYPES:
            yield f"volume type {sorted(kinds)}"


def _container(container: Raw) -> Iterator[str]:
    context = container.get("securityContext", {})
    capabilities = context.get("capabilities", {})
    if context.get("privileged"):
        yield "privileged"
    if context.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation"
    if "ALL" not in capabilities.get("drop", ()) or set(capabilities.get("add", ())) - {"NET_BIND_SERVICE"}:
        yield "capabilities"
    if context.get("procMount", "Default") != "Default":
        yield "procMount"
    if any(port.get("hostPort") for port in container.get("ports", ())):
        yield "hostPort"
    if any(_names_a_host(container.get(probe, {})) for probe in ("livenessProbe", "readinessProbe", "startupProbe")):
        yield "probe host"
    if any(_names_a_host(hook) for hook in container.get("lifecycle", {}).values()):
        yield "hook host"


def _names_a_host(handler: Raw) -> bool:
    return any(handler.get(kind, {}).get("host") for kind in ("httpGet", "tcpSocket"))


def _contexts(pod: Raw, container: Raw) -> Iterator[str]:
    """Fields that the container says, or else the pod."""
    both = (pod.get("securityContext", {}), container.get("securityContext", {}))
    context = {**both[0], **both[1]}
    if context.get("runAsNonRoot") is not True:
        yield "runAsNonRoot"
    if any(part.get("runAsUser") == 0 for part in both):
        yield "runAsUser"
    if context.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
        yield "seccompProfile"
    if any(part.get("appArmorProfile", {}).get("type") == "Unconfined" for part in both):
        yield "appArmorProfile"
    if any(part.get("windowsOptions", {}).get("hostProcess") for part in both):
        yield "hostProcess"
    if any(_changes_selinux(part.get("seLinuxOptions", {})) for part in both):
        yield "seLinuxOptions"


def _changes_selinux(options: Raw) -> bool:
    return options.get("type") not in SELINUX_TYPES or bool(options.get("user") or options.get("role"))
