"""Fields of models are changed by names and types that mypy knows, and to values that the model takes."""

from pathlib import Path
from typing import Any, get_type_hints

import pytest
from pydantic import BaseModel, ValidationError

import trainingrun_operator
from tests.builders import an_active_run
from trainingrun.api import (
    Clock,
    Columns,
    Condition,
    Failure,
    Ledger,
    Progress,
    Resolved,
    TrainingRun,
    TrainingRunSpec,
    TrainingRunStatus,
)
from trainingrun.api.base import to_wire
from trainingrun_operator import changes
from trainingrun_operator.changes import changed

FIELDS: list[tuple[type[BaseModel], type[Any]]] = [
    (TrainingRunStatus, changes.StatusFields),
    (Ledger, changes.LedgerFields),
    (Failure, changes.FailureFields),
    (Progress, changes.ProgressFields),
    (Resolved, changes.ResolvedFields),
    (Clock, changes.ClockFields),
    (Condition, changes.ConditionFields),
    (Columns, changes.ColumnsFields),
    (TrainingRun, changes.RunFields),
    (TrainingRunSpec, changes.SpecFields),
]


@pytest.mark.parametrize(("model", "fields"), FIELDS, ids=lambda each: each.__name__)
def test_fields_that_can_be_changed_are_those_of_the_model_with_their_types(model: type[BaseModel], fields: type[Any]) -> None:
    of_model = get_type_hints(model)
    assert get_type_hints(fields) == {name: of_model[name] for name in get_type_hints(fields)}


@pytest.mark.parametrize("model", [TrainingRunStatus, Ledger], ids=lambda each: each.__name__)
def test_all_fields_of_what_only_the_operator_writes_can_be_changed(model: type[BaseModel]) -> None:
    assert set(get_type_hints(dict(FIELDS)[model])) == set(model.model_fields)


def test_only_what_is_named_changes() -> None:
    status = an_active_run().status
    assert to_wire(changed(status, attempt=2)) == {**to_wire(status), "attempt": 2}


def test_a_field_that_is_misspelled_is_an_error_also_where_unknown_fields_are_ignored() -> None:
    with pytest.raises(TypeError, match="TrainingRunStatus has no field attempts"):
        changed(TrainingRunStatus(), attempts=2)  # type: ignore[call-overload] # an unused ignore says that mypy misses it


def test_a_value_that_the_model_does_not_take_is_an_error() -> None:
    with pytest.raises(ValidationError):
        changed(Clock(), running_since="soon")  # type: ignore[call-overload] # an unused ignore says that mypy misses it


def test_a_text_for_people_is_cut_as_the_model_says() -> None:
    assert len(changed(Failure(cause="Hang"), message="x" * 5000).message) == 2048


def test_nothing_in_the_operator_is_changed_by_names_that_nobody_checks() -> None:
    sources = Path(trainingrun_operator.__file__).parent.rglob("*.py")
    assert [path.name for path in sources if "model_copy(" in path.read_text() and path.name != "changes.py"] == []
