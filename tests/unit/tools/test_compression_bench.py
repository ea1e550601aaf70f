"""What the compression benchmark makes of the results of its runs."""

from typing import Any

from tools.compression_bench.models import rows, run_of, smallest_accepted_row


def a_model(name: str, *, accuracy: float = 0.98, gzipped: int = 1000, accepted: bool | None = None) -> dict[str, Any]:
    """A model as `result.json` has it."""
    measured = {"accuracy": accuracy, "size_bytes": 2000, "gzipped_bytes": gzipped, "latency": {"median": 0.1, "p95": 0.2}}
    return {"name": name, "measured": measured, "accepted": accepted}


def a_result(*models: dict[str, Any]) -> dict[str, Any]:
    """A `result.json` with a dense model of 9,000 bytes and others."""
    return {"compression": {"models": [a_model("dense", accuracy=0.99, gzipped=9000), *models]}}


def test_the_smallest_model_counts_that_is_accepted() -> None:
    run = run_of(
        a_result(
            a_model("large", gzipped=3000, accepted=True),
            a_model("good", gzipped=900, accepted=True),
            a_model("bad", gzipped=100, accepted=False),
            a_model("floats", gzipped=200),
        )
    )
    assert run.smallest_accepted.name == "good"
    assert run.times_smaller(run.smallest_accepted) == 10


def test_a_run_without_an_accepted_model_has_made_nothing_smaller() -> None:
    refused = run_of(a_result(a_model("bad", gzipped=100, accepted=False)))
    good = run_of(a_result(a_model("good", gzipped=900, accepted=True)))
    row = smallest_accepted_row("mlp", [refused, good])
    assert (row["min"], row["max"]) == (1, 10)


def test_points_are_lost_against_the_dense_model_of_the_same_run() -> None:
    better, worse = (run_of(a_result(a_model("small", accuracy=accuracy))) for accuracy in (0.992, 0.987))
    found = {(row["name"], row["unit"]): row for row in rows("mlp", [better, worse])}
    lost = found["mlp: small", "points lost"]
    assert (lost["min"], lost["max"]) == (-0.2, 0.3)
    assert found["mlp: dense", "points lost"]["max"] == 0
