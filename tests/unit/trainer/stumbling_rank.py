"""A rank whose data and output are on a disk that stumbles, as variables that begin with `STUMBLING_` say."""

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

from tests.unit.trainer.stumbling_disk import StumblingDisk, mounted
from trainingrun_trainer import rank

if __name__ == "__main__":
    folders = (Path(os.environ[f"TRAININGRUN_{name}_MOUNT"]) for name in ("DATA", "OUTPUT"))
    disk = StumblingDisk(*folders, every=int(os.environ["STUMBLING_EVERY"]))
    at, seconds = int(os.environ["STUMBLING_AWAY_CALL"]), float(os.environ["STUMBLING_AWAY_SECONDS"])
    disk.on_call = lambda call: disk.go_away(seconds) if call == at else None
    with mounted(disk):
        code = rank.main()
    print(f"{disk.calls} calls, {disk.stumbled} of them stumbled", flush=True)
    sys.exit(code)
