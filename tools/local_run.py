"""An attempt of a run on this machine, without a cluster: the files and variables that a pod would find."""

import json
from pathlib import Path

from trainingrun.api.base import to_wire
from trainingrun.contract import AttemptConfig

DATA = Path(__file__).parent.parent / "examples" / "data"


def surroundings(config: AttemptConfig, *, folder: Path) -> dict[str, str]:
    """Write the configuration below `folder`, and return the variables of `python -m trainingrun_trainer`.

    The built-in data are those of the examples, and the output's volume is `folder/output`.
    """
    (folder / "config.json").write_text(json.dumps(to_wire(config)))
    return {
        "TRAININGRUN_CONFIG": str(folder / "config.json"),
        "TRAININGRUN_BUILTIN_DATA": str(DATA),
        "TRAININGRUN_OUTPUT_MOUNT": str(folder / "output"),
        "TRAININGRUN_TERMINATION_MESSAGE": str(folder / "termination"),
        "TRAININGRUN_RENDEZVOUS_PORT": "29672",
        "TRAININGRUN_PROGRESS_PORT": "29673",
    }
