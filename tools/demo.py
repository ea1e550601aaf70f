"""`make demo`: from a clean checkout to a model that one can ship, made in a real cluster."""

import argparse
import sys
from pathlib import Path

import yaml
from rich.console import Console
from rich.table import Table

import cluster
import images
from tools.install import Installation, install, make_namespace
from tools.kubectl import Kubectl, KubectlError
from tools.parts import PartError
from tools.users import connected, put
from trainingrun.api import Timeline, TrainingRun
from trainingrun.cli.drawing import lines
from trainingrun.cli.following import follow
from trainingrun.client import TrainingRunError, WaitTimeoutError
from trainingrun.views.tables import artifacts

EXAMPLES = Path(__file__).parent.parent / "examples"
NAMESPACE = "training"
RUN_TIMEOUT = 1200.0


def main(arguments: list[str] | None = None) -> int:
    """Run the demo and return its exit code: 0 when the run succeeded."""
    parser = argparse.ArgumentParser(description=__doc__)
    examples = sorted(path.stem for path in EXAMPLES.glob("mnist*.yaml"))
    parser.add_argument("example", nargs="?", default="mnist-ship", choices=examples)
    parser.add_argument("--registry", default="", help="where `make images push` has put the images; default: load them")
    parser.add_argument("--tag", default="", help="their tag there")
    chosen = parser.parse_args(arguments)
    pushed = images.names(registry=chosen.registry, tag=chosen.tag) if chosen.registry and chosen.tag else None
    console = Console()
    try:
        run = demo(chosen.example, pushed=pushed, console=console)
    except (KubectlError, PartError, cluster.ClusterError, images.ImageError, TrainingRunError) as problem:
        console.print(f"[red]{problem}[/red]", highlight=False)
        return 1
    except KeyboardInterrupt:
        console.print("Stopped. `make demo` goes on from here; `make cluster-down` cleans up.")
        return 130
    return 0 if _has_succeeded(run) else 1


def demo(example: str, *, pushed: dict[str, str] | None, console: Console) -> TrainingRun:
    """Bring everything up, train the example, and report; returns the finished run. `pushed` as in `install`."""
    installation = install(cluster.connect(), pushed=pushed, say=lambda step: console.rule(step, align="left", style="dim"))
    kubectl = _prepare(installation, console=console)
    console.rule(f"kubectl apply -f examples/{example}.yaml", align="left", style="dim")
    kubectl.delete("trainingrun", example)
    kubectl.run("apply", "-f", str(EXAMPLES / f"{example}.yaml"))
    run = _followed(kubectl, example, console=console)
    _report(run, kubectl=kubectl, installation=installation, console=console)
    return run


def _prepare(installation: Installation, *, console: Console) -> Kubectl:
    """The namespace, the claims and the digits that the examples read."""
    console.rule("data", align="left", style="dim")
    kubectl = make_namespace(installation.kubectl, NAMESPACE)
    for claim in yaml.safe_load_all((EXAMPLES / "volumes.yaml").read_text()):
        installation.cluster.volume(claim=claim["metadata"]["name"], namespace=NAMESPACE)
    kubectl.run("apply", "-f", str(EXAMPLES / "volumes.yaml"))
    folder = EXAMPLES / "data" / "mnist-10k"
    put(kubectl, folder, claim="datasets", path=folder.name, image=installation.trainer_image)
    return kubectl


def _followed(kubectl: Kubectl, name: str, *, console: Console) -> TrainingRun:
    """The run as it ended. Raises WaitTimeoutError when it has not within `RUN_TIMEOUT` seconds."""
    with connected(kubectl) as client:
        last = follow(client.get(name).watch(timeout=RUN_TIMEOUT), console=console)
    if last is None or not last.status.is_finished:
        raise WaitTimeoutError(f"The run {name} had not finished after {RUN_TIMEOUT:.0f} s.")
    return last


def _report(run: TrainingRun, *, kubectl: Kubectl, installation: Installation, console: Console) -> None:
    if not _has_succeeded(run):
        failure = run.status.failure
        console.print(f"[red]Failed: {failure.cause}. {failure.message} {failure.hint}[/red]" if failure else "Failed.")
    if run.status.result is not None:
        console.print(_result_table(run))
        console.print("\n".join(lines(artifacts(run.status.result.artifacts))), highlight=False, soft_wrap=True, markup=False)
        console.print(_start_table(run.status.timeline or Timeline(), run=run))
    look = f"{kubectl.binary} --kubeconfig {kubectl.kubeconfig} -n {NAMESPACE}"
    command = f"--kubeconfig {kubectl.kubeconfig} -n {NAMESPACE}"
    console.print(
        f"\nLook around:  {look} get trun,pods\n              .venv/bin/trainingrun report {run.metadata.name} {command}\n"
        f"Clean up:     make cluster-down",
        highlight=False,
        soft_wrap=True,
    )


def _has_succeeded(run: TrainingRun) -> bool:
    """Also a run whose model is not accepted has a result."""
    succeeded = run.status.condition("Succeeded")
    return succeeded is not None and succeeded.status == "True"


def _result_table(run: TrainingRun) -> Table:
    title = f"{run.metadata.name}: {'Succeeded' if _has_succeeded(run) else 'Failed'}"
    table = Table(title=title, title_justify="left", show_header=False)
    result = run.status.result
    assert result is not None
    for metric in result.metrics:
        table.add_row(metric.name, metric.value)
    table.add_row("epochs", str(result.epochs))
    return table


def _start_table(timeline: Timeline, *, run: TrainingRun) -> Table:
    """Seconds from the creation of the TrainingRun to each moment of its start."""
    table = Table(title="Start of the last attempt, seconds after apply", title_justify="left", show_header=False)
    moments = (
        ("scheduled", timeline.scheduled),
        ("container started", timeline.container_started),
        ("rendezvous done", timeline.rendezvous_done),
        ("TensorFlow ready", timeline.tensorflow_ready),
        ("first step", timeline.first_step),
    )
    created = run.metadata.creation_timestamp
    for name, moment in moments:
        if moment is not None and created is not None:
            table.add_row(name, f"{(moment - created).total_seconds():.0f}")
    return table


if __name__ == "__main__":
    sys.exit(main())
