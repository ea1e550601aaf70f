"""What a run gets from its preset, what it may say itself, and what is said when it may not."""

from dataclasses import replace
from typing import Any, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import CONFIG, NOON, a_claim, a_pod, a_run, an_active_run, children
from tests.pods import by_name, pod_of, the_container
from tests.presets import a_preset, a_preset_manifest, preset_specs
from trainingrun.api import PresetField, PresetWorkers, TrainingPreset, TrainingRun, TrainingRunSpec, Workers
from trainingrun.api.base import to_wire
from trainingrun_operator.decide import decide
from trainingrun_operator.decision import Decision
from trainingrun_operator.model import Obstacle, Unreadable
from trainingrun_operator.observe import observe, read_preset
from trainingrun_operator.resolution import resolve
from trainingrun_operator.resolution.merging import compact, differences, merged

Raw = dict[str, Any]

GPU: Raw = {"gpu": {"count": 2, "product": "NVIDIA-L4"}}
TPU: Raw = {"tpu": {"type": "tpu-v5-lite-podslice", "topology": "2x4", "chips": 4}}


def a_run_of(preset: str | None = "small", *, workers: Raw | None = None, **changes: Any) -> TrainingRun:
    return a_run(spec__preset=preset, spec__workers=workers or {}, **changes)


def applied(run: TrainingRun, preset: TrainingPreset) -> TrainingRunSpec:
    """The spec as it applies; the preset must fit."""
    resolution = resolve(run, preset)
    assert resolution.obstacle is None, resolution.obstacle
    return resolution.run.spec


def obstacle(run: TrainingRun, preset: TrainingPreset | Unreadable | None) -> Obstacle:
    """Why the run cannot start; nothing of the preset applies then."""
    resolution = resolve(run, preset)
    assert resolution.obstacle is not None
    assert (resolution.run, resolution.preset) == (run, None)
    return resolution.obstacle


def look(run: TrainingRun, preset: TrainingPreset | Unreadable | None, **world: Any) -> Decision:
    claims = {"models": a_claim("models", modes=("ReadWriteMany",))}
    return decide(run, observe(pods=(), claims=claims, preset=preset, **{"children": (), **world}), now=NOON, config=CONFIG)


# -- what applies

MERGED: dict[str, tuple[Raw, Raw, Raw]] = {
    "a value that the run lacks": ({"scratch": "1Gi"}, {}, {"scratch": "1Gi"}),
    "a value that the preset lacks": ({}, {"scratch": "2Gi"}, {"scratch": "2Gi"}),
    "resources, one by one": (
        {"resources": {"requests": {"cpu": "1"}, "limits": {"memory": "4Gi"}}},
        {"resources": {"requests": {"memory": "2Gi"}}},
        {"resources": {"requests": {"cpu": "1", "memory": "2Gi"}, "limits": {"memory": "4Gi"}}},
    ),
    "variables, those of the preset first": (
        {"env": [{"name": "B", "value": "1"}]},
        {"env": [{"name": "A", "value": "2"}]},
        {"env": [{"name": "B", "value": "1"}, {"name": "A", "value": "2"}]},
    ),
    "labels of nodes": (
        {"nodeSelector": {"pool": "gpu"}},
        {"nodeSelector": {"zone": "a"}},
        {"nodeSelector": {"pool": "gpu", "zone": "a"}},
    ),
    "the same in both": ({"runtimeClassName": "gvisor"}, {"runtimeClassName": "gvisor"}, {"runtimeClassName": "gvisor"}),
    "a network, field by field": (
        {"network": {"egress": "Cluster"}},
        {"network": {"metadataServer": "Allow"}},
        {"network": {"egress": "Cluster", "metadataServer": "Allow"}},
    ),
    "an accelerator": ({"accelerator": GPU}, {}, {"accelerator": GPU}),
}


@pytest.mark.parametrize(("preset", "run", "result"), MERGED.values(), ids=MERGED)
def test_a_run_gets_what_it_does_not_say(preset: Raw, run: Raw, result: Raw) -> None:
    assert applied(a_run_of(workers=run), a_preset(workers=preset)).workers == Workers.model_validate(result)


def test_the_image_comes_from_the_preset_and_then_from_the_operator() -> None:
    assert applied(a_run_of(), a_preset(image="team:1")).image == "team:1"
    assert applied(a_run_of(), a_preset()).image is None


