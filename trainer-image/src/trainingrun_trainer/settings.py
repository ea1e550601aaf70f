"""Where the trainer finds its files and ports. In a pod all of it follows from the contract; tests override it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from trainingrun import contract
from trainingrun.contract import AttemptConfig
from trainingrun_trainer.errors import bad_config

BUILTIN_DATA = "/opt/trainingrun/data"


@dataclass(frozen=True)
class Settings:
    """The surroundings of one worker."""

    config: Path
    worker: int
    coordinator: str | None
    """`host:port` of the rendezvous store, for workers other than 0."""
    data: Path
    builtin_data: Path
    code: Path
    """Where a ConfigMap with the user's network is mounted."""
    output: Path
    termination_message: Path
    rendezvous_port: int
    progress_port: int

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read the environment that the operator has set."""
        return cls(
            config=Path(environment.get(contract.CONFIG_VARIABLE, f"{contract.CONFIG_MOUNT}/{contract.CONFIG_FILE}")),
            worker=int(environment.get(contract.WORKER_INDEX_VARIABLE, "0")),
            coordinator=environment.get(contract.COORDINATOR_VARIABLE) or None,
            data=Path(environment.get("TRAININGRUN_DATA_MOUNT", contract.DATA_MOUNT)),
            builtin_data=Path(environment.get("TRAININGRUN_BUILTIN_DATA", BUILTIN_DATA)),
            code=Path(environment.get("TRAININGRUN_CODE_MOUNT", contract.CODE_MOUNT)),
            output=Path(environment.get("TRAININGRUN_OUTPUT_MOUNT", contract.OUTPUT_MOUNT)),
            termination_message=Path(environment.get("TRAININGRUN_TERMINATION_MESSAGE", contract.TERMINATION_MESSAGE_PATH)),
            rendezvous_port=int(environment.get("TRAININGRUN_RENDEZVOUS_PORT", contract.RENDEZVOUS_PORT)),
            progress_port=int(environment.get("TRAININGRUN_PROGRESS_PORT", contract.PROGRESS_PORT)),
        )

    def load_config(self) -> AttemptConfig:
        """Read the attempt's configuration.

        Raises TrainerError (bad config) when the file is missing or does not follow the contract.
        """
        try:
            return AttemptConfig.model_validate_json(self.config.read_bytes())
        except OSError as missing:
            raise bad_config(f"The configuration {self.config} cannot be read: {missing.strerror}.") from missing
        except ValidationError as invalid:
            raise bad_config(f"The configuration {self.config} does not follow the contract: {invalid}") from invalid


@dataclass(frozen=True)
class OutputPaths:
    """Where a run keeps what on its output."""

    root: Path
    config: AttemptConfig

    @property
    def run(self) -> Path:
        """Finished artifacts of the run."""
        return self.root / self.config.output.persistent_volume_claim.path / self.config.run.name

    @property
    def round(self) -> Path:
        """State shared by the attempts of one round, and by nothing else."""
        base = self.root / self.config.output.persistent_volume_claim.path
        return base / ".trainingrun" / self.config.run.uid / str(self.config.round)

    @property
    def attempt(self) -> Path:
        """State of this attempt."""
        return self.round / str(self.config.attempt)

    @property
    def choices(self) -> Path:
        """What was found for values that are `Auto`."""
        return self.round / "choices.json"

    @property
    def finished(self) -> Path:
        """Marker with the result of a round that has been completed."""
        return self.round / "finished.json"

    def log(self, worker: int) -> Path:
        """Log of one worker of this attempt."""
        return self.run / "logs" / str(self.config.attempt) / f"{worker}.log"

    def stacks(self, worker: int) -> Path:
        """Where the ranks of one worker stood whenever somebody asked."""
        return self.log(worker).with_name(f"{worker}.stacks.txt")

    def uri(self, path: Path) -> str:
        """Address of a file on the output's claim."""
        return f"pvc://{self.config.output.persistent_volume_claim.claim_name}/{path.relative_to(self.root)}"
