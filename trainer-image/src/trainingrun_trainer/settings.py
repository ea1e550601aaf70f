"""Where the trainer finds its files and ports. In a pod all of it follows from the contract; tests override it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from trainingrun import contract
from trainingrun.api.base import Tolerant
from trainingrun.contract import AttemptConfig, ContractVersion
from trainingrun.contract_version import CONTRACT
from trainingrun_trainer.errors import TrainerError, bad_config
from trainingrun_trainer.output.opening import open_output
from trainingrun_trainer.output.place import Place
from trainingrun_trainer.patience import PATIENCE_SECONDS, Patience

BUILTIN_DATA = "/opt/trainingrun/data"


@dataclass(frozen=True)
class Settings:
    """The surroundings of one worker."""

    config: Path
    worker: int
    coordinator: str | None
    """`host:port` of the rendezvous store, for workers other than 0."""
    data: Path
    memory_limit: int | None
    """Bytes that this container may use, where they are not what its control groups say."""
    builtin_data: Path
    data_access: Path
    """What opens the uri of the data: see the contract."""
    code: Path
    """Where a ConfigMap with the user's network is mounted."""
    output: Path
    output_access: Path
    storage_patience: float
    """Seconds that a rank bears storage that does not answer."""
    termination_message: Path
    rendezvous_port: int
    progress_port: int
    ssh_port: int
    mpi: Path
    """A folder in memory for keys and places, with `Transport.MPI`."""
    token: str | None
    """The attempt's secret, with `Transport.MPI` and several workers."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read the environment that the operator has set."""
        return cls(
            config=Path(environment.get(contract.CONFIG_VARIABLE, f"{contract.CONFIG_MOUNT}/{contract.CONFIG_FILE}")),
            worker=int(environment.get(contract.WORKER_INDEX_VARIABLE, "0")),
            coordinator=environment.get(contract.COORDINATOR_VARIABLE) or None,
            memory_limit=int(environment.get("TRAININGRUN_MEMORY_LIMIT", "0")) or None,
            data=Path(environment.get("TRAININGRUN_DATA_MOUNT", contract.DATA_MOUNT)),
            builtin_data=Path(environment.get("TRAININGRUN_BUILTIN_DATA", BUILTIN_DATA)),
            data_access=Path(environment.get("TRAININGRUN_DATA_ACCESS_MOUNT", contract.DATA_ACCESS_MOUNT)),
            code=Path(environment.get("TRAININGRUN_CODE_MOUNT", contract.CODE_MOUNT)),
            output=Path(environment.get("TRAININGRUN_OUTPUT_MOUNT", contract.OUTPUT_MOUNT)),
            output_access=Path(environment.get("TRAININGRUN_OUTPUT_ACCESS_MOUNT", contract.OUTPUT_ACCESS_MOUNT)),
            storage_patience=float(environment.get("TRAININGRUN_STORAGE_PATIENCE_SECONDS", PATIENCE_SECONDS)),
            termination_message=Path(environment.get("TRAININGRUN_TERMINATION_MESSAGE", contract.TERMINATION_MESSAGE_PATH)),
            rendezvous_port=int(environment.get("TRAININGRUN_RENDEZVOUS_PORT", contract.RENDEZVOUS_PORT)),
            progress_port=int(environment.get("TRAININGRUN_PROGRESS_PORT", contract.PROGRESS_PORT)),
            ssh_port=int(environment.get("TRAININGRUN_SSH_PORT", contract.SSH_PORT)),
            mpi=Path(environment.get("TRAININGRUN_MPI_MOUNT", contract.MPI_MOUNT)),
            token=environment.get(contract.TOKEN_VARIABLE) or None,
        )

    def load_config(self) -> AttemptConfig:
        """Read the attempt's configuration.

        Raises TrainerError (bad config) when the file is missing, needs a newer image or does not follow the contract.
        """
        try:
            written = self.config.read_bytes()
        except OSError as missing:
            raise bad_config(f"The configuration {self.config} cannot be read: {missing.strerror}.") from missing
        return read_config(written, where=str(self.config))


def read_config(written: bytes, *, where: str) -> AttemptConfig:
    """The configuration in a file.

    Raises TrainerError (bad config) when it takes a newer image to read it, or when it does not follow the contract.
    """
    try:
        config = AttemptConfig.model_validate_json(written)
    except ValidationError as invalid:
        needed = _version_needed(written)
        if needed > CONTRACT:
            raise _too_old(needed, unknown=invalid) from invalid
        raise bad_config(f"The configuration {where} does not follow the contract: {invalid}") from invalid
    if config.contract_version > CONTRACT:
        raise _too_old(config.contract_version)
    return config


def _version_needed(written: bytes) -> int:
    """What a configuration says that it takes to read it, whatever else it says."""
    try:
        return _Versioned.model_validate_json(written).contract_version
    except ValidationError:
        return 1


class _Versioned(Tolerant):
    contract_version: ContractVersion = 1


def _too_old(needed: int, *, unknown: ValidationError | None = None) -> TrainerError:
    fields = [".".join(map(str, error["loc"])) for error in unknown.errors(include_url=False)] if unknown is not None else []
    because = f" It does not know what {', '.join(fields[:3])} says." if fields else ""
    return bad_config(
        f"This trainer image speaks version {CONTRACT} of the contract with the operator, and the run needs version {needed}."
        f"{because}",
        hint="Use a trainer image of the operator's release (spec.image, or that of its preset), or do without what is new, "
        "together with a new value of spec.rerun.",
    )


@dataclass(frozen=True)
class OutputPaths:
    """Where a run keeps what on its output."""

    root: Place
    """The folder of `spec.output`."""
    config: AttemptConfig

    @classmethod
    def of(cls, config: AttemptConfig, *, settings: Settings, patience: Patience | None = None) -> "OutputPaths":
        """The places of an attempt on the output that its configuration names; brief is the patience of who names none."""
        mount, access = settings.output, settings.output_access
        root = open_output(config.output, mount=mount, access=access, label=str(config.attempt), patience=patience)
        return cls(root=root, config=config)

    @property
    def run(self) -> Place:
        """Finished artifacts of the run."""
        return self.root.join(self.config.run.name)

    @property
    def rounds(self) -> Place:
        """State of this very run, by round and attempt."""
        return self.root.join(".trainingrun").join(self.config.run.uid)

    @property
    def round(self) -> Place:
        """State shared by the attempts of one round, and by nothing else."""
        return self.rounds.join(str(self.config.round))

    @property
    def attempt(self) -> Place:
        """State of this attempt."""
        return self.round.join(str(self.config.attempt))

    @property
    def choices(self) -> Place:
        """What was found for values that are `Auto`."""
        return self.round.join("choices.json")

    @property
    def finished(self) -> Place:
        """Marker with the result of a round that has been completed."""
        return self.round.join("finished.json")

    def log(self, worker: int) -> Place:
        """Log of one worker of this attempt."""
        return self._logs.join(f"{worker}.log")

    def stacks(self, worker: int) -> Place:
        """Where the ranks of one worker stood whenever somebody asked."""
        return self._logs.join(f"{worker}.stacks.txt")

    @property
    def _logs(self) -> Place:
        return self.run.join("logs").join(str(self.config.attempt))