def test_a_run_without_a_preset_is_what_it_says() -> None:
    run = a_run_of(None, workers={"scratch": "1Gi"})
    assert resolve(run, None).run == run


def test_as_many_ranks_as_the_preset_has_gpus() -> None:
    decision = look(a_run_of(workers={"replicas": 2}), a_preset(workers={"accelerator": GPU}, image="gpu:1"))
    resolved = decision.status.resolved
    assert resolved is not None
    assert (resolved.accelerator, resolved.accelerators, resolved.processes_per_worker) == ("GPU", 4, 2)


@pytest.mark.parametrize(("asked", "result"), [(None, 600), (300, 300)], ids=["none", "a shorter one"])
def test_the_longest_deadline_is_that_of_runs_that_have_none(asked: int | None, result: int) -> None:
    run = a_run_of(spec__activeDeadlineSeconds=asked)
    assert applied(run, a_preset(limits={"longestDeadlineSeconds": 600})).active_deadline_seconds == result


# -- what a run may say itself

OVERRIDES: dict[str, tuple[str, Raw, Raw]] = {
    "a value": ("workers.scratch", {"scratch": "1Gi"}, {"scratch": "2Gi"}),
    "a part of an object": (
        "workers.resources",
        {"resources": {"requests": {"cpu": "1"}}},
        {"resources": {"requests": {"cpu": "2"}}},
    ),
    "an entry of a list": ("workers.env", {"env": [{"name": "A", "value": "1"}]}, {"env": [{"name": "A", "value": "2"}]}),
    "tolerations as a whole": (
        "workers.tolerations",
        {"tolerations": [{"key": "a", "operator": "Exists"}]},
        {"tolerations": [{"key": "b", "operator": "Exists"}]},
    ),
    "another kind of accelerator": ("workers.accelerator", {"accelerator": GPU}, {"accelerator": TPU, "replicas": 2}),
}


@pytest.mark.parametrize(("field", "preset", "run"), OVERRIDES.values(), ids=OVERRIDES)
def test_a_run_may_say_what_the_preset_allows_it_to(field: str, preset: Raw, run: Raw) -> None:
    others = [other.value for other in PresetField if other.value != field]
    refused = obstacle(a_run_of(workers=run), a_preset(workers=preset, allowedOverrides=others))
    assert refused.reason == "PresetOverstepped"
    assert f"spec.{field}" in refused.message
    allowed = applied(a_run_of(workers=run), a_preset(workers=preset, allowedOverrides=[field]))
    assert allowed.workers == Workers.model_validate(run)


def test_the_image_is_the_runs_only_where_the_preset_allows_it() -> None:
    run = a_run_of(spec__image="mine:1")
    assert "spec.image is mine:1, but TrainingPreset small has team:1" in obstacle(run, a_preset(image="team:1")).message
    assert applied(run, a_preset(image="team:1", allowedOverrides=["image"])).image == "mine:1"


# -- the words

