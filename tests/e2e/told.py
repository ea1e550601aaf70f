"""An operator with other settings, for a while."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e.conftest import Playground
from tests.waiting import wait_for
from tools.install import OPERATOR, OPERATOR_NAMESPACE
from tools.kubectl import Kubectl


@contextmanager
def told(playground: Playground, **variables: str) -> Iterator[None]:
    """Both operators have these variables while the context lasts, as `kubectl set env` gives them to an administrator's."""
    system = playground.installation.kubectl.within(OPERATOR_NAMESPACE)
    try:
        _set(system, *(f"{name}={value}" for name, value in variables.items()))
        yield
    finally:
        _set(system, *(f"{name}-" for name in variables))


def _set(system: Kubectl, *words: str) -> None:
    """Those that go are gone afterwards: until then one of them may still lead."""
    system.run("set", "env", f"deployment/{OPERATOR}", *words)
    system.run("rollout", "status", f"deployment/{OPERATOR}", "--timeout=90s", timeout=100)
    wait_for(lambda: system.list("pods"), lambda pods: len(pods) == 2, what="the former operators to be gone", timeout=60)
