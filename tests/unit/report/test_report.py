"""The report as values and text. What it looks like is tested in tests/browser."""

import base64
import math
import re
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reports import a_tuning, as_confusion, full_report, hostile_report, huge_report, minimal_report
from trainingrun_trainer.balance import Balance
from trainingrun_trainer.report import ReportData, render
from trainingrun_trainer.report.charts.scale import close_fit, linear, logarithmic
from trainingrun_trainer.report.importance import importances, ranked
from trainingrun_trainer.report.picture import data_uri, png, reduced
from trainingrun_trainer.report.thinning import spread, thinned
from trainingrun_trainer.report.values import Artifact, Check, Confusion, StageCurve, StageTime, Trial, TrialState, Verdict
from trainingrun_trainer.report.views.confusion import confusion_view
from trainingrun_trainer.report.views.curves import curve_drawings, curve_note
from trainingrun_trainer.report.views.front import front_view, pareto
from trainingrun_trainer.report.views.tuning import tuning_view
from trainingrun_trainer.report.words import duration, figure, percent, printable, shortened, size

SECTIONS = ["summary", "curves", "tuning", "artifacts", "confusion", "mistakes", "augmentation", "time", "reproduce"]
finite = st.floats(-1e9, 1e9)


def sections(data: ReportData) -> list[str]:
    return re.findall(r'<section id="(\w+)"', render(data))


def trials(*rows: tuple[Mapping[str, float | str], float]) -> list[Trial]:
    return [
        Trial(number=number, parameters=parameters, state=TrialState.COMPLETE, value=value)
        for number, (parameters, value) in enumerate(rows)
    ]


def test_a_full_report_has_every_section() -> None:
    assert sections(full_report()) == SECTIONS


def test_sections_without_data_are_left_out() -> None:
    assert sections(minimal_report()) == ["summary", "curves"]
    assert "accepted" not in render(minimal_report()).split("</style>")[1].lower()


def test_links_lead_to_sections_that_are_there() -> None:
    for data in (full_report(), minimal_report()):
        assert sorted(re.findall(r'href="#(\w+)"', render(data))) == sorted(sections(data)[1:])


@pytest.mark.parametrize("report", [full_report, minimal_report, hostile_report, huge_report])
def test_the_page_is_below_two_megabytes(report: Callable[[], ReportData]) -> None:
    assert len(render(report()).encode()) < 2_000_000


def test_the_page_is_the_same_for_the_same_run() -> None:
    assert render(full_report()) == render(full_report())


def test_a_model_that_is_not_accepted_says_what_it_misses() -> None:
    checks = (
        Check(name="accuracy", bound=0.99, value=0.973, is_maximum=False, holds=False),
        Check(name="gzipped size", bound=60_000, value=75_500, is_maximum=True, holds=False, is_size=True),
        Check(name="loss of accuracy", bound=0.01, value=0.002, is_maximum=True, holds=True),
    )
    page = render(replace(minimal_report(), verdict=Verdict(accepted=False, artifact="model", checks=checks)))

    assert "Not accepted" in page
    assert "Missed: 0.017 too little." in page
    assert "Missed: 15.5 kB too much." in page
    assert page.count("Missed:") == 2


@pytest.mark.parametrize(("judged_on", "is_said"), [("test", False), ("validation", True)])
def test_a_judgement_without_test_samples_is_called_that(judged_on: str, is_said: bool) -> None:
    assert ("There are no test samples" in render(replace(full_report(), judged_on=judged_on))) is is_said


@given(st.text())
def test_no_text_of_a_user_becomes_markup(text: str) -> None:
    hostile = f"<script>{text}</script>\" onload='x'"
    page = render(replace(minimal_report(), name=hostile, facts=((hostile, hostile),), parameters=hostile))

    assert "<script" not in page
    assert "onload='" not in page
    page.encode()


# Words