SAID: dict[str, tuple[Raw, Raw, str, str]] = {
    "a value": (
        {"workers": {"runtimeClassName": "gvisor"}},
        {"workers": {"runtimeClassName": "runc"}},
        "PresetOverstepped",
        "spec.workers.runtimeClassName is runc, but TrainingPreset small has gvisor: remove it from the run, together with a "
        "new value of spec.rerun, or have the field added to the preset's spec.allowedOverrides.",
    ),
    "a variable": (
        {"workers": {"env": [{"name": "PROXY", "value": "a"}]}},
        {"workers": {"env": [{"name": "PROXY", "value": "b"}]}},
        "PresetOverstepped",
        'spec.workers.env[PROXY] is {"name": "PROXY", "value": "b"}, but TrainingPreset small has {"name": "PROXY"',
    ),
    "a label that another one has": (
        {"workers": {"labels": {"cost-centre": "vision"}}},
        {"workers": {"labels": {"cost-centre": "speech", "team": "a"}}},
        "PresetOverstepped",
        "spec.workers.labels.cost-centre is speech, but TrainingPreset small has vision: remove it from the run",
    ),
    "a user of its own": (
        {"workers": {"securityContext": {"runAsUser": 7}}},
        {"workers": {"securityContext": {"runAsUser": 8}}},
        "PresetOverstepped",
        "spec.workers.securityContext.runAsUser is 8, but TrainingPreset small has 7: remove it from the run",
    ),
    "annotations where the preset wants none": (
        {"forbiddenFields": ["workers.annotations", "image"]},
        {"workers": {"annotations": {"k8s.v1.cni.cncf.io/networks": "fast"}}},
        "PresetOverstepped",
        'spec.workers.annotations is {"k8s.v1.cni.cncf.io/networks": "fast"}, which TrainingPreset small '
        "forbids: remove it from the run, together with a new value of spec.rerun.",
    ),
    "an image where the preset wants its own": (
        {"forbiddenFields": ["image"], "image": "team:1"},
        {"image": "team:1"},
        "PresetOverstepped",
        "spec.image is team:1, which TrainingPreset small forbids",
    ),
    "scratch above the limit": (
        {"workers": {"resources": {"limits": {"ephemeral-storage": "10Gi"}}}},
        {"workers": {"scratch": "11Gi"}},
        "PresetConflict",
        "spec.workers.scratch 11Gi is more than spec.workers.resources.limits.ephemeral-storage 10Gi, of which it is a part",
    ),
    "a request of disk above the limit": (
        {"workers": {"resources": {"limits": {"ephemeral-storage": "1Gi"}}}},
        {"workers": {"resources": {"requests": {"ephemeral-storage": "2Gi"}}}},
        "PresetConflict",
        "spec.workers.resources.requests.ephemeral-storage 2Gi is more than spec.workers.resources.limits.ephemeral-storage",
    ),
    "workers": (
        {"limits": {"mostWorkers": 2}},
        {"workers": {"replicas": 3}},
        "PresetOverstepped",
        "spec.workers.replicas is 3, but TrainingPreset small allows at most 2 (limits.mostWorkers): lower it, or name",
    ),
    "accelerators, also those of the preset": (
        {"limits": {"mostAccelerators": 5}, "workers": {"accelerator": GPU}},
        {"workers": {"replicas": 3}},
        "PresetOverstepped",
        "spec.workers asks for 6 accelerators, 2 for each of 3, but TrainingPreset small allows at most 5",
    ),
    "no accelerators": (
        {"limits": {"mostAccelerators": 0}},
        {"workers": {"accelerator": GPU}},
        "PresetOverstepped",
        "allows at most 0 (limits.mostAccelerators)",
    ),
    "a deadline": (
        {"limits": {"longestDeadlineSeconds": 60}},
        {"activeDeadlineSeconds": 61},
        "PresetOverstepped",
        "spec.activeDeadlineSeconds is 61, but TrainingPreset small allows at most 60 (limits.longestDeadlineSeconds)",
    ),
    "a request above the limit": (
        {"workers": {"resources": {"limits": {"memory": "1Gi"}}}},
        {"workers": {"resources": {"requests": {"memory": "1025Mi"}}}},
        "PresetConflict",
        "With TrainingPreset small, spec.workers.resources.requests.memory 1025Mi is more than spec.workers.resources.limits."
        "memory 1Gi: lower the request, together with a new value of spec.rerun, or use another preset.",
    ),
    "shared memory above the limit": (
        {"workers": {"sharedMemory": "1Gi"}},
        {"workers": {"resources": {"limits": {"memory": "1024Mi"}}}},
        "PresetConflict",
        "spec.workers.sharedMemory 1Gi is not smaller than spec.workers.resources.limits.memory 1024Mi",
    ),
    "ranks and GPUs": (
        {"workers": {"accelerator": GPU}},
        {"workers": {"processesPerWorker": 1}},
        "PresetConflict",
        "spec.workers.processesPerWorker is 1, but each of 2 GPUs has one rank: remove processesPerWorker",
    ),
    "one process and GPUs": (
        {"workers": {"accelerator": GPU}},
        {"strategy": {"type": "Single"}},
        "PresetConflict",
        "spec.strategy.type is Single, but there are 2 ranks: remove strategy.type",
    ),
    "workers and slice": (
        {"workers": {"accelerator": TPU}},
        {"workers": {"replicas": 1}},
        "PresetConflict",
        "spec.workers.replicas is 1 with 4 TPU chips each, but the topology 2x4 has 8 chips: change replicas",
    ),
    "processes and TPU": (
        {"workers": {"accelerator": TPU}},
        {"workers": {"replicas": 2, "processesPerWorker": 4}},
        "PresetConflict",
        "spec.workers.processesPerWorker is 4, but one process drives all chips: remove it",
    ),
    "Horovod and TPU": (
        {"workers": {"accelerator": TPU}},
        {"workers": {"replicas": 2}, "strategy": {"type": "Horovod", "gradientCompression": "FP16"}},
        "PresetConflict",
        "spec.strategy.type is Horovod, which does not run on TPUs: remove it, together with a new value of spec.rerun, or use "
        "another preset. With TrainingPreset small, spec.strategy.gradientCompression is for Horovod",
    ),
    "labels of TPU nodes": (
        {"workers": {"accelerator": TPU}},
        {"workers": {"replicas": 2, "nodeSelector": {"cloud.google.com/gke-tpu-topology": "2x2"}}},
        "PresetConflict",
        "spec.workers.nodeSelector names cloud.google.com/gke-tpu-topology",
    ),
    "a store that the workers may not reach": (
        {"workers": {"network": {"egress": "Cluster"}}},
        {"data": {"source": {"uri": "s3://digits/mnist"}, "format": "IDX"}},
        "PresetConflict",
        "spec.data.source.uri s3://digits/mnist cannot be reached with workers.network.egress Cluster: name a place that can",
    ),
    "too many variables": (
        {"workers": {"env": [{"name": f"A{number}", "value": ""} for number in range(40)]}},
        {"workers": {"env": [{"name": f"B{number}", "value": ""} for number in range(40)]}},
        "PresetConflict",
        "With TrainingPreset small, spec.workers.env cannot be: Tuple should have at most 64 items",
    ),
}


