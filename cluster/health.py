"""Whether components answer: one that hangs still has its process, and one that was killed may have left its socket."""

import sys
from collections.abc import Iterable
from pathlib import Path

from cluster import network
from cluster.api import Api
from cluster.components import Component
from cluster.errors import ClusterError
from cluster.layout import Layout
from cluster.shell import run, succeeds

ASK_SECONDS = 2.0
"""After which a component that has not answered yet does not answer, unless somebody is more patient."""
STARTING_SECONDS = 30.0
"""What the program that asks may take for itself on a machine with much to do."""


def answering(components: Iterable[Component], *, where: Layout, seconds: float | None = None) -> frozenset[str]:
    """The names of those that answer within so many seconds, or `ASK_SECONDS`. All are asked at once."""
    seconds = ASK_SECONDS if seconds is None else seconds
    asked = tuple(components)
    names = {component.name for component in asked}
    urls = _answering_urls(asked, where=where, seconds=seconds)
    found = {component.name for component in asked if component.health in urls}
    if "apiserver" in names and Api.connect(where.kubeconfig).is_ready(timeout=seconds):
        found.add("apiserver")
    if "containerd" in names and _answers_of_containerd(where, seconds=seconds):
        found.add("containerd")
    return frozenset(found)


def _answering_urls(components: Iterable[Component], *, where: Layout, seconds: float) -> frozenset[str]:
    """The URLs on the namespace's loopback that answer 200; their certificates are self-signed."""
    urls = [component.health for component in components if component.health]
    if not urls:
        return frozenset()
    command = network.inside(where, [sys.executable, "-I", "-S", "-c", _ASK, str(seconds), *urls])
    try:
        return frozenset(run(command, timeout=seconds + STARTING_SECONDS, check=False).split())
    except ClusterError:
        return frozenset()


_ASK = """
import ssl, sys, threading, urllib.request
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
def ask(url):
    try:
        opener.open(url, timeout=float(sys.argv[1]))
    except OSError:
        return
    sys.stdout.write(url + "\\n")
asking = [threading.Thread(target=ask, args=(url,)) for url in sys.argv[2:]]
for thread in asking:
    thread.start()
for thread in asking:
    thread.join()
"""


def _answers_of_containerd(where: Layout, *, seconds: float) -> bool:
    """Whether it lists its images, which is what it will be asked; `ctr version` prints its own version whatever happens."""
    patience = f"{seconds}s"
    words: list[str | Path] = ["ctr", "--address", where.socket, "--connect-timeout", patience, "--timeout", patience]
    return where.socket.exists() and succeeds(
        [*words, "--namespace", "k8s.io", "images", "list", "--quiet"], timeout=seconds + STARTING_SECONDS
    )