@pytest.mark.parametrize(
    ("value", "text"),
    [
     (0, "0"), (0.97312, "0.9731"), (1, "1"), (12500, "12500"), (-0.5, "\N{MINUS SIGN}0.5"),
     (3.14159e-5, "3.142e\N{MINUS SIGN}5"),
     (2e9, "2e9"), (0.00031, "0.00031"), (math.nan, "not a number"), (-math.inf, "\N{MINUS SIGN}∞")],
)  # fmt: skip
def test_figures(value: float, text: str) -> None:
    assert figure(value) == text


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (31_204, "31.2 kB"), (999_600, "1 MB"), (5e15, "5000 TB")]
)
def test_sizes(number: float, text: str) -> None:
    assert size(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (0.412, "0.41 s"), (9.97, "10 s"), (59.6, "1 min"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (7200, "2 h")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_other_words() -> None:
    assert percent(0.9731) == "97.3 %"
    assert shortened("abcdef", most=4) == "abc…"
    assert printable("a\0b\ud800c\n") == "a\ufffdb\ufffdc\n"


# Scales


@given(st.lists(finite, min_size=1, max_size=20))
def test_a_linear_scale_holds_all_values(values: list[float]) -> None:
    scale = linear(values)

    assert all(-1e-6 <= scale.place(value) <= 1 + 1e-6 for value in values)
    assert 2 <= len(scale.ticks) <= 8


@given(st.lists(st.floats(1e-12, 1e12), min_size=1, max_size=20))
def test_a_logarithmic_scale_holds_all_values(values: list[float]) -> None:
    scale = logarithmic(values)

    assert all(-1e-6 <= scale.place(value) <= 1 + 1e-6 for value in values)
    assert 1 <= len(scale.ticks) <= 6


def test_ticks_are_round() -> None:
    assert linear([0.63, 0.981]).ticks == (0.6, 0.7, 0.8, 0.9, 1.0)
    assert linear([0, 0, 0]).ticks == (-1.0, -0.5, 0.0, 0.5, 1.0)
    assert linear([math.nan, math.inf]).ticks == (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    assert close_fit(1, 27).ticks == (1, 10, 20)
    assert logarithmic([1e-4, 0.1]).ticks == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1])
    assert logarithmic([21_900, 243_000]).ticks == pytest.approx([50_000, 100_000, 200_000])


# Thinning


@given(st.lists(finite, min_size=60, max_size=200), st.integers(6, 50))
def test_thinned_curves_keep_their_ends_and_extremes(values: list[float], most: int) -> None:
    points = list(enumerate(values))
    kept = thinned(points, most=most)

    assert len(kept) <= most
    assert kept == sorted(set(kept))
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    assert {min(values), max(values)} <= {value for _, value in kept}


def test_a_short_curve_is_left_as_it_is() -> None:
    assert thinned([(1, 3.0), (2, 5.0)], most=6) == [(1, 3.0), (2, 5.0)]


@given(st.lists(st.integers(), max_size=200), st.integers(2, 20))
def test_items_are_spread_evenly(items: list[int], most: int) -> None:
    kept = spread(items, most=most)

    assert len(kept) == min(most, len(items))
    assert (kept[:1], kept[-1:]) == (items[:1], items[-1:])


# Pictures


def decoded(content: bytes) -> np.ndarray:
    """A PNG as its pixels: [height, width, channels]."""
    width, height, _, colour = struct.unpack(">IIBB", content[16:26])
    start = content.index(b"IDAT")
    length = struct.unpack(">I", content[start - 4 : start])[0]
    lines = np.frombuffer(zlib.decompress(content[start + 4 : start + 4 + length]), np.uint8)
    return lines.reshape(height, -1)[:, 1:].reshape(height, width, {0: 1, 2: 3}[colour])


@pytest.mark.parametrize("shape", [(5, 7, 1), (5, 7, 3), (64, 64, 3)])
def test_a_small_picture_keeps_every_pixel(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)

    np.testing.assert_array_equal(decoded(png(reduced(pixels))), pixels)


def test_a_grey_picture_may_have_no_channels() -> None:
    assert base64.b64decode(data_uri(np.zeros((3, 4), np.uint8)).partition(",")[2])[:4] == b"\x89PNG"


@pytest.mark.parametrize("shape", [(224, 224, 3), (1000, 3, 1), (65, 64, 3)])
def test_a_large_picture_keeps_its_mean(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    small = reduced(pixels)

    assert max(small.shape) <= 64
    assert small.mean() == pytest.approx(pixels.mean(), abs=2)


def test_squares_of_pixels_become_their_mean() -> None:
    pixels = np.array([[0, 10, 20], [10, 20, 30], [40, 60, 80]], np.uint8)

    assert reduced(pixels, side=2)[..., 0].tolist() == [[10, 25], [50, 80]]


# Importance


def test_the_parameter_that_decides_is_the_important_one() -> None:
    draw = np.random.default_rng(1)
    rows = [({"rate": float(draw.random()), "noise": float(draw.random())}, 0.0) for _ in range(60)]
    shares = dict(importances(trials(*((row, row["rate"]) for row, _ in rows))))

    assert shares["rate"] > 0.9
    assert shares["noise"] < 0.15


def test_a_best_value_in_the_middle_counts() -> None:
    places = np.random.default_rng(2).random(60).tolist()

    assert dict(importances(trials(*(({"rate": place}, -abs(place - 0.5)) for place in places))))["rate"] > 0.5


def test_a_category_that_decides_is_important_and_one_that_never_changes_is_not() -> None:
    rows = [({"kind": "ab"[number % 2], "same": "x"}, float(number % 2)) for number in range(20)]

    assert importances(trials(*rows)) == [("kind", pytest.approx(1)), ("same", 0)]


def test_chance_is_about_nothing() -> None:
    draw = np.random.default_rng(3)
    shares = [importances(trials(*(({"a": a}, value) for a, value in draw.random((30, 2)).tolist())))[0][1] for _ in range(50)]

    assert float(np.mean(shares)) < 0.08


def test_importance_needs_ten_completed_trials() -> None:
    ten = trials(*(({"a": float(number)}, float(number)) for number in range(10)))

    assert importances(ten)
    assert importances([replace(ten[0], state=TrialState.PRUNED), *ten[1:]]) == []


def test_equal_values_share_a_rank() -> None:
    assert ranked(np.array([3.0, 1.0, 3.0, 2.0])).tolist() == [2.5, 0, 2.5, 1]


# Sections


def test_curves_are_drawn_for_each_metric_through_all_stages() -> None:
    curves = full_report().curves
    drawings = curve_drawings(curves)

    assert [drawing.title for drawing in drawings] == ["Loss", "Accuracy"]
    assert all(drawing.chart.count('class="border"') == 2 for drawing in drawings)
    assert "Pruning 0.8: 5 epochs (21 to 25), weights of epoch 25 kept." in curve_note(curves)


def test_a_curve_has_a_gap_where_it_is_not_a_number() -> None:
    losses = (3.0, 2.0, math.nan, 1.0, 0.5)
    (drawing,) = curve_drawings([StageCurve(name="training", epochs=tuple({"loss": loss} for loss in losses))])

    assert drawing.chart.count('class="line series-0"') == 2


def test_only_metrics_say_whose_weights_are_kept() -> None:
    epochs = ({"loss": 2.0, "learningRate": 0.1}, {"loss": 1.0, "learningRate": 0.1})
    loss, rate = curve_drawings([StageCurve(name="training", epochs=epochs, kept=2)])

    assert [entry.text for entry in loss.legend] == ["weights that are kept"]
    assert rate.legend == ()


def test_long_curves_are_thinned() -> None:
    epochs = tuple({"loss": 1 / (epoch + 1)} for epoch in range(10_000))
    (drawing,) = curve_drawings([StageCurve(name="training", epochs=epochs)])

    assert len(drawing.chart) < 20_000


def test_the_best_trial_is_named() -> None:
    view = tuning_view(a_tuning(40, draw=np.random.default_rng(7)))

    best = max(float(row[1]) for row in view.rows)
    assert view.rows[0][:2] == ("12", f"{best:.4f}")
    assert f"The best is trial 12 with {best:.4f}" in view.sentence
    assert view.columns == ("Trial", "val_accuracy", "learningRate", "batchSize", "activation", "dropout", "Time")


def test_a_minimized_objective_turns_the_order_around() -> None:
    tuning = replace(a_tuning(40, draw=np.random.default_rng(7)), is_maximized=False)
    values = [float(row[1]) for row in tuning_view(tuning).rows]

    assert values == sorted(values)


def test_trials_that_all_failed_leave_a_sentence() -> None:
    tuning = a_tuning(3, draw=np.random.default_rng(7))
    failed = tuple(replace(trial, state=TrialState.FAILED, value=None, epochs=()) for trial in tuning.trials)
    view = tuning_view(replace(tuning, trials=failed))

    assert view.sentence == "3 trials (3 failed), compared by val_accuracy. None came to its end."
    assert view.drawings == ()


def test_the_front_holds_what_nothing_beats_in_both() -> None:
    points = [(10.0, 0.9), (20.0, 0.95), (15.0, 0.85), (30.0, 0.95), (5.0, 0.5), (20.0, 0.7)]

    assert pareto(points, is_maximized=True) == [(5.0, 0.5), (10.0, 0.9), (20.0, 0.95)]
    assert pareto(points, is_maximized=False) == [(5.0, 0.5)]


def test_artifacts_have_the_columns_that_were_measured() -> None:
    view = front_view([Artifact(name="model", size_bytes=412_000, accuracy=0.98)], None)

    assert (view.columns, view.rows) == (("Artifact", "Size", "Accuracy"), (("model", "412 kB", "0.98"),))
    assert view.drawing is None
    assert view.is_measured
    assert not front_view([Artifact(name="model", size_bytes=412_000)], None).is_measured


def test_a_matrix_tells_recall_and_precision() -> None:
    view = confusion_view(as_confusion(np.array([[8, 2], [0, 10]])), ("cat", "dog"))

    assert [row.recall for row in view.rows] == ["80 %", "100 %"]
    assert view.precisions == ("100 %", "83.3 %")
    assert view.sentence == (
        "2 of 20 samples are wrong. Most frequent: “cat” taken for “dog”, 2 times. The recall of a class is 90 % on average, "
        "lowest with “cat”: 80 %."
    )


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ([[99, 0], [1, 0]], "50 % on average, lowest with “dog”: 0 %. No sample is taken for “dog”: accuracy"),
        ([[9, 0, 0], [0, 9, 0], [0, 9, 0]], "66.7 % on average, lowest with “2”: 0 %. No sample is taken for “2”: accuracy"),
        ([[9, *[0] * 7], *[[1, *[0] * 7]] * 7], "“dog”, “2”, “3”, “4”, “5” and 2 more: accuracy alone does not tell that."),
    ],
)
def test_a_class_that_is_never_the_answer_is_named(counts: list[list[int]], words: str) -> None:
    assert words in confusion_view(as_confusion(np.array(counts)), ("cat", "dog")).sentence