@pytest.mark.parametrize(("preset", "spec", "reason", "words"), SAID.values(), ids=SAID)
def test_what_keeps_a_run_from_starting_is_said(preset: Raw, spec: Raw, reason: str, words: str) -> None:
    run = a_run(spec__preset="small", **{"spec__workers": {}} | {f"spec__{name}": value for name, value in spec.items()})
    found = obstacle(run, a_preset(**preset))
    assert found.reason == reason
    assert words in found.message


def test_as_much_as_a_limit_allows_is_allowed() -> None:
    run = a_run_of(workers={"replicas": 2}, spec__activeDeadlineSeconds=60)
    limits = {"mostWorkers": 2, "mostAccelerators": 4, "longestDeadlineSeconds": 60}
    assert applied(run, a_preset(workers={"accelerator": GPU}, limits=limits)).workers.replicas == 2


def test_all_oversteps_are_said_at_once() -> None:
    run = a_run_of(workers={"replicas": 3, "scratch": "2Gi", "schedulerName": "mine"})
    preset = a_preset(workers={"scratch": "1Gi", "schedulerName": "theirs"}, limits={"mostWorkers": 2})
    message = obstacle(run, preset).message
    assert [
        message.index(path) for path in ("spec.workers.schedulerName", "spec.workers.scratch", "spec.workers.replicas")
    ] == (
        sorted(message.index(path) for path in ("spec.workers.schedulerName", "spec.workers.scratch", "spec.workers.replicas"))
    )


def test_a_preset_that_is_not_there_is_waited_for() -> None:
    decision = look(a_run_of(), None)
    condition = decision.status.condition("Reconciling")
    assert condition is not None
    assert (condition.reason, decision.status.attempt, decision.requeue_after) == ("PresetNotFound", 0, 5.0)
    assert "There is no TrainingPreset small (spec.preset): create it" in condition.message


def test_a_preset_that_says_more_than_the_operator_knows_is_not_applied_in_part() -> None:
    raw = to_wire(a_preset(limits={"mostWorkers": 2}))
    raw["spec"]["limits"]["mostNodes"] = 1
    unreadable = read_preset(raw)
    assert isinstance(unreadable, Unreadable)
    found = obstacle(a_run_of(), unreadable)
    assert found.reason == "PresetUnreadable"
    assert "this operator does not know what spec.limits.mostNodes says" in found.message


# -- what an attempt keeps


def active(preset: TrainingPreset, **workers: Any) -> TrainingRun:
    """A run whose attempt has begun with this preset."""
    run = a_run_of(workers={"replicas": 2, **workers})
    status = look(run, preset).status
    assert status.resolved is not None
    return run.model_copy(update={"status": status})


FIRST = a_preset(workers={"runtimeClassName": "gvisor"}, image="team:1", limits={"longestDeadlineSeconds": 600}, generation=3)


