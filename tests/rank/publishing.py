"""What a played rank leaves: a model that is none, and its result, in the places and the order of `stages.export`."""

import hashlib
import json

from tests.rank.state import State
from trainingrun.api import Artifact, Result
from trainingrun.api.base import to_wire
from trainingrun_trainer import fence
from trainingrun_trainer.progress import metric_values
from trainingrun_trainer.settings import OutputPaths

_MODEL = "model"
_CONTENT = b"played\n"


def publish(paths: OutputPaths, state: State) -> Result:
    """Publish, and return the result. Raises TrainerError: OutputFailed, or Superseded."""
    fence.require_newest(paths)
    model, seal = paths.run.join(_MODEL), paths.run.join("result.json")
    with model.staging(str(paths.config.attempt)) as staged:
        staged.mkdir()
        (staged / "saved_model.pb").write_bytes(_CONTENT)
        artifact = Artifact(name=_MODEL, uri=model.uri, sha256=hashlib.sha256(_CONTENT).hexdigest(), size_bytes=len(_CONTENT))
        result = Result(metrics=metric_values(state.history[-1]), artifacts=(artifact,), epochs=state.epoch, seconds=1)
        fence.require_newest(paths)
        model.publish(staged, seal=seal)
    seal.write(json.dumps({"result": to_wire(result)}).encode())
    paths.run.join("report.html").write(b"<html>played</html>\n")
    fence.require_newest(paths)
    paths.finished.write(json.dumps({"result": to_wire(result)}).encode())
    return result


def published(paths: OutputPaths) -> Result | None:
    """What an earlier attempt of this round has published, when only its report was lost."""
    try:
        return Result.model_validate(json.loads(paths.finished.read())["result"])
    except FileNotFoundError:
        return None