@pytest.mark.parametrize(
    ("counts", "found"),
    [
        ({}, None),
        ({(0, 0): 99, (1, 0): 1}, Balance(0.5, 1, 0.0, (1,))),
        ({(0, 0): 3, (0, 2): 1, (2, 2): 4}, Balance(0.875, 0, 0.75, ())),
        ({(0, 1): 1, (1, 0): 1}, Balance(0.0, 0, 0.0, ())),
    ],
    ids=["no samples", "one class for all", "a class without samples", "all wrong"],
)
def test_balance_is_told_by_classes_that_have_samples(counts: Mapping[tuple[int, int], int], found: Balance | None) -> None:
    assert Balance.of(counts) == found


@pytest.mark.parametrize("on", ["one thread", "all threads of a rank", "the GPU of a rank"])
def test_a_latency_says_what_it_was_measured_on(on: str) -> None:
    model = Artifact(name="model", size_bytes=1, latency_milliseconds=2.0, latency_on=on)
    assert front_view([model, replace(model, latency_milliseconds=None)], None).rows == (
        ("model", "1 B", "2 ms", on),
        ("model", "1 B", "", ""),
    )


def test_many_classes_become_the_most_frequent_confusions() -> None:
    counts = np.diag(np.full(1000, 5))
    counts[17, 4] = 3
    view = confusion_view(as_confusion(counts), ())

    assert view.rows == ()
    assert view.pairs is not None
    assert "17 → 4" in view.pairs
    assert view.pairs.count('class="bar"') == 1


