"""The lives of a run, and what its status and GitOps tools say in each: the contract of `status`, as a table."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tools.argo import CUSTOMIZATION
from trainingrun.api import TrainingRun

RECORDINGS = CUSTOMIZATION / "testdata"

Raw = dict[str, Any]


@dataclass(frozen=True)
class Verdict:
    """What a life looks like from outside. Conditions are Reconciling, Stalled, Ready, Succeeded; `-` is absent."""

    conditions: str
    argo: str
    kstatus: str
    admission: str
    """What the Flux gate on admission says; the gate on completion says what kstatus says."""


_BUSY = "True - False Unknown"

TABLE = {
    "new": Verdict("- - - -", "Progressing", "InProgress", "InProgress"),
    "waiting": Verdict(_BUSY, "Progressing", "InProgress", "InProgress"),
    "starting": Verdict(_BUSY, "Progressing", "InProgress", "Current"),
    "choosing": Verdict(_BUSY, "Progressing", "InProgress", "Current"),
    "tuning": Verdict(_BUSY, "Progressing", "InProgress", "Current"),
    "training": Verdict(_BUSY, "Progressing", "InProgress", "Current"),
    "pruning": Verdict(_BUSY, "Progressing", "InProgress", "Current"),
    "quantizing": Verdict(_BUSY, "Progressing", "InProgress", "Current"),
    "evaluating": Verdict(_BUSY, "Progressing", "InProgress", "Current"),
    "restarting": Verdict(_BUSY, "Progressing", "InProgress", "InProgress"),
    "outdated": Verdict(_BUSY, "Progressing", "InProgress", "InProgress"),
    "stopping": Verdict(_BUSY, "Progressing", "InProgress", "Current"),
    "held": Verdict("- - False Unknown", "Suspended", "InProgress", "InProgress"),
    "suspended": Verdict("- - False Unknown", "Suspended", "InProgress", "InProgress"),
    "succeeded": Verdict("- - True True", "Healthy", "Current", "Current"),
    "failed": Verdict("- True False False", "Degraded", "Failed", "Failed"),
    "stalled": Verdict("- True False Unknown", "Degraded", "Failed", "Failed"),
}


def life_of(raw: Raw) -> str:
    """The life that a run says it is in.

    It is `outdated` while the operator has not seen the last change of its spec, `held` when it is suspended from the start.
    """
    run = TrainingRun.parse(raw)
    if run.status.columns is None:
        return "new"
    if run.status.observed_generation != run.metadata.generation:
        return "outdated"
    state = run.status.columns.status.lower()
    if state == "suspended" and run.status.attempt == 0:
        return "held"
    return run.status.stage.lower() if state == "running" else state


def conditions_of(raw: Raw) -> str:
    """The four conditions that tools go by, in the order of `Verdict.conditions`."""
    known = {condition["type"]: condition["status"] for condition in raw.get("status", {}).get("conditions", [])}
    return " ".join(known.get(kind, "-") for kind in ("Reconciling", "Stalled", "Ready", "Succeeded"))


def recordings() -> dict[str, Raw]:
    """Every recorded object by the name of its file: `<run>-<life>`."""
    return {path.stem: _read(path) for path in sorted(RECORDINGS.glob("*.yaml"))}


def _read(path: Path) -> Raw:
    parsed: Raw = yaml.safe_load(path.read_text())
    return parsed
