"""What verbs take: options that several have, and the values that they are given as."""

from enum import StrEnum
from typing import Annotated, NamedTuple

import typer


class Place(NamedTuple):
    """Which cluster and namespace, as kubectl's options say."""

    namespace: str | None
    context: str | None
    kubeconfig: str | None


class Form(StrEnum):
    """How objects are printed."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    NAME = "name"


class Rows(StrEnum):
    """How figures are printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


Name = Annotated[str, typer.Argument(help="Name of the run.", metavar="NAME")]
Namespace = Annotated[str | None, typer.Option("-n", "--namespace", help="Namespace; default: that of the context.")]
Context = Annotated[str | None, typer.Option("--context", help="Context of the kubeconfig.")]
Kubeconfig = Annotated[str | None, typer.Option("--kubeconfig", help="File that says where the cluster is.")]
Everywhere = Annotated[bool, typer.Option("-A", "--all-namespaces", help="Of all namespaces.")]
Output = Annotated[Form, typer.Option("-o", "--output", help="table, json, yaml or name.")]
File = Annotated[str, typer.Option("-f", "--filename", help="File with TrainingRuns; - reads standard input.")]
Timeout = Annotated[float | None, typer.Option("--timeout", help="Seconds after which to give up; the run goes on.")]
Image = Annotated[str | None, typer.Option("--image", help="Image with Python for the pod that copies.")]
