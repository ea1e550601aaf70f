"""Reports as tests want them: full, minimal, hostile and larger than anything sensible."""

import math
from collections import Counter

import numpy as np

from trainingrun_trainer.report.values import (
    Artifact,
    Augmented,
    Check,
    Choice,
    Confusion,
    Mistake,
    ReportData,
    StageCurve,
    StageTime,
    Trial,
    TrialState,
    Tuning,
    Verdict,
)

HOSTILE = (
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>'",
    "</style></svg></title><b>bold",
    "{{ 7 * 7 }}{% raw %}",
    "Wort" * 500,
    "鯉のぼり、金魚",
    "\u202eright to left",
    "nul\0 surrogate\ud800 bell\x07",
    "https://example.invalid/picture.png",
    "a&amp;b &lt; c",
)


def full_report() -> ReportData:
    """Every section, as a run on digits with tuning and compression would fill it."""
    draw = np.random.default_rng(7)
    return ReportData(
        name="mnist-small",
        namespace="research",
        finished_at="2026-11-25 16:04 UTC",
        judged_on="test",
        facts=(
            ("Data", "10,000 samples of 10 classes: 7,000 training, 1,500 validation, 1,500 test"),
            ("Network", "CNN, 65,290 parameters"),
            ("Ranks", "2, of one worker each"),
        ),
        metrics=(
            ("Test accuracy", 0.983),
            ("Test loss", 0.0512),
            ("Validation accuracy", 0.9843),
            ("Training accuracy", 0.9902),
        ),
        verdict=Verdict(
            accepted=True,
            artifact="pruned-0.8-int8",
            checks=(
                Check(name="accuracy", bound=0.97, value=0.9807, is_maximum=False, holds=True),
                Check(name="loss of accuracy", bound=0.01, value=0.0023, is_maximum=True, holds=True),
                Check(name="gzipped size", bound=60000, value=31204, is_maximum=True, holds=True, is_size=True),
            ),
        ),
        curves=(
            a_curve("training", 20, draw=draw, start=1.1, kept=17),
            a_curve("pruning 0.8", 5, draw=draw, start=0.16, kept=5),
            a_curve("int8-aware", 2, draw=draw, start=0.11),
        ),
        tuning=a_tuning(40, draw=draw),
        artifacts=artifacts(),
        class_names=tuple(str(number) for number in range(10)),
        answered_by="pruned-0.8-int8",
        is_shipped=True,
        confusion=a_confusion(10, draw=draw),
        mistakes=tuple(
            Mistake(image=an_image(28, 1, draw), truth=str(n % 10), predicted=str((n + 3) % 10), probability=0.999 - n / 40)
            for n in range(12)
        ),
        augmented=tuple(
            Augmented(label=str(n), original=an_image(28, 1, draw), variants=tuple(an_image(28, 1, draw) for _ in range(4)))
            for n in range(4)
        ),
        times=(
            StageTime(name="Choosing", seconds=8.2),
            StageTime(name="Tuning", seconds=214),
            StageTime(name="Training", seconds=93),
            StageTime(name="Pruning", seconds=41),
            StageTime(name="Quantizing", seconds=12.4),
            StageTime(name="Evaluating", seconds=0.8),
        ),
        choices=(
            Choice(
                name="training.batchSize",
                value="256",
                reason="512 brought only 3 % more samples per second.",
                measured=tuple({"batchSize": 2**n, "samplesPerSecond": 900 * n} for n in range(5, 10)),
            ),
        ),
        versions=(
            ("tensorflow", "2.21.0"),
            ("horovod", "0.28.1"),
            ("image", "registry.example/trainer@sha256:" + "ab" * 32),
            ("data sha256", "cd" * 32),
            ("seed", "42"),
        ),
        parameters="model:\n  builtin:\n    type: CNN\ntraining:\n  epochs: 20\n  batchSize: 64\n",
    )


def minimal_report() -> ReportData:
    """What a run on feature vectors has, without tuning, compression and acceptance."""
    return ReportData(
        name="tiny",
        namespace="default",
        finished_at="2026-11-25 16:04 UTC",
        metrics=(("val_accuracy", 0.91),),
        curves=(StageCurve(name="training", epochs=({"loss": 0.5, "accuracy": 0.8},)),),
    )


