"""Where the cluster is and who one is there, as kubeconfigs say it."""

import os
import socket
import ssl
from pathlib import Path

import msgspec
from lightkube.config.client_adapter import verify_cluster
from lightkube.config.kubeconfig import KubeConfig, SingleConfig
from lightkube.config.models import NameValue, UserExec
from lightkube.core.exceptions import ConfigError

_EXEC_GROUP = "client.authentication.k8s.io"
_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")


def configuration(kubeconfig: str | Path | None, context: str | None) -> SingleConfig:
    """The cluster and the user of a context, of the first file that has it.

    By default the current one of $KUBECONFIG or ~/.kube/config, else those around this pod. Raises lightkube's ConfigError.
    """
    named = str(kubeconfig or os.environ.get("KUBECONFIG", ""))
    files = [Path(file).expanduser() for file in named.split(os.pathsep) if file] or [Path("~/.kube/config").expanduser()]
    if not named and not files[0].is_file() and _SERVICE_ACCOUNT.is_file():
        around: SingleConfig = KubeConfig.from_service_account().get()  # type: ignore[assignment] # it has one context
        return around
    read = [KubeConfig.from_file(file) for file in files if file.is_file() or len(files) == 1]
    chosen = context or next((each.current_context for each in read if each.current_context), None)
    holding = next((each for each in read if chosen in each.contexts), None)
    if chosen is None or holding is None:
        said = f"there is no context {chosen}" if chosen else "no context is current"
        raise ConfigError(f"{said} in {', '.join(map(str, files))}")
    found = holding.get(chosen)
    assert found is not None
    return _with_stable_exec(found)


def _with_stable_exec(config: SingleConfig) -> SingleConfig:
    """lightkube calls v1beta1 of the plug-ins' interface only; in v1 the plug-in is also told which version is asked for."""
    plugin = config.user.exec if config.user is not None else None
    if config.user is None or plugin is None or plugin.apiVersion != f"{_EXEC_GROUP}/v1":
        return config
    told = f'{{"apiVersion":"{_EXEC_GROUP}/v1","kind":"ExecCredential","spec":{{"interactive":false}}}}'
    asked = UserExec(
        apiVersion=f"{_EXEC_GROUP}/v1beta1",
        command=plugin.command,
        args=plugin.args,
        env=[*(plugin.env or []), NameValue(name="KUBERNETES_EXEC_INFO", value=told)],
    )
    return config._replace(user=msgspec.structs.replace(config.user, exec=asked))


def verified(config: SingleConfig) -> ssl.SSLContext:
    """How the API server is known, and the user to it."""
    assert config.user is not None, "the context names no user"
    return verify_cluster(config.cluster, config.user, config.abs_file)


def keepalive() -> list[tuple[int, int, int]]:
    """A watch is quiet for hours; a peer that has gone (a laptop slept, a NAT forgot) is noticed within a minute and a half."""
    options = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    known = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))  # macOS names the first one differently
    return options + [(socket.IPPROTO_TCP, getattr(socket, name), value) for name, value in known if hasattr(socket, name)]
