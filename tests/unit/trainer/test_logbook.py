"""The log of a worker on the output."""

from pathlib import Path

from trainingrun_trainer.agent.logbook import Logbook
from trainingrun_trainer.output.volume import VolumePlace


def test_what_a_worker_wrote_before_its_queue_stopped_it_stays_in_its_log(tmp_path: Path) -> None:
    place = VolumePlace(tmp_path / "logs" / "0.log", "log")
    for line in ("epoch 1", "epoch 2"):
        logbook = Logbook(scratch=tmp_path)
        logbook.write(line)
        logbook.save(place)
    assert place.read() == b"epoch 1\nepoch 2\n"
