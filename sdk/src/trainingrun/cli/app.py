"""The verbs and their options. Each imports what it needs when it is called, so that `--help` is there at once."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from trainingrun.cli.options import (
    Context,
    Everywhere,
    File,
    Form,
    Image,
    Kubeconfig,
    Name,
    Namespace,
    Output,
    Place,
    Rows,
    Timeout,
)

app = typer.Typer(
    name="kubectl trainingrun",
    help="Train, watch and understand TrainingRuns. Exit codes: 0 done, 1 failed or refused, 64 usage, 69 cluster unreachable, "
    "124 time-out.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

closing = ExitStack()
"""What is closed when the command ends."""


def usage_problem(problem: Exception) -> str | None:
    """What was wrong about the command line; None when the problem is another."""
    told = getattr(problem, "format_message", None)
    return f"{told()} `{app.info.name} --help` shows the verbs." if told is not None else None


@app.command("list")
def list_(
    all_namespaces: Everywhere = False,
    output: Output = Form.TABLE,
    state: Annotated[str | None, typer.Option("--state", help="Only those in this state, for example Failed.")] = None,
    preset: Annotated[str | None, typer.Option("--preset", help="Only those with this preset.")] = None,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """List runs."""
    from trainingrun.cli import reading

    place = Place(namespace, context, kubeconfig)
    reading.list_runs(place, everywhere=all_namespaces, form=output, state=state, preset=preset)


@app.command()
def get(
    name: Name,
    output: Output = Form.TABLE,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Show a run on one screen."""
    from trainingrun.cli import reading

    reading.get(Place(namespace, context, kubeconfig), name, form=output)


@app.command()
def why(name: Name, namespace: Namespace = None, context: Context = None, kubeconfig: Kubeconfig = None) -> None:
    """Say why a run is where it is, on what evidence, and what to type next."""
    from trainingrun.cli import reading

    reading.why(Place(namespace, context, kubeconfig), name)


