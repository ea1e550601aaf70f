"""A watch that goes on: against an API server that forgets, breaks off and goes away."""

import itertools
import time
from pathlib import Path

import pytest

from tests.unit.client.api_server import Store, serving
from tests.unit.client.runs import a_run
from trainingrun.client import TrainingClient, UnreachableError
from trainingrun.client.kube import KubeCluster
from trainingrun.client.port import RUN
from trainingrun.client.watching import Change, changes


def told(change: Change) -> tuple[str, str, bool]:
    return change.found["metadata"]["name"], change.found.get("status", {}).get("columns", {}).get("status", ""), change.is_gone


def test_every_change_comes_once(store: Store, client: TrainingClient) -> None:
    store.put("trainingruns", a_run("a"))
    seen = changes(client.cluster, RUN)
    assert told(next(seen)) == ("a", "Running", False)
    store.put("trainingruns", a_run("b"))
    assert told(next(seen)) == ("b", "Running", False)
    store.remove("trainingruns", "a")
    assert told(next(seen)) == ("a", "Running", True)
    seen.close()
    assert [params.get("watch") for method, path, params, _ in store.asked if path.endswith("trainingruns")] == [None, "true"]


@pytest.mark.parametrize("forget", [False, True], ids=["the connection breaks", "410 Gone"])
def test_what_happens_while_the_watch_is_broken_is_told(store: Store, client: TrainingClient, forget: bool) -> None:
    for name in ("kept", "changed", "gone"):
        store.put("trainingruns", a_run(name))
    pauses: list[float] = []
    seen = changes(client.cluster, RUN, pause=pauses.append)
    assert [told(change)[0] for change in itertools.islice(seen, 3)] == ["kept", "changed", "gone"]
    store.put("trainingruns", a_run("late"))
    assert told(next(seen))[0] == "late"  # the watch is open
    with store.changed:
        store.remove("trainingruns", "gone")
        store.put("trainingruns", a_run("changed", state="Succeeded"))
        store.events.clear()  # the watch itself tells nothing of it
        store.cut_off(forget=forget)
    news = [told(change) for change in itertools.islice(seen, 2)]
    assert sorted(news) == [("changed", "Succeeded", False), ("gone", "Running", True)]
    seen.close()


def test_an_api_server_that_was_never_there_is_said_to_be_unreachable(tmp_path: Path) -> None:
    with serving(tmp_path) as (_, kubeconfig):
        pass
    cluster = KubeCluster(kubeconfig=kubeconfig)
    with pytest.raises(UnreachableError, match=r"http://127.0.0.1:\d+ does not answer: .* right context"):
        next(changes(cluster, RUN))
    cluster.close()


def test_one_that_goes_away_is_waited_for_with_patience(tmp_path: Path) -> None:
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        time.sleep(0.1)

    with serving(tmp_path) as (store, kubeconfig):
        store.put("trainingruns", a_run("a"))
        cluster = KubeCluster(kubeconfig=kubeconfig)
        seen = changes(cluster, RUN, patience=0.5, pause=pause)
        next(seen)
        store.put("trainingruns", a_run("b"))
        next(seen)  # the watch is open
    with pytest.raises(UnreachableError):
        next(seen)
    cluster.close()
    assert pauses
    assert pauses == sorted(pauses)


def test_it_ends_with_its_time(store: Store, client: TrainingClient) -> None:
    store.put("trainingruns", a_run("a"))
    assert [told(change)[0] for change in changes(client.cluster, RUN, at_most=1)] == ["a"]
