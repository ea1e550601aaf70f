"""Whether components answer: one that hangs still has its process, and one that was killed may have left its socket."""

import sys
from collections.abc import Iterable
from pathlib import Path

from cluster import network
from cluster.api import Api
from cluster.components import Component
from cluster.layout import Layout
from cluster.shell import run, succeeds

ASK_SECONDS = 2.0
"""After which a component that has not answered yet does not answer."""


def answering(components: Iterable[Component], *, where: Layout) -> frozenset[str]:
    """The names of those that answer now. All are asked at once: a fraction of a second, or a few."""
    asked = tuple(components)
    names = {component.name for component in asked}
    urls = _answering_urls(asked, where=where)
    found = {component.name for component in asked if component.health in urls}
    if "apiserver" in names and Api.connect(where.kubeconfig).is_ready(timeout=ASK_SECONDS):
        found.add("apiserver")
    if "containerd" in names and _answers_of_containerd(where):
        found.add("containerd")
    return frozenset(found)


def _answering_urls(components: Iterable[Component], *, where: Layout) -> frozenset[str]:
    """The URLs on the namespace's loopback that answer 200; their certificates are self-signed."""
    urls = [component.health for component in components if component.health]
    if not urls:
        return frozenset()
    command = network.inside(where, [sys.executable, "-I", "-S", "-c", _ASK, str(ASK_SECONDS), *urls])
    return frozenset(run(command, timeout=10 * ASK_SECONDS, check=False).split())


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


def _answers_of_containerd(where: Layout) -> bool:
    """Whether it lists its images, which is what it will be asked; `ctr version` prints its own version whatever happens."""
    patience = f"{ASK_SECONDS}s"
    words: list[str | Path] = ["ctr", "--address", where.socket, "--connect-timeout", patience, "--timeout", patience]
    return where.socket.exists() and succeeds(
        [*words, "--namespace", "k8s.io", "images", "list", "--quiet"], timeout=2 * ASK_SECONDS
    )
