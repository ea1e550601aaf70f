"""Presets for tests: one in a few words, and all that the API accepts, for tests of properties."""

from typing import Any

from hypothesis import strategies as st

from trainingrun.api import PresetField, PresetWorkers, TrainingPreset

Raw = dict[str, Any]

ALL_FIELDS = frozenset(field.alias or name for name, field in PresetWorkers.model_fields.items())
"""Fields of `spec.workers` that a preset has."""


def a_preset_manifest(name: str = "small", **spec: Any) -> Raw:
    """A TrainingPreset; `spec` are its fields, `defaults` without the level of workers where only these are meant."""
    return {"apiVersion": "trainingrun.dev/v1alpha1", "kind": "TrainingPreset", "metadata": {"name": name}, "spec": spec}


def a_preset(name: str = "small", *, image: str | None = None, generation: int = 1, **spec: Any) -> TrainingPreset:
    """A preset as it is read: `workers` and `image` are what it gives, the rest are other fields of its spec."""
    defaults: Raw = {"workers": spec.pop("workers", {})} | ({"image": image} if image is not None else {})
    manifest = a_preset_manifest(name, defaults=defaults, **spec)
    manifest["metadata"]["generation"] = generation
    return TrainingPreset.parse(manifest)


def preset_specs(workers: st.SearchStrategy[Raw]) -> st.SearchStrategy[Raw]:
    """Specs of presets that give some of what this strategy for `spec.workers` makes: those of its fields that a preset has."""
    given = workers.map(lambda made: {name: value for name, value in made.items() if name in ALL_FIELDS})
    return st.fixed_dictionaries(
        {"defaults": st.fixed_dictionaries({"workers": given}, optional={"image": st.sampled_from(["team:1", "team:2"])})},
        optional={
            "allowedOverrides": st.lists(st.sampled_from([field.value for field in PresetField]), unique=True),
            "limits": st.fixed_dictionaries(
                {},
                optional={
                    "mostWorkers": st.integers(1, 4),
                    "mostAccelerators": st.integers(0, 8),
                    "longestDeadlineSeconds": st.integers(1, 600),
                },
            ),
        },
    )
