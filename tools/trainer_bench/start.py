"""Where the seconds of a rank's start go. `python -m tools.trainer_bench.start` prints rows as JSON.

Each round is a new process, which does what a rank does from its first line to its second call of steps.
"""

import json
import os
import subprocess
import sys
import time

from tools import measurements

ROUNDS = 5
BEGUN = "BENCH_BEGUN"


def main() -> int:
    """Measure in new processes."""
    rounds: list[dict[str, float]] = []
    for _ in range(ROUNDS):
        variables = {**os.environ, BEGUN: str(time.time()), "PYTHONPATH": "."}
        command = [sys.executable, "-m", "tools.trainer_bench.start", "rank"]
        done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=120, check=True)
        rounds.append(json.loads(done.stdout.splitlines()[-1]))
    print(json.dumps([measurements.row(f"start: {part}", "s", [each[part] for each in rounds]) for part in rounds[0]]))
    return 0


def rank() -> int:
    """Start as a rank does, and print how long each part took."""
    parts: dict[str, float] = {}
    last = float(os.environ[BEGUN])

    def done(part: str) -> None:
        nonlocal last
        parts[part], last = time.time() - last, time.time()

    done("interpreter")
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    import tensorflow  # noqa: F401  # what is measured

    done("import tensorflow")
    import tf_keras

    tf_keras.backend.experimental.enable_tf_random_generator()
    done("import tf_keras")
    from functools import partial

    from tools.trainer_bench.networks import AUGMENTATION, Subject, context
    from trainingrun_trainer.parallel.single import SingleProcess
    from trainingrun_trainer.stages.calls import CallLength, in_calls
    from trainingrun_trainer.stages.optimizers import Optimizer
    from trainingrun_trainer.stages.plan import epoch_plan
    from trainingrun_trainer.stages.step import training_steps

    done("import the trainer")
    subject = Subject.of("cnn")
    feed = subject.feed
    done("data")
    network = subject.network()
    done("network")
    surroundings = context("cnn", SingleProcess(), augmentation=AUGMENTATION)
    optimizer = Optimizer(surroundings.config.training.optimizer, network.trainable_variables)
    run = training_steps(surroundings, network, optimizer, feed)
    done("graph of the steps")
    plan = epoch_plan(surroundings, feed, epoch=0)
    next(in_calls(surroundings, partial(run, plan), feed, plan.shard, first=0, length=CallLength()))
    done("first two steps")
    print(json.dumps({**parts, "all": sum(parts.values())}))
    return 0


if __name__ == "__main__":
    sys.exit(rank() if sys.argv[1:] == ["rank"] else main())
