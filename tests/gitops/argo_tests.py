"""The files from which Argo CD's own tests take what they expect: made from the recordings and the table of lives."""

import copy
from pathlib import Path

import yaml

from tests.gitops.lives import RECORDINGS, TABLE, Raw
from tools.argo import CUSTOMIZATION

ACTIONS = CUSTOMIZATION / "actions"

_EXAMPLES = {"suspend": "good-training", "resume": "paused-suspended", "rerun": "good-succeeded"}
"""The recording on which Argo CD's tests try each action."""

_ICONS = {"suspend": "fa fa-fw fa-pause", "resume": "fa fa-fw fa-play", "rerun": "fa fa-fw fa-redo"}


def offered(life: str) -> tuple[str, ...]:
    """Names of the actions that Argo CD offers for a run in this life."""
    if life in ("succeeded", "failed"):
        return ("rerun",)
    return ("resume", "rerun") if life in ("held", "suspended", "stopping", "outdated") else ("suspend", "rerun")


def after(action: str, raw: Raw) -> Raw:
    """The object that an action is to make of this one."""
    changes = {"suspend": {"suspend": True}, "resume": {"suspend": False}}
    rerun = {"rerun": f"argo-cd-{raw['metadata']['resourceVersion']}"}
    return {**copy.deepcopy(raw), "spec": {**copy.deepcopy(raw["spec"]), **changes.get(action, rerun)}}


def health_message(raw: Raw, *, life: str) -> str:
    """What Argo CD is to show beside the health: reason and message of the condition that decided it."""
    if life == "new":
        return "Waiting for the operator"
    if life == "outdated":
        return "Waiting for the operator to see the last change"
    ready = next(condition for condition in raw["status"]["conditions"] if condition["type"] == "Ready")
    return f"{ready['reason']}: {ready['message']}" if ready["message"] else str(ready["reason"])


def files(recordings: dict[str, Raw]) -> dict[Path, str]:
    """Every file of Argo CD's tests with its text: the recordings, what is expected of them, what actions make of them."""
    made = {RECORDINGS / f"{name}.yaml": _text(raw) for name, raw in recordings.items()}
    made[CUSTOMIZATION / "health_test.yaml"] = _text({"tests": [_health(name, raw) for name, raw in recordings.items()]})
    discoveries = [_discovery(name) for name in recordings]
    actions = []
    for action, name in _EXAMPLES.items():
        output = f"testdata/{name}-{action}.yaml"
        actions.append({"action": action, "inputPath": _input(name), "expectedOutputPath": output})
        made[ACTIONS / output] = _text(after(action, recordings[name]))
    made[ACTIONS / "action_test.yaml"] = _text({"discoveryTests": discoveries, "actionTests": actions})
    return made


def _health(name: str, raw: Raw) -> Raw:
    status = {"status": TABLE[_life(name)].argo, "message": health_message(raw, life=_life(name))}
    return {"inputPath": f"testdata/{name}.yaml", "healthStatus": status}


def _discovery(name: str) -> Raw:
    actions = [{"name": action, "iconClass": _ICONS[action]} for action in offered(_life(name))]
    return {"inputPath": _input(name), "result": actions}


def _input(name: str) -> str:
    return f"../testdata/{name}.yaml"


def _life(name: str) -> str:
    return name.rpartition("-")[2]


def _text(content: Raw) -> str:
    return yaml.safe_dump(content, sort_keys=False, width=120)
