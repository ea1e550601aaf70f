"""Entry point of one training process: `python -m trainingrun_trainer.rank`, started by the agent."""

import gc
import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from types import FrameType

from trainingrun.api import Precision, StrategyType, Transport
from trainingrun.contract import AttemptConfig, Cause, ExitCode
from trainingrun_trainer import messages
from trainingrun_trainer.agent.mpi.slots import PLACE_VARIABLE, take_place
from trainingrun_trainer.agent.rendezvous import Board, board_address
from trainingrun_trainer.agent.signs import Signs
from trainingrun_trainer.agent.stacks import answer_when_asked
from trainingrun_trainer.devices import LOCAL_RANK_VARIABLE, TensorFlowGpus, take_gpu
from trainingrun_trainer.errors import TrainerError, bad_config, failed
from trainingrun_trainer.messages import Reporter
from trainingrun_trainer.out_of_memory import is_out_of_memory, out_of_memory
from trainingrun_trainer.parallel.gang import Gang
from trainingrun_trainer.parallel.lost_peer import is_lost_peer
from trainingrun_trainer.parallel.single import SingleProcess
from trainingrun_trainer.patience import Patience
from trainingrun_trainer.resources import processors_per_rank
from trainingrun_trainer.settings import OutputPaths, Settings
from trainingrun_trainer.tuning.parameters import check_search


def main() -> int:
    """Run the pipeline; says why it failed to the agent, and returns the exit code."""
    answer_when_asked()
    told = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        told.set()

    signal.signal(signal.SIGTERM, stop)
    reporter = Reporter.from_environment()
    try:
        _run(Settings.from_environment(), reporter=reporter, told=told)
    except TrainerError as problem:
        print(f"{problem.cause}: {problem} {problem.hint}")
        reporter.send(_failure(problem))
        return problem.exit_code
    except Exception as problem:  # whatever the user's data or model raises becomes a sentence, not a lost pod
        traceback.print_exc()
        reporter.send(unexpected(problem))
        return ExitCode.PEER_LOST if is_lost_peer(problem) else ExitCode.INTERNAL
    finally:
        # While Python shuts down it takes its handlers away, and SIGTERM would kill a rank that has had its last word.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return ExitCode.SUCCEEDED


def _run(settings: Settings, *, reporter: Reporter, told: threading.Event) -> None:
    config = settings.load_config()
    check_search(config)
    # What is imported stays: looking through it for garbage takes a quarter of the import, and half a second each time later.
    gc.disable()
    _prepare_tensorflow(config)
    gang = _join(config, settings=settings)
    # Imported only now: the modules below load TensorFlow, and bad configurations should fail before that.
    from trainingrun_trainer.context import Context
    from trainingrun_trainer.pipeline import run
    from trainingrun_trainer.progress import Progress

    gc.freeze()
    gc.enable()
    progress = Progress(reporter, attempt=config.attempt, speaks=gang.rank == 0)
    progress.ready()
    patience = Patience(settings.storage_patience, is_told=told.is_set, alive=Signs.of(os.environ))
    result = run(
        Context(
            config=config,
            settings=settings,
            paths=OutputPaths.of(config, settings=settings, patience=patience),
            gang=gang,
            progress=progress,
            patience=patience,
            is_interrupted=told.is_set,
        )
    )
    if result is not None:
        reporter.send(messages.result(result))


def _prepare_tensorflow(config: AttemptConfig) -> None:
    """Load TensorFlow with tf_keras, share processors and GPUs among the ranks of this pod, and say what there is.

    Raises TrainerError (bad config) when the image brings Keras 3: Horovod cannot average its gradients. See also `take_gpu`.
    """
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf
    import tf_keras

    if os.environ["TF_USE_LEGACY_KERAS"] != "1" or not tf_keras.__version__.startswith("2."):
        raise bad_config(
            f"The image has Keras {tf_keras.__version__} with TF_USE_LEGACY_KERAS={os.environ['TF_USE_LEGACY_KERAS']}: Horovod "
            "averages the gradients of tf_keras 2 only. Leave TF_USE_LEGACY_KERAS at 1 and install tf-keras 2."
        )
    gpu = take_gpu(config, gpus=TensorFlowGpus(tf), local_rank=int(os.environ.get(LOCAL_RANK_VARIABLE, "0")))
    threads = processors_per_rank(config.processes_per_worker)
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    # Random layers then keep their state in variables, which the trainer sets in every step.
    tf_keras.backend.experimental.enable_tf_random_generator()
    if config.training.precision is Precision.MIXED:
        tf_keras.mixed_precision.set_global_policy("mixed_bfloat16")
    print(f"tensorflow {tf.__version__}, tf_keras {tf_keras.__version__}, {threads} threads, {gpu}")


def _join(config: AttemptConfig, *, settings: Settings) -> Gang:
    """Meet the other ranks.

    Raises TrainerError (RendezvousFailed) naming the workers that have not come in time, or why there is no TPU: see `connect`.
    """
    if config.strategy is StrategyType.TPU:
        from trainingrun_trainer.parallel.tpu import TpuGang, connect

        return TpuGang(connect(config))
    if config.strategy is StrategyType.SINGLE or config.world_size == 1:
        return SingleProcess()
    deadline = time.monotonic() + config.start_timeout_seconds
    host, port = board_address(os.environ)
    board = Board(worker=settings.worker, host=host, port=port)
    missing = board.wait_for_all(config.replicas, timeout=config.start_timeout_seconds)
    if missing:
        raise failed(
            f"Workers {', '.join(map(str, missing))} have not come within {config.start_timeout_seconds} s.",
            cause=Cause.RENDEZVOUS_FAILED,
            hint="See why their pods do not start, or raise spec.recovery.startTimeoutSeconds.",
        )
    if config.transport is Transport.MPI and not take_place(Path(os.environ[PLACE_VARIABLE]), deadline=deadline):
        raise failed(
            f"Open MPI has not started within {config.start_timeout_seconds} s.",
            cause=Cause.RENDEZVOUS_FAILED,
            hint="See the lines of all logs that begin with [sshd] or [mpirun], or raise spec.recovery.startTimeoutSeconds.",
        )
    from trainingrun_trainer.parallel.horovod import HorovodGang

    return HorovodGang(config.gradient_compression)


def _failure(problem: TrainerError) -> messages.Message:
    return messages.failure(
        exit_code=problem.exit_code, cause=problem.cause, text=str(problem), hint=problem.hint, result=problem.result
    )


def unexpected(problem: Exception) -> messages.Message:
    """What the agent is told about an error that nobody has foreseen."""
    if is_lost_peer(problem):
        return messages.failure(
            exit_code=ExitCode.PEER_LOST,
            cause=Cause.PEER_LOST,
            text="The connection to another rank was lost.",
            hint="",
        )
    if is_out_of_memory(problem):
        return _failure(out_of_memory(words=f"{type(problem).__name__}: {_gist(problem)}"))
    return messages.failure(
        exit_code=ExitCode.INTERNAL, cause=Cause.RANK_FAILED, text=f"{type(problem).__name__}: {_gist(problem)}", hint=""
    )


def _gist(problem: Exception) -> str:
    """The line of an error that says what went wrong: of an error in a graph that is the last, below the nodes' names."""
    lines = [line.strip() for line in str(problem).splitlines() if line.strip() and not line.strip().startswith("[[")]
    if not lines:
        return ""
    return lines[-1] if lines[0].startswith("Graph execution error") else lines[0]


if __name__ == "__main__":
    sys.exit(main())
