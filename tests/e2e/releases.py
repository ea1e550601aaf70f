"""The chart as a release on the cluster of the end-to-end tests: its operators are the only ones meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.conftest import BRISK, Playground
from tests.helm.program import CHART, Helm
from tests.patience import patience
from tools.install import OPERATOR, OPERATOR_NAMESPACE
from tools.kubectl import Kubectl

RELEASE = "trainingrun"
NAME = "operator-of-helm"
"""Of all that it installs: the other installation keeps its own."""


@dataclass(frozen=True)
class Release:
    """A release, and the namespace of its operators. `values` are its own, beside those that all have."""

    helm: Helm
    playground: Playground
    system: Kubectl
    values: dict[str, Any] = field(default_factory=dict)

    def install(self, *, chart: Path = CHART, operator_image: str | None = None, **settings: float) -> None:
        """Install, or upgrade to this chart, image and settings, and wait until the operators are there.

        The definitions are those of the other tests until Helm takes them over, as for one who leaves kubectl for Helm.
        """
        leaving_kubectl = () if self.system.get("deployment", NAME) else ("--take-ownership", "--force-conflicts")
        values: dict[str, Any] = {
            "name": NAME,
            "image": image(operator_image or operator_image_of(self.playground)),
            "trainer": {"image": image(self.playground.installation.trainer_image)},
            "settings": {name: number(value) for name, value in BRISK.items()} | settings,
            "watchNamespaces": [self.playground.namespace],
            "roles": {"enabled": False},
            **self.values,
        }
        where = ("--namespace", str(self.system.namespace), "--create-namespace")
        waiting = ("--wait", f"--timeout={patience(120):.0f}s")
        self.helm.run(
            "upgrade", RELEASE, str(chart), "--install", *where, *leaving_kubectl, *waiting, values=values, timeout=130
        )

    def operators(self) -> list[dict[str, Any]]:
        """The pods of its operators."""
        return list(self.system.list("pods", selector=f"app.kubernetes.io/name={NAME}"))

    def uninstall(self) -> None:
        """`helm uninstall`, which is fine when nothing is installed."""
        where = ("--namespace", str(self.system.namespace))
        waiting = ("--wait", f"--timeout={patience(90):.0f}s")
        self.helm.run("uninstall", RELEASE, *where, "--ignore-not-found", *waiting, timeout=100)


@contextmanager
def release(helm: Helm, playground: Playground, *, namespace: str, values: dict[str, Any] | None = None) -> Iterator[Release]:
    """A release that is not installed yet, in a namespace of its own; the operators of the other tests rest meanwhile."""
    admin = playground.installation.kubectl
    admin.delete("namespace", namespace)  # that of an earlier session, which may have been interrupted
    with playground.without_operator():
        made = Release(helm, playground, admin.within(namespace), values=values or {})
        try:
            yield made
        finally:
            made.uninstall()
            admin.run("delete", "namespace", namespace, "--ignore-not-found", "--wait=false")


def operator_image_of(playground: Playground) -> str:
    """The image of the operators of the other tests, which is this checkout's."""
    deployment = playground.installation.kubectl.within(OPERATOR_NAMESPACE).get("deployment", OPERATOR)
    assert deployment is not None
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return str(container["image"])


def number(text: str) -> float:
    """As one writes it into a file of values: whole where it is."""
    value = float(text)
    return int(value) if value.is_integer() else value


def image(reference: str) -> dict[str, str]:
    """A name of an image as the chart takes it."""
    repository, _, tag = reference.rpartition(":")
    return {"repository": repository, "tag": tag}
