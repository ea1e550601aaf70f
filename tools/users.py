"""The users' own client, in the cluster and the namespace of a kubectl: what this project does to runs it does as they do."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.kubectl import Kubectl
from trainingrun.client import TrainingClient
from trainingrun.client.copying import upload


@contextmanager
def connected(kubectl: Kubectl) -> Iterator[TrainingClient]:
    """A client with the rights of the kubectl; it is closed afterwards."""
    client = TrainingClient(kubeconfig=kubectl.kubeconfig, namespace=kubectl.namespace)
    try:
        yield client
    finally:
        client.close()


def put(kubectl: Kubectl, folder: Path, *, claim: str, path: str, image: str) -> None:
    """Copy the files of a folder to `path` of a claim. Raises TrainingRunError when that fails."""
    with connected(kubectl) as client:
        upload(client.cluster, folder, claim=claim, path=path, image=image, namespace=client.namespace)
