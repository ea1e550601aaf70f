"""Fetch the report of a finished run from its volume: python -m tools.report NAME [--namespace N] [--output FILE]."""

import argparse
import sys
from pathlib import Path, PurePosixPath

import cluster
from tools.copy_pod import MOUNT, copy_pod
from tools.kubectl import Kubectl, KubectlError
from trainingrun.api import TrainingRun

REPORT = "report.html"


class NoReportError(Exception):
    """There is no report that could be fetched; the text says why, and the way out."""


def main(arguments: list[str] | None = None) -> int:
    """Write the report to a file and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="name of the run")
    parser.add_argument("--namespace", default="default")
    parser.add_argument("--output", type=Path, help="where to write it; default: NAME.html")
    chosen = parser.parse_args(arguments)
    output = chosen.output or Path(f"{chosen.name}.html")
    try:
        backend = cluster.connect()
        kubectl = Kubectl(binary=backend.kubectl(), kubeconfig=backend.kubeconfig(), namespace=chosen.namespace)
        output.write_text(fetch(kubectl, chosen.name), encoding="utf-8")
    except (NoReportError, KubectlError, cluster.ClusterError, OSError) as problem:
        print(problem, file=sys.stderr)
        return 1
    print(output)
    return 0


def fetch(kubectl: Kubectl, name: str) -> str:
    """The report of the run of this name, as HTML.

    Raises NoReportError when there is no such run, it has no result, or its output is an object store; KubectlError when
    the file cannot be read.
    """
    found = kubectl.get("trainingrun", name)
    if found is None:
        raise NoReportError(f"There is no trainingrun {name} in namespace {kubectl.namespace or 'default'}.")
    run = TrainingRun.parse(found)
    claim = run.spec.output.persistent_volume_claim
    if claim is None:
        place = f"{run.spec.output.uri}".rstrip("/")
        raise NoReportError(
            f"The output of {name} is an object store: read {place}/{name}/{REPORT} with the tools of the store."
        )
    if not run.status.is_finished:
        raise NoReportError(f"The run {name} has not finished: its report is written at the end.")
    succeeded, failure = run.status.condition("Succeeded"), run.status.failure
    if succeeded is not None and succeeded.status == "False" and run.status.result is None:
        why = f" ({failure.cause}). {failure.message}".rstrip() if failure is not None else "."
        raise NoReportError(f"The run {name} has no report: it failed before it had a model{why}")
    # What applied to an attempt is forgotten when its pods are stopped; what its image has said of itself stays.
    known = run.status.resolved or run.status.trainer
    if known is None:
        raise NoReportError(f"Nothing says which image {name} ran with: read {name}/{REPORT} on the claim {claim.claim_name}.")
    file = PurePosixPath(MOUNT, claim.path, name, REPORT)
    with copy_pod(kubectl, name="trainingrun-report", claim=claim.claim_name, image=known.image) as pod:
        return kubectl.run("exec", pod, "--", "cat", str(file), timeout=60)


if __name__ == "__main__":
    sys.exit(main())