def test_the_preset_is_written_down_with_the_attempt() -> None:
    resolved = active(FIRST).status.resolved
    assert resolved is not None
    assert resolved.preset is not None
    assert (resolved.image, resolved.preset.name, resolved.preset.generation) == ("team:1", "small", 3)
    assert len(resolved.preset.hash) == 64


def test_the_hash_is_that_of_what_the_preset_says_and_of_nothing_else() -> None:
    def hash_of(preset: TrainingPreset) -> str:
        applies = resolve(a_run_of(), preset).preset
        assert applies is not None
        return applies.record.hash

    again = a_preset("other", workers={"runtimeClassName": "gvisor"}, image="team:1", limits={"longestDeadlineSeconds": 600})
    assert hash_of(FIRST) == hash_of(again)
    assert hash_of(FIRST) != hash_of(a_preset(workers={"runtimeClassName": "runc"}))


LATER: dict[str, TrainingPreset | Unreadable | None] = {
    "changed": a_preset(workers={"runtimeClassName": "runc"}, image="team:2", generation=4),
    "overstepped by now": a_preset(limits={"mostWorkers": 1}),
    "deleted": None,
    "unreadable": Unreadable("it is too new."),
}


@pytest.mark.parametrize("preset", LATER.values(), ids=LATER)
def test_a_job_that_is_made_anew_is_the_one_that_was(preset: TrainingPreset | Unreadable | None) -> None:
    run = active(FIRST)
    coordinated = run.status.model_copy(
        update={"resolved": run.status.resolved and run.status.resolved.model_copy(update={"coordinator": "10.96.0.9"})}
    )
    run = run.model_copy(update={"status": coordinated})
    decision = look(run, preset, children=children(run, without=("Job",)))
    (job,) = decision.create
    pod = job["spec"]["template"]["spec"]
    assert (pod["runtimeClassName"], the_container(pod)["image"]) == ("gvisor", "team:1")
    assert decision.status.resolved == run.status.resolved


def test_what_only_a_newer_operator_has_written_down_is_passed_over() -> None:
    run = active(FIRST)
    resolved = run.status.resolved
    assert resolved is not None
    assert resolved.preset is not None
    newer = resolved.preset.model_copy(update={"spec": {**(resolved.preset.spec or {}), "quota": {"cpu": "1"}}})
    status = run.status.model_copy(update={"resolved": resolved.model_copy(update={"preset": newer})})
    assert resolve(run.model_copy(update={"status": status}), None).run.spec.workers.runtime_class_name == "gvisor"


def test_an_image_that_cannot_be_pulled_is_said_to_be_the_presets() -> None:
    run = active(FIRST)
    pods = [a_pod(0, phase="Pending", ready=False, waiting={"reason": "ErrImagePull", "message": "not found"})]
    observed = observe(children=children(run), pods=pods, claims={})
    begun = run.model_copy(update={"status": decide(run, observed, now=NOON, config=CONFIG).status})
    waiting = decide(begun, observed, now=NOON, config=CONFIG)
    assert "waits for the image team:1 (of TrainingPreset small): ErrImagePull" in waiting.status.conditions[0].message


def test_an_attempt_that_began_without_a_preset_has_none() -> None:
    run = an_active_run(spec__preset="small")
    assert resolve(run, a_preset(image="team:1")).run == run


@pytest.mark.parametrize("asked", [None, 6000], ids=["none", "raised meanwhile"])
def test_the_deadline_of_a_preset_ends_an_attempt_and_is_named(asked: int | None) -> None:
    run = active(FIRST)
    run = run.model_copy(update={"spec": run.spec.model_copy(update={"active_deadline_seconds": asked})})
    late = replace(observe(children=(), pods=(), claims={}), preset=None)
    decision = decide(run, late, now=NOON.replace(minute=10), config=CONFIG)
    failure = decision.status.failure
    assert failure is not None
    assert (failure.cause, "TrainingPreset small allows 600 (limits.longestDeadlineSeconds)" in failure.message) == (
        "DeadlineExceeded",
        True,
    )


