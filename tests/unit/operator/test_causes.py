"""The words for what goes wrong: each is explained once, and what is written about it is what the operator does."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools import failures_page
from trainingrun.contract import Cause
from trainingrun_operator import causes
from trainingrun_operator.causes import CAUSES
from trainingrun_operator.reasons import REASONS, Reason
from trainingrun_operator.step import State

OPERATOR = Path(causes.__file__).parent
OF_STATES = {*State, "Completed", "Accepted", "NotJudged", "Admitted", "AllReady", "Finished", "Cleanup", "Rerun", "Pending"}
"""Reasons of runs that are well, and of conditions that tell something else."""


def test_every_cause_and_every_reason_is_explained() -> None:
    assert set(CAUSES) == set(Cause)
    assert set(REASONS) == set(Reason)


@pytest.mark.parametrize("explanation", [*CAUSES.values(), *REASONS.values()], ids=[*CAUSES, *REASONS])
def test_an_explanation_says_what_follows_and_how_it_reads(explanation: causes.Explanation) -> None:
    assert explanation.happened
    assert explanation.follows
    assert len(explanation.example) > 20


def test_the_page_has_a_row_for_each() -> None:
    rows = {line.split("|")[1].strip() for line in failures_page.page().splitlines() if line.startswith("| ")}
    assert rows >= {*Cause, *Reason}


def literal_reasons() -> Iterator[tuple[str, str]]:
    """The file, and the text of every argument `reason` or `cause` that is written out in the operator."""
    for file in OPERATOR.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.keyword) and node.arg in ("reason", "cause") and isinstance(node.value, ast.Constant):
                yield file.name, str(node.value.value)


def test_no_policy_has_a_word_of_its_own() -> None:
    assert {(file, word) for file, word in literal_reasons() if word and word not in OF_STATES} == set()


def test_what_is_final_and_what_is_free() -> None:
    assert {cause for cause in Cause if causes.is_final(cause)} == {
        *(Cause.BAD_CONFIG, Cause.BAD_DATA, Cause.NOT_ACCEPTED, Cause.TUNING_FAILED, Cause.DEADLINE_EXCEEDED),
        Cause.NOT_A_NUMBER,
    }
    assert {cause for cause in Cause if causes.is_nobodys_fault(cause)} == {
        *(Cause.PREEMPTED, Cause.EVICTED, Cause.POD_REJECTED, Cause.NODE_LOST),
        *(Cause.INTERRUPTED, Cause.POD_DELETED, Cause.PEER_LOST),
    }
    assert not causes.is_final("AWordOfANewerTrainer")
    assert not causes.is_nobodys_fault("AWordOfANewerTrainer")