@app.command()
def watch(
    name: Name,
    timeout: Timeout = None,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Follow a run until it ends, with a bar for each stage; Ctrl-C leaves it alone."""
    from trainingrun.cli import acting

    acting.watch(Place(namespace, context, kubeconfig), name, timeout=timeout)


@app.command()
def logs(
    name: Name,
    follow: Annotated[
        bool, typer.Option("-f", "--follow", help="Wait for pods, and go on over restarts until the end.")
    ] = False,
    worker: Annotated[int | None, typer.Option("--worker", help="Worker, from 0.")] = None,
    rank: Annotated[int | None, typer.Option("--rank", help="Only the lines of this rank.")] = None,
    attempt: Annotated[int | None, typer.Option("--attempt", help="Attempt; default: the newest that has pods.")] = None,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Print the log of a worker (0 by default) or of a rank."""
    from trainingrun.cli import reading

    place = Place(namespace, context, kubeconfig)
    reading.logs(place, name, follow=follow, worker=worker, rank=rank, attempt=attempt)


@app.command()
def metrics(
    name: Name,
    output: Annotated[Rows, typer.Option("-o", "--output", help="table, json or csv.")] = Rows.TABLE,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Print what each epoch has come to, from the log of worker 0."""
    from trainingrun.cli import reading

    reading.metrics(Place(namespace, context, kubeconfig), name, form=output)


@app.command()
def run(
    filename: File,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Follow it until it ends.")] = False,
    timeout: Timeout = None,
    output: Output = Form.NAME,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Create the runs of a file."""
    from trainingrun.cli import acting

    acting.run(Place(namespace, context, kubeconfig), filename, is_watched=watch, timeout=timeout, form=output)


@app.command()
def init(
    data: Annotated[Path, typer.Argument(help="Folder or file with the data, on this disk.")],
    name: Annotated[str | None, typer.Option("--name", help="Name of the run; default: that of the folder.")] = None,
    claim: Annotated[str, typer.Option("--claim", help="Claim that the data will be on.")] = "datasets",
    path: Annotated[str | None, typer.Option("--path", help="Folder on that claim; default: the name of the folder.")] = None,
    output: Annotated[str, typer.Option("--output-claim", help="Claim for models.")] = "models",
) -> None:
    """Look at data on this disk and print a first manifest for it; nothing is made and no cluster is asked."""
    from trainingrun.cli import beginning

    beginning.init(data, name=name, claim=claim, path=path, output=output)


@app.command()
def lint(filename: File, namespace: Namespace = None, context: Context = None, kubeconfig: Kubeconfig = None) -> None:
    """Ask the cluster whether it would take the runs of a file, and whether what they name is there; nothing is made."""
    from trainingrun.cli import linting

    linting.lint(Place(namespace, context, kubeconfig), filename)


@app.command()
def suspend(name: Name, namespace: Namespace = None, context: Context = None, kubeconfig: Kubeconfig = None) -> None:
    """Stop the pods of a run; they write a checkpoint first."""
    from trainingrun.cli import acting

    acting.suspend(Place(namespace, context, kubeconfig), name)


@app.command()
def resume(name: Name, namespace: Namespace = None, context: Context = None, kubeconfig: Kubeconfig = None) -> None:
    """Go on with a suspended run, from its newest checkpoint."""
    from trainingrun.cli import acting

    acting.resume(Place(namespace, context, kubeconfig), name)


@app.command()
def rerun(
    name: Name,
    assignments: Annotated[
        list[str] | None, typer.Option("--set", help="FIELD=VALUE of spec, as YAML; null removes it. Repeatable.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Follow it until it ends.")] = False,
    timeout: Timeout = None,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Train again from the beginning, in whatever state the run is, with changes or without."""
    from trainingrun.cli import acting

    acting.rerun(Place(namespace, context, kubeconfig), name, assignments or [], is_watched=watch, timeout=timeout)


@app.command()
def report(
    name: Name,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write NAME.html to.")] = Path("."),
    is_opened: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Fetch the report of a run that has ended."""
    from trainingrun.cli import moving

    moving.report(Place(namespace, context, kubeconfig), name, into=output, is_opened=is_opened)


@app.command()
def artifacts(
    name: Name,
    into: Annotated[Path | None, typer.Option("--into", help="Folder to copy all of the run's output to.")] = None,
    with_logs: Annotated[bool, typer.Option("--logs", help="Only the logs, of all attempts.")] = False,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """List the models that a run has left and where they are, or copy its files here."""
    from trainingrun.cli import moving

    moving.artifacts(Place(namespace, context, kubeconfig), name, into=into, with_logs=with_logs)


@app.command()
def cp(
    source: Annotated[str, typer.Argument(help="A file or folder, or pvc/CLAIM:PATH.")],
    target: Annotated[str, typer.Argument(help="pvc/CLAIM:PATH, or a folder.")],
    image: Image = None,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Copy files to a claim, or from it, through a pod that lives as long as the copy."""
    from trainingrun.cli import moving

    moving.copy(Place(namespace, context, kubeconfig), source, target, image=image)


@app.command()
def compare(
    names: Annotated[list[str], typer.Argument(help="Two runs or more.", metavar="NAME NAME...")],
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Show what differs between runs, and what came of it."""
    from trainingrun.cli import reading

    reading.compare(Place(namespace, context, kubeconfig), names)


@app.command()
def presets(
    output: Output = Form.TABLE, namespace: Namespace = None, context: Context = None, kubeconfig: Kubeconfig = None
) -> None:
    """List the presets of the cluster."""
    from trainingrun.cli import reading

    reading.presets(Place(namespace, context, kubeconfig), form=output)


@app.command()
def doctor(namespace: Namespace = None, context: Context = None, kubeconfig: Kubeconfig = None) -> int:
    """Ask what a run needs: are the CRDs there, does an operator run, and may I create runs?"""
    from trainingrun.cli import diagnosis

    return diagnosis.doctor(Place(namespace, context, kubeconfig))


@app.command()
def version(
    client: Annotated[bool, typer.Option("--client", help="Of this command only.")] = False,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Print the versions of this command and of the operator."""
    from trainingrun.cli import diagnosis

    diagnosis.version(Place(namespace, context, kubeconfig), is_client_only=client)


@app.command()
def completion(shell: Annotated[str, typer.Argument(help="bash, zsh, fish or powershell.")]) -> None:
    """Print a script that completes the verbs and options of `kubectl-trainingrun` in a shell."""
    from trainingrun.cli import completing

    typer.echo(completing.script(shell))
