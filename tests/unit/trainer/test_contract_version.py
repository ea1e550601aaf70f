"""An image that is older than what it is asked to do says so, in words, before any rank starts."""

import json
from pathlib import Path
from typing import Any

import pytest

from trainingrun.contract import Cause, ExitCode, FinalRecord
from trainingrun_trainer import settings as settings_module
from trainingrun_trainer.__main__ import main
from trainingrun_trainer.agent import termination
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.settings import read_config

OF_VERSION_1 = Path(__file__).parents[1] / "sdk" / "contracts" / "1" / "config.json"


@pytest.fixture(autouse=True)
def an_image_of_version_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings_module, "CONTRACT", 1)
    monkeypatch.setattr(termination, "CONTRACT", 1)


def a_config(**changes: Any) -> bytes:
    return json.dumps({**json.loads(OF_VERSION_1.read_bytes()), **changes}).encode()


def test_a_configuration_that_an_earlier_operator_wrote_is_read() -> None:
    assert read_config(a_config(), where="config.json").training.epochs == 10


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"contractVersion": 2, "placement": "Near"}, "needs version 2. It does not know what placement says."),
        ({"contractVersion": 2}, "needs version 2."),
        ({"contractVersion": 3, "strategy": "Pipelined"}, "needs version 3. It does not know what strategy says."),
    ],
    ids=["a new field", "another meaning", "a new value"],
)
def test_what_takes_a_newer_image_is_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(TrainerError, match="speaks version 1") as refused:
        read_config(a_config(**changes), where="config.json")
    assert words in str(refused.value)
    assert "spec.image" in refused.value.hint
    assert refused.value.exit_code == ExitCode.BAD_CONFIG


def test_what_no_image_could_read_is_no_matter_of_versions() -> None:
    with pytest.raises(TrainerError, match="does not follow the contract"):
        read_config(a_config(contractVersion="new"), where="config.json")


def test_the_last_word_says_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config, message = tmp_path / "config.json", tmp_path / "message"
    config.write_bytes(a_config(contractVersion=2))
    monkeypatch.setenv("TRAININGRUN_CONFIG", str(config))
    monkeypatch.setenv("TRAININGRUN_TERMINATION_MESSAGE", str(message))
    assert main() == ExitCode.BAD_CONFIG
    record = FinalRecord.model_validate_json(message.read_bytes())
    assert (record.cause, record.contract_version) == (Cause.BAD_CONFIG, 1)
    assert "needs version 2" in record.message
    assert "spec.image" in record.hint


def test_an_image_says_what_it_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(termination, "CONTRACT", 2)
    encoded = termination.encode(FinalRecord(attempt=1, worker=0, exit_code=0))
    assert FinalRecord.model_validate_json(encoded).contract_version == 2


def test_a_newer_image_reads_what_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings_module, "CONTRACT", 2)
    assert read_config(a_config(contractVersion=2), where="config.json").contract_version == 2
