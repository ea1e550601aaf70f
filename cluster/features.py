"""What a cluster has turned on that Kubernetes leaves off by default."""

from dataclasses import dataclass

_GATED = ("apiserver", "controller-manager", "scheduler", "kubelet")


@dataclass(frozen=True)
class Features:
    """Feature gates, and versions of APIs such as `scheduling.k8s.io/v1beta1`."""

    gates: tuple[str, ...] = ()
    apis: tuple[str, ...] = ()

    def flags(self, component: str) -> list[str]:
        """What the command line of a component ends with."""
        flags = []
        if self.gates and component in _GATED:
            flags.append(f"--feature-gates={','.join(f'{gate}=true' for gate in self.gates)}")
        if self.apis and component == "apiserver":
            flags.append(f"--runtime-config={','.join(f'{api}=true' for api in self.apis)}")
        return flags


NOTHING_MORE = Features()
