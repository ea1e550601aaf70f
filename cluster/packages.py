"""Debian packages that the embedded cluster runs on, installed when they are missing."""

import os
import shutil
from collections.abc import Mapping, Sequence

from cluster.errors import ClusterError
from cluster.shell import run
from images import apt

INSTALL_TIMEOUT = 900.0

PACKAGES = {
    "containerd": "/usr/bin/containerd",
    "runc": "/usr/sbin/runc",
    "containernetworking-plugins": "/usr/lib/cni/bridge",
    "iptables": "/usr/sbin/iptables",
    "iproute2": "/usr/bin/ip",
    "conntrack": "/usr/sbin/conntrack",
    "openssl": "/usr/bin/openssl",
    "procps": "/usr/sbin/sysctl",
}
"""Package and a file of it that shows that it is installed."""


def ensure(packages: dict[str, str] = PACKAGES, *, needed_by: str = "The embedded cluster") -> None:
    """Install the packages that are missing, without starting their services. `needed_by` begins the sentence of an error.

    Raises ClusterError naming the packages when this system has no apt, or when one cannot be installed.
    """
    names = " ".join(apt.missing(packages))
    if not names:
        return
    if shutil.which("apt-get") is None:
        raise ClusterError(
            f"{needed_by} needs {names}, and this system has no apt-get: install them with its own package manager"
            f"{', or use CLUSTER=kind or CLUSTER=existing' if packages is PACKAGES else ''}."
        )
    try:
        apt.install(packages, run=_run)
    except ClusterError as refused:
        raise ClusterError(
            f"The packages {names} could not be installed ({refused}). Install them by hand and try again."
        ) from refused


def _run(command: Sequence[str], environment: Mapping[str, str]) -> None:
    run(command, timeout=INSTALL_TIMEOUT, environment={**os.environ, **environment})