def test_the_pod_has_what_the_preset_gives() -> None:
    given = {
        "env": [{"name": "PROXY", "value": "http://proxy:3128"}],
        "nodeSelector": {"pool": "team"},
        "scratch": "1Gi",
        "imagePullSecrets": [{"name": "registry"}],
    }
    pod = pod_of(resolve(active(a_preset(workers=given)), None).run)
    assert by_name(the_container(pod)["env"])["PROXY"] == {"value": "http://proxy:3128"}
    assert (pod["nodeSelector"], pod["imagePullSecrets"]) == (
        {"kubernetes.io/os": "linux", "pool": "team"},
        [{"name": "registry"}],
    )
    assert by_name(pod["volumes"])["scratch"] == {"emptyDir": {"sizeLimit": "1Gi"}}


# -- the model


def test_a_preset_has_the_fields_of_a_run_under_their_names_and_without_defaults() -> None:
    theirs, ours = get_type_hints(Workers), get_type_hints(PresetWorkers)
    assert ours == {name: theirs[name] for name in ours}
    constraints = {name: [PresetWorkers.model_fields[name].metadata, Workers.model_fields[name].metadata] for name in ours}
    assert {name: pair for name, pair in constraints.items() if pair[0] != pair[1]} == {}
    assert compact(to_wire(Workers())) == {"replicas": 1, "terminationGracePeriodSeconds": 30}


def test_each_field_of_a_preset_can_be_allowed() -> None:
    paths = {"image", *(f"workers.{field.alias}" for field in PresetWorkers.model_fields.values())}
    assert {field.value for field in PresetField} == paths


# -- merging, for any fields

SCALARS = st.sampled_from(["1", "2"])
ENTRIES = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from("abc"), "value": SCALARS}), unique_by=lambda each: each["name"]
)
FIELDS = st.fixed_dictionaries(
    {}, optional={"a": SCALARS, "list": ENTRIES, "inner": st.fixed_dictionaries({}, optional={"b": SCALARS, "c": SCALARS})}
).map(compact)


@settings(deadline=None)
@given(given_fields=FIELDS, asked=FIELDS)
def test_what_is_asked_for_applies_and_so_does_what_is_given_where_nothing_is_asked_for(given_fields: Raw, asked: Raw) -> None:
    result = merged(given_fields, asked)
    assert list(differences(result, asked)) == []
    changed = {difference.path for difference in differences(given_fields, asked)}
    assert {difference.path for difference in differences(given_fields, result)} == changed
    assert merged(given_fields, result) == result
    assert merged(given_fields, {}) == given_fields


# -- what holds in every run that starts

SIZES = st.sampled_from(["1Gi", "2Gi"])
SOME_WORKERS = st.fixed_dictionaries(
    {},
    optional={
        "scratch": SIZES,
        "runtimeClassName": st.sampled_from(["gvisor", "runc"]),
        "resources": st.fixed_dictionaries({"requests": st.fixed_dictionaries({}, optional={"cpu": SIZES, "memory": SIZES})}),
        "env": ENTRIES,
        "nodeSelector": st.dictionaries(st.sampled_from("abc"), st.sampled_from("12"), max_size=2),
        "tolerations": st.lists(st.sampled_from([{"key": key, "operator": "Exists"} for key in "ab"]), max_size=2),
        "network": st.fixed_dictionaries({}, optional={"egress": st.sampled_from(["Any", "Cluster"])}),
        "accelerator": st.integers(1, 2).map(lambda count: {"gpu": {"count": count}}),
    },
)


@settings(deadline=None)
@given(workers=SOME_WORKERS, replicas=st.integers(1, 3), spec=preset_specs(SOME_WORKERS))
def test_what_a_preset_fixes_and_bounds_holds_in_every_run_that_starts(workers: Raw, replicas: int, spec: Raw) -> None:
    run, preset = a_run_of(workers={**workers, "replicas": replicas}), TrainingPreset.parse(a_preset_manifest(**spec))
    resolution = resolve(run, preset)
    if resolution.obstacle is not None:
        return
    result, limits = resolution.run.spec, preset.spec.limits
    held = compact({"image": result.image or "", "workers": to_wire(result.workers)})
    changed = {difference.path for difference in differences(compact(to_wire(preset.spec.defaults)), held)}
    assert all(path.startswith(tuple(preset.spec.allowed_overrides)) for path in changed)
    if PresetField.ENV not in preset.spec.allowed_overrides:
        assert set(preset.spec.defaults.workers.env) <= set(result.workers.env)
    assert result.workers.replicas <= (limits.most_workers or 3)
    if limits.most_accelerators is not None:
        assert result.workers.replicas * result.workers.accelerators_per_worker <= limits.most_accelerators
