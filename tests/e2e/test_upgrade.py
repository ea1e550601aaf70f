"""From the version before to this one and back, by kubectl and by Helm, while runs train: no run notices.

The ranks play (`tests.rank`): an upgrade replaces operators and definitions, and no worker.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

import images
from images.render import BASE
from tests import previous
from tests.e2e.conftest import BRISK, Playground, is_true, uids
from tests.e2e.releases import NAME, operator_image_of, release
from tests.helm import program
from tests.helm.program import CHART, Helm
from tests.patience import patience
from tools.install import OPERATOR, OPERATOR_NAMESPACE, probes
from tools.kubectl import Kubectl
from trainingrun.api import TrainingRun

pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(previous.commit() is None, reason="the history of this checkout does not have the version before"),
]


@dataclass(frozen=True)
class Version:
    """What an installation of it takes."""

    operator_image: str
    base: Path
    chart: Path


@dataclass(frozen=True)
class Way:
    """How one installs a version over whichever is there."""

    steps: Callable[[Version], Iterator[None]]
    """Each may be the last for a while. After all of them its operators are the only ones."""
    operators: Callable[[], set[str]]
    """The images of the pods of the operator."""


@pytest.fixture(scope="module")
def ours(playground: Playground) -> Version:
    return Version(operator_image_of(playground), base=BASE, chart=CHART)


@pytest.fixture(scope="module")
def before(playground: Playground, tmp_path_factory: pytest.TempPathFactory) -> Version:
    folder = previous.checkout(tmp_path_factory.mktemp("previous"))
    image = previous.load(playground.installation.cluster, folder)
    return Version(image, base=folder / "manifests" / "base", chart=folder / "charts" / "trainingrun")


@pytest.fixture
def by_kubectl(playground: Playground, ours: Version) -> Iterator[Callable[[str], Way]]:
    """`kubectl apply` over the operators of the other tests, which come back at the end. Definitions come `first` or `last`."""
    system = playground.installation.kubectl.within(OPERATOR_NAMESPACE)

    def way(definitions: str) -> Way:
        def steps(version: Version) -> Iterator[None]:
            objects = rendered(playground, version)
            for are_definitions in (True, False) if definitions == "first" else (False, True):
                system.apply(*(each for each in objects if (each["kind"] == "CustomResourceDefinition") == are_definitions))
                if not are_definitions:
                    system.run("rollout", "status", f"deployment/{OPERATOR}", "--timeout=120s", timeout=130)
                yield

        return Way(steps, operators=lambda: operator_images(system, name=OPERATOR))

    yield way
    deque(way("first").steps(ours), maxlen=0)


@pytest.fixture
def by_helm(playground: Playground, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Way]]:
    """`helm upgrade --install` of a release whose operators are the only ones meanwhile."""
    kubectl = playground.installation.kubectl
    helm = Helm(program=program.build(), home=tmp_path_factory.mktemp("helm"), kubeconfig=kubectl.kubeconfig)
    with release(helm, playground, namespace="e2e-helm-upgrade") as made:

        def steps(version: Version) -> Iterator[None]:
            made.install(chart=version.chart, operator_image=version.operator_image)
            yield

        yield lambda: Way(steps, operators=lambda: operator_images(made.system, name=NAME))


def rendered(playground: Playground, version: Version) -> list[dict[str, Any]]:
    """The manifests of a version, as `kubectl apply -k` would take them, with the times of tests."""
    references = {"operator": version.operator_image, "trainer": playground.installation.trainer_image}
    kubectl, patches = playground.installation.kubectl.binary, probes(patience(1))
    text = images.render(references, kubectl=kubectl, settings=BRISK, patches=patches, base=version.base)
    return list(yaml.safe_load_all(text))


WAYS = [
    pytest.param("kubectl", ["first"], marks=pytest.mark.long),
    pytest.param("kubectl", ["last"], marks=pytest.mark.long),
    ("helm", []),
]
"""Each takes a minute, so that CI has one of them."""


@pytest.mark.parametrize(("way", "arguments"), WAYS)
def test_runs_go_on_untouched_through_an_upgrade_and_back(
    way: str, arguments: list[str], playground: Playground, before: Version, ours: Version, request: pytest.FixtureRequest
) -> None:
    chosen: Way = request.getfixturevalue(f"by_{way}")(*arguments)
    name = "-".join(["by", way, *arguments])

    deque(chosen.steps(before), maxlen=0)
    assert chosen.operators() == {before.operator_image}
    upgraded = Watched.begin(playground, f"up-{name}")
    for _ in chosen.steps(ours):
        upgraded.check_that_it_goes_on()
    assert chosen.operators() == {ours.operator_image}

    taken_back = Watched.begin(playground, f"back-{name}")
    for _ in chosen.steps(before):
        taken_back.check_that_it_goes_on()
    assert chosen.operators() == {before.operator_image}

    for run in (upgraded, taken_back):
        run.check_that_it_ends_well()


@dataclass(frozen=True)
class Watched:
    """A run, and its pods when it had begun."""

    playground: Playground
    name: str
    pods: set[str]

    @classmethod
    def begin(cls, playground: Playground, name: str) -> "Watched":
        """Start a run that plays until it has gone on from a checkpoint, and wait until it trains."""
        playground.play(name, epochs=None)
        playground.wait_for_epoch(name, 1)
        return cls(playground, name, pods=uids(playground.pods(name)))

    def check_that_it_goes_on(self) -> None:
        """Progress is told by the new operators, too, of the same pods."""
        now = self.playground.get(self.name).status.checkpoint
        assert now is not None
        run = self.playground.wait_for_epoch(self.name, now.epoch + 1)
        self._check_that_it_is_untouched(run)

    def check_that_it_ends_well(self) -> None:
        """Its pods were the same until then; suspending and going on are understood by whoever is there now."""
        self._check_that_it_is_untouched(self.playground.get(self.name))
        self._set_suspend("true")
        self.playground.wait(self.name, "suspended", lambda run: is_true(run, "Suspended"))
        self._set_suspend("false")
        assert self.playground.wait_until_finished(self.name).status.result is not None

    def _set_suspend(self, value: str) -> None:
        self.playground.kubectl.run("patch", "trun", self.name, "--type=merge", "-p", f'{{"spec":{{"suspend":{value}}}}}')

    def _check_that_it_is_untouched(self, run: TrainingRun) -> None:
        assert run.status.attempt == 1
        assert uids(self.playground.pods(self.name)) == self.pods


def operator_images(system: Kubectl, *, name: str) -> set[str]:
    pods = system.list("pods", selector=f"app.kubernetes.io/name={name}")
    living = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    return {container["image"] for pod in living for container in pod["spec"]["containers"]}