def hostile_report() -> ReportData:
    """Every text is one that would break a page which does not escape it, and numbers are what they should not be."""
    draw = np.random.default_rng(3)
    texts = [HOSTILE[n % len(HOSTILE)] for n in range(40)]
    odd = math.nan, math.inf, -math.inf
    return ReportData(
        name=texts[0] * 3,
        namespace=texts[1],
        finished_at=texts[2],
        judged_on=texts[3],
        facts=tuple((text, text) for text in HOSTILE),
        metrics=tuple((text, odd[n % 3]) for n, text in enumerate(HOSTILE)),
        verdict=Verdict(
            accepted=False,
            artifact=texts[4],
            checks=tuple(Check(name=text, bound=math.inf, value=math.nan, is_maximum=False, holds=False) for text in HOSTILE),
        ),
        curves=tuple(
            StageCurve(
                name=text, epochs=({text: 1.0, "loss": math.nan}, {text: math.inf, "loss": 3e38}, {text: 2.0, "loss": 0.0})
            )
            for text in HOSTILE
        ),
        tuning=Tuning(
            metric=texts[0],
            is_maximized=False,
            logarithmic=frozenset(HOSTILE),
            trials=tuple(
                Trial(
                    number=n,
                    parameters={text: texts[(n + m) % 7] if m % 2 else n % 5 - 1.0 for m, text in enumerate(HOSTILE)},
                    state=list(TrialState)[n % 3],
                    value=(n % 7) / 7 if n % 3 == 0 else odd[n % 3],
                    epochs=(math.nan, 0.5, n / 7),
                )
                for n in range(60)
            ),
        ),
        artifacts=tuple(
            Artifact(
                name=text,
                size_bytes=n,
                gzipped_bytes=n,
                accuracy=n / 10,
                sparsity=math.nan,
                layers=((text, 0.5),),
                accepted=False,
                reasons=HOSTILE,
            )
            for n, text in enumerate(HOSTILE)
        ),
        class_names=HOSTILE,
        answered_by=texts[5],
        confusion=as_confusion(draw.integers(0, 50, (10, 10))),
        mistakes=tuple(
            Mistake(image=an_image(9, 3, draw), truth=text, predicted=text, probability=math.nan) for text in HOSTILE
        ),
        augmented=tuple(
            Augmented(label=text, original=an_image(9, 3, draw), variants=(an_image(9, 1, draw),)) for text in HOSTILE
        ),
        times=tuple(StageTime(name=text, seconds=n) for n, text in enumerate(HOSTILE)),
        choices=tuple(Choice(name=text, value=text, reason=text, measured=({text: math.nan},)) for text in HOSTILE),
        versions=tuple((text, text) for text in HOSTILE),
        parameters="\n".join(HOSTILE),
    )


def huge_report() -> ReportData:
    """1,000 classes, 1,000 trials of 16 parameters, 10,000 epochs, large noisy images, endless texts."""
    draw = np.random.default_rng(5)
    long = "x" * 100_000
    images = tuple(an_image(224, 3, draw, is_noise=True) for _ in range(40))
    trials = tuple(
        Trial(
            number=n,
            parameters={f"model.parameters.{'p' * 40}{p}": float(draw.random()) for p in range(16)},
            state=TrialState.COMPLETE,
            value=float(draw.random()),
            epochs=tuple(draw.random(100).tolist()),
            seconds=1.0,
        )
        for n in range(1000)
    )
    return ReportData(
        name=long,
        namespace=long,
        finished_at=long,
        facts=tuple((long, long) for _ in range(50)),
        metrics=tuple((long, 0.5) for _ in range(50)),
        verdict=Verdict(
            accepted=False,
            artifact=long,
            checks=tuple(Check(name=long, bound=1, value=0, is_maximum=False, holds=False) for _ in range(10)),
        ),
        curves=(a_curve("training", 10_000, draw=draw, start=2.0), a_curve(long, 500, draw=draw, start=0.3)),
        tuning=Tuning(metric="val_accuracy", is_maximized=True, trials=trials),
        artifacts=tuple(
            Artifact(
                name=long,
                size_bytes=1000 + n,
                accuracy=0.5,
                layers=tuple((long, 0.5) for _ in range(300)),
                reasons=(long,) * 10,
            )
            for n in range(20)
        ),
        class_names=tuple(f"class {n} {long}" for n in range(1000)),
        confusion=Confusion(classes=1000, counts=dict(Counter(map(tuple, draw.integers(0, 1000, (200_000, 2)).tolist())))),
        mistakes=tuple(Mistake(image=image, truth=long, predicted=long, probability=0.9) for image in images),
        augmented=tuple(Augmented(label=long, original=image, variants=images) for image in images),
        times=tuple(StageTime(name=long, seconds=1) for _ in range(50)),
        choices=tuple(
            Choice(name=long, value=long, reason=long, measured=tuple({"a": 1.0} for _ in range(5000))) for _ in range(8)
        ),
        versions=tuple((long, long) for _ in range(50)),
        parameters=long * 10,
    )


def a_curve(name: str, epochs: int, *, draw: np.random.Generator, start: float, kept: int | None = None) -> StageCurve:
    """Loss and accuracy that get better, with some noise."""
    losses = 0.04 + start * np.exp(-np.arange(epochs) / max(2, epochs / 5)) * (1 + 0.08 * draw.standard_normal(epochs))
    return StageCurve(
        name=name,
        kept=kept,
        epochs=tuple(
            {"loss": loss, "accuracy": 1 - loss / 3, "val_loss": loss + 0.03, "val_accuracy": 1 - (loss + 0.03) / 3}
            for loss in losses.tolist()
        ),
    )


