"""Fields of a manifest that may be absent."""

from trainingrun_operator.model import Manifest


def given(fields: Manifest) -> Manifest:
    """The fields that have a value: what the user left out is left to Kubernetes."""
    return {name: value for name, value in fields.items() if value not in (None, [], {})}
