"""From kubectl's options to a client."""

from trainingrun.cli.app import closing
from trainingrun.cli.drawing import say
from trainingrun.cli.options import Place
from trainingrun.client import Run, TrainingClient
from trainingrun.client.owners import warning


def client(place: Place) -> TrainingClient:
    """The client of a place. Raises UnreachableError when no kubeconfig says where a cluster is."""
    connected = TrainingClient(namespace=place.namespace, context=place.context, kubeconfig=place.kubeconfig)
    closing.callback(connected.close)
    return connected


def to_change(place: Place, name: str) -> Run:
    """A run that is about to be changed by hand; warns when a tool would take the change back."""
    run = client(place).get(name)
    if run.git_owner is not None:
        say(f"Warning: {warning(name, run.git_owner)}")
    return run