def a_tuning(trials: int, *, draw: np.random.Generator) -> Tuning:
    """A search in which the learning rate matters most, with its best value in the middle."""
    return Tuning(
        metric="val_accuracy",
        is_maximized=True,
        logarithmic=frozenset({"training.optimizer.learningRate"}),
        trials=tuple(a_trial(number, draw=draw) for number in range(trials)),
    )


def a_trial(number: int, *, draw: np.random.Generator) -> Trial:
    """Every third one is ended early, one has failed."""
    rate, size = 10 ** draw.uniform(-4, -1), int(draw.choice([64, 128, 256]))
    activation = str(draw.choice(["ReLU", "GELU", "HardSwish"]))
    value = 0.98 - 0.06 * (math.log10(rate) + 2.6) ** 2 + 0.006 * (activation == "GELU") + 0.002 * draw.standard_normal()
    state = TrialState.FAILED if number == 7 else TrialState.PRUNED if number % 3 == 2 else TrialState.COMPLETE
    epochs = 2 if state is TrialState.PRUNED else 5
    course = tuple(value - 0.15 * math.exp(-epoch) for epoch in range(1, epochs + 1))
    return Trial(
        number=number,
        parameters={
            "training.optimizer.learningRate": rate,
            "training.batchSize": size,
            "model.parameters.activation": activation,
            "model.parameters.dropout": float(draw.uniform(0, 0.5)),
        },
        state=state,
        value=None if state is TrialState.FAILED else course[-1],
        epochs=() if state is TrialState.FAILED else course,
        seconds=4.1,
    )


def artifacts() -> tuple[Artifact, ...]:
    """The float model and what compression made of it."""
    layers = (("conv2d", 0.0), ("conv2d_1", 0.8), ("conv2d_2", 0.8), ("dense", 0.8), ("dense_1", 0.0))
    return (
        Artifact(
            name="model",
            file="model/",
            size_bytes=412_000,
            gzipped_bytes=243_000,
            accuracy=0.983,
            loss=0.0512,
            latency_milliseconds=0.41,
            latency_p95_milliseconds=0.52,
            accepted=False,
            reasons=("Its gzipped size of 243 kB is more than 60 kB.",),
        ),
        Artifact(
            name="int8",
            file="int8.tflite",
            size_bytes=76_000,
            gzipped_bytes=58_700,
            accuracy=0.9827,
            loss=0.0519,
            latency_milliseconds=0.17,
            latency_p95_milliseconds=0.2,
            accepted=True,
        ),
        Artifact(
            name="pruned-0.8-int8",
            file="pruned-0.8-int8.tflite",
            size_bytes=75_000,
            gzipped_bytes=31_204,
            accuracy=0.9807,
            loss=0.058,
            latency_milliseconds=0.17,
            latency_p95_milliseconds=0.19,
            sparsity=0.8,
            layers=layers,
            accepted=True,
        ),
        Artifact(
            name="pruned-0.9-int8",
            file="pruned-0.9-int8.tflite",
            size_bytes=75_000,
            gzipped_bytes=21_900,
            accuracy=0.9613,
            loss=0.121,
            latency_milliseconds=0.17,
            latency_p95_milliseconds=0.19,
            sparsity=0.9,
            accepted=False,
            reasons=("Its accuracy of 0.9613 is less than 0.97.",),
        ),
    )


def a_confusion(classes: int, *, draw: np.random.Generator) -> Confusion:
    """Mostly right."""
    return as_confusion(draw.poisson(0.4, (classes, classes)) + np.diag(draw.integers(120, 160, classes)))


def as_confusion(matrix: np.ndarray) -> Confusion:
    """From a matrix [classes, classes], whose rows are what samples are."""
    counts = {(truth, predicted): int(matrix[truth, predicted]) for truth, predicted in np.argwhere(matrix).tolist()}
    return Confusion(classes=len(matrix), counts=counts)


def an_image(side: int, channels: int, draw: np.random.Generator, *, is_noise: bool = False) -> np.ndarray:
    """A bright blob on dark ground, or noise, which compresses worst."""
    if is_noise:
        return draw.integers(0, 256, (side, side, channels), dtype=np.uint8)
    rows, columns = np.mgrid[0:side, 0:side] / side - draw.uniform(0.3, 0.7, (2, 1, 1))
    bright = 255 * np.exp(-((rows**2 + 3 * (columns + rows * draw.uniform(-1, 1)) ** 2) * 20))
    return np.repeat(bright[..., None], channels, axis=-1).astype(np.uint8)
