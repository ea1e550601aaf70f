"""Runs that an earlier release has stored: what is written here must never be brought up to date."""

from typing import Any

import pytest
import yaml

from tests.builders import CONFIG, NOON, a_claim, a_pod, children
from trainingrun.api import LostNode, TrainingRun
from trainingrun_operator.decide import decide
from trainingrun_operator.decision import Decision
from trainingrun_operator.observe import observe

MINIMAL = """
apiVersion: trainingrun.dev/v1alpha1
kind: TrainingRun
metadata: {name: mnist, namespace: team, uid: 11111111-2222-3333-4444-555555555555, generation: 1}
spec:
  data: {source: {builtin: MNIST10k}}
  model: {builtin: {type: MLP}}
  output: {persistentVolumeClaim: {claimName: models}}
"""

STORED = """
apiVersion: trainingrun.dev/v1alpha1
kind: TrainingRun
metadata: {name: mnist, namespace: team, uid: 11111111-2222-3333-4444-555555555555, generation: 1}
spec:
  suspend: false
  workers: {replicas: 2, processesPerWorker: 1, resources: {requests: {cpu: 500m, memory: 1Gi}, limits: {memory: 2Gi}}}
  strategy: {transport: Gloo}
  data:
    source: {persistentVolumeClaim: {claimName: datasets, path: mnist-10k}}
    format: IDX
    idx: {images: t10k-images-idx3-ubyte.gz, labels: t10k-labels-idx1-ubyte.gz}
    validationFraction: "0.1"
    testFraction: "0"
  model: {builtin: {type: CNN}, parameters: [{name: filters, value: "16,32,64"}]}
  training:
    epochs: 20
    batchSize: 64
    optimizer: {name: Adam, learningRate: "0.001", momentum: "0"}
    schedule: {warmupEpochs: 1, scaling: Linear}
    regularization: {l2: "0"}
    seed: 7
    checkpoint: {everyEpochs: 1, keep: 2}
  output: {persistentVolumeClaim: {claimName: models, path: mnist}}
  recovery: {maximumRestarts: 3, startTimeoutSeconds: 600}
status:
  observedGeneration: 1
  conditions:
    - {type: Succeeded, status: Unknown, reason: Running, message: "", lastTransitionTime: "2026-11-24T11:59:00Z"}
  stage: Training
  attempt: 1
  startTime: "2026-11-24T11:59:00Z"
  clock: {activeSeconds: 0, runningSince: "2026-11-24T11:59:00Z"}
  timeline: {created: "2026-11-24T11:59:00Z"}
  resolved:
    {image: "trainer:1", strategy: Horovod, replicas: 2, processesPerWorker: 1, globalBatchSize: 128, coordinator: 10.96.0.9}
  checkpoint: {stage: Training, epoch: 3, attempt: 1}
"""

FINISHED = "{type: Succeeded, status: 'True', reason: Succeeded, lastTransitionTime: '2026-11-24T11:59:00Z'}"


def parse(text: str) -> TrainingRun:
    return TrainingRun.parse(yaml.safe_load(text))


def look(run: TrainingRun, **world: Any) -> Decision:
    claims = {name: a_claim(name) for name in ("models", "datasets")}
    observed = observe(children=world.get("children", ()), pods=world.get("pods", ()), claims=claims, progress=None)
    return decide(run, observed, now=NOON, config=CONFIG)


@pytest.mark.parametrize("text", [MINIMAL, STORED], ids=["minimal", "stored"])
def test_fields_that_came_later_have_their_defaults(text: str) -> None:
    spec = parse(text).spec
    assert (spec.rerun, spec.children_ttl_seconds_after_finished) == ("", None)
    assert (spec.recovery.hang_timeout_seconds, spec.recovery.lost_node) == (600, LostNode.WAIT)
    assert (spec.workers.scratch, spec.workers.termination_grace_period_seconds) == (None, 30)
    assert (spec.workers.env, spec.workers.volumes, spec.workers.tolerations) == ((), (), ())


def test_a_run_without_a_status_begins() -> None:
    assert look(parse(MINIMAL)).status.attempt == 1


def test_a_run_that_was_running_goes_on_and_nothing_is_made_anew() -> None:
    run = parse(STORED)
    decision = look(run, children=children(run), pods=[a_pod(0), a_pod(1)])
    assert decision.status.columns is not None
    assert (decision.status.columns.status, decision.status.attempt) == ("Running", 1)
    assert (decision.create, decision.delete) == ((), ())


def test_a_run_that_had_finished_stays_finished() -> None:
    manifest = yaml.safe_load(STORED)
    manifest["status"]["conditions"] = [yaml.safe_load(FINISHED)]
    decision = look(TrainingRun.parse(manifest))
    assert (decision.status.is_finished, decision.create, decision.delete) == (True, (), ())
