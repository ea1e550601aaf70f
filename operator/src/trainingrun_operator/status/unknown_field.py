"""The status of a run that this operator cannot read: its CRD is newer, or older, than the operator, or a value is wrong. Pure.

It says so of the spec as it is now. All else stays as it was written: the operator that can read the run goes on from there.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from trainingrun.api.base import cut
from trainingrun.api.values import MistakeError
from trainingrun_operator.reasons import Reason
from trainingrun_operator.step import State

_LONGEST = 1024


def with_unknown_field(raw: Mapping[str, Any], problem: ValidationError, *, now: datetime) -> dict[str, Any] | None:
    """The status as it is, stalled, or of a run that has ended as it has ended; None when nothing has to be written."""
    status, generation = dict(raw.get("status") or {}), raw.get("metadata", {}).get("generation", 0)
    conditions = _conditions(status)
    by_type = {each.get("type"): each for each in conditions}
    if by_type.get("Succeeded", {}).get("status") in ("True", "False"):
        judged = [{**each, "observedGeneration": generation} for each in conditions]
        seen = {**status, "observedGeneration": generation, "conditions": judged}
        return None if seen == status else seen
    reason, sentence = _told(problem)
    known, message = by_type.get("Stalled", {}), cut(sentence, _LONGEST)
    said = (known.get("reason"), known.get("message"), status.get("observedGeneration"))
    if said == (reason, message, generation):
        return None
    told = {
        "type": "Stalled",
        "status": "True",
        "reason": reason.value,
        "message": message,
        "lastTransitionTime": known.get("lastTransitionTime") or now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "observedGeneration": generation,
    }
    status["conditions"] = [*(each for each in conditions if each.get("type") not in ("Stalled", "Reconciling")), told]
    if "observedGeneration" not in status:  # at first sight `spec.rerun` asks for nothing, now and once the run can be read
        status["rerun"] = str(raw.get("spec", {}).get("rerun", ""))
    status["observedGeneration"] = generation
    status["columns"] = {**(status.get("columns") or {}), "status": State.STALLED.value}
    return status


def stalled_because(status: Mapping[str, Any] | None) -> str:
    """What the condition says; empty without one."""
    return next((str(each.get("message", "")) for each in _conditions(status or {}) if each.get("type") == "Stalled"), "")


def _conditions(status: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [each for each in status.get("conditions", ()) if isinstance(each, dict)]


def _told(problem: ValidationError) -> tuple[Reason, str]:
    first = problem.errors(include_url=False)[0]
    if isinstance(mistake := first.get("ctx", {}).get("error"), MistakeError):
        return Reason.INVALID_VALUE, f"{mistake} Change it together with a new value of spec.rerun."
    where = ".".join(map(str, first["loc"]))
    return Reason.OPERATOR_TOO_OLD, (
        f"This operator does not know what {where} says ({first['msg']}): it is older than the CRD, or than the run. Update "
        "the operator, or change the field together with a new value of spec.rerun. Pods that run go on; nobody looks after "
        "them."
    )
