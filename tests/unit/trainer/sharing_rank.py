"""A rank that begins its second trial only when every rank has begun one, however fast it is itself."""

import json
import os
import sys
import time

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")

from trainingrun_trainer import rank
from trainingrun_trainer.settings import OutputPaths, Settings
from trainingrun_trainer.tuning.client import Client
from trainingrun_trainer.tuning.desk import Turn
from trainingrun_trainer.tuning.journal import newest

ask = Client.ask
asked: list[int] = []


def ask_in_turn(client: Client, *, rank: int) -> Turn:
    """Ask, but not a second time before all have asked once."""
    while asked and not everybody_has_begun():
        time.sleep(0.05)
    asked.append(rank)
    return ask(client, rank=rank)


def everybody_has_begun() -> bool:
    """Whether the course of the search has a trial of each rank."""
    settings = Settings.from_environment()
    config = settings.load_config()
    lines = [json.loads(line) for line in newest(OutputPaths.of(config, settings=settings)).splitlines()]
    return len({line["rank"] for line in lines if line["event"] == "started"}) == config.world_size


Client.ask = ask_in_turn  # type: ignore[assignment,method-assign]  # what the test asks for

if __name__ == "__main__":
    sys.exit(rank.main())