@pytest.mark.parametrize("classes", [3, 100])
def test_a_model_that_is_never_wrong_is_said_to_be(classes: int) -> None:
    view = confusion_view(as_confusion(np.diag(np.full(classes, 5))), ())

    assert view.sentence == f"All {5 * classes} samples are right."
    assert view.pairs is None


def test_ten_thousand_classes_are_no_larger_than_the_pairs_that_occur() -> None:
    counts = {(number, number): 3 for number in range(10_000)} | {(number, 0): 1 for number in range(1, 500)}
    view = confusion_view(Confusion(classes=10_000, counts=counts | {(4711, 815): 7}), ())

    assert view.sentence.startswith("506 of 30,506 samples are wrong. Most frequent: “4711” taken for “815”, 7 times. ")
    assert view.pairs is not None
    assert "7 of 10" in view.pairs
    assert view.pairs.count('class="bar"') == 20


@pytest.mark.parametrize(("is_shipped", "kind"), [(True, "the smallest accepted model"), (False, "the float model")])
def test_answers_say_which_model_gave_them(is_shipped: bool, kind: str) -> None:
    page = render(replace(full_report(), answered_by="that one", is_shipped=is_shipped))

    assert f"Answers of <code>that one</code>, {kind}, to the test samples." in page
    assert f"Wrong answers of <code>that one</code>, {kind}, to the test samples" in page


def test_trials_without_times_have_no_column_for_them() -> None:
    tuning = a_tuning(5, draw=np.random.default_rng(7))
    view = tuning_view(replace(tuning, trials=tuple(replace(trial, seconds=None) for trial in tuning.trials)))

    assert "Time" not in view.columns
    assert {len(row) for row in view.rows} == {len(view.columns)}


def test_accelerator_seconds_are_told_only_where_there_are_accelerators() -> None:
    times = (StageTime(name="Training", seconds=90), StageTime(name="Pruning", seconds=30))
    page = render(replace(minimal_report(), times=times))
    held = render(replace(minimal_report(), times=times, accelerators=4))

    assert "2 min in all." in page
    assert "accelerator" not in page
    assert "2 min in all, 480 accelerator-seconds on 4 accelerators." in held
    assert "1 min 30 s, 360 accelerator-seconds" in held
