"""Look-alikes of public tables, made of random numbers: headers, delimiters, labels, gaps and oddities are real."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

WINE = (13.0, 2.3, 2.4, 19.5, 99.7, 2.3, 2.0, 0.36, 1.6, 5.1, 0.96, 2.6, 746.9)
"""Means of the thirteen columns of UCI's wine."""
ACIDS = (
    "fixed acidity",
    "volatile acidity",
    "citric acid",
    "residual sugar",
    "chlorides",
    "free sulfur dioxide",
    "total sulfur dioxide",
    "density",
    "pH",
    "sulphates",
    "alcohol",
)


def wine(folder: Path) -> None:
    """UCI, wine.data: no header, the class 1 to 3 first, columns of very different size. A small one tells the classes."""
    random = np.random.default_rng(1)
    lines = []
    for place in range(178):
        label = place * 3 // 178
        values = np.array(WINE) * random.normal(1, 0.1, len(WINE))
        values[7] = 0.2 + 0.15 * label + random.normal(0, 0.02)
        lines.append(f"{label + 1}," + ",".join(f"{value:.4g}" for value in values))
    _write(folder / "wine.data", lines)


def iris(folder: Path) -> None:
    """UCI, iris.data: no header, names for classes, an empty line at the end."""
    random = np.random.default_rng(2)
    kinds = ("Iris-setosa", "Iris-versicolor", "Iris-virginica")
    values = [(place // 50, random.normal(3 + place // 50, 0.5, 4)) for place in range(150)]
    _write(folder / "iris.data", [*(",".join(f"{each:.1f}" for each in row) + f",{kinds[kind]}" for kind, row in values), ""])


def adult(folder: Path) -> None:
    """UCI, adult.data: no header, a comma and a space, question marks for gaps, names, an empty line at the end."""
    random = np.random.default_rng(3)
    lines = []
    for place in range(200):
        is_rich = place % 4 == 0
        row: Sequence[object] = (
            int(random.integers(17, 90)),
            "?" if place % 20 == 3 else random.choice(["State-gov", "Private", "Self-emp-not-inc"]),
            int(random.integers(12_285, 1_484_705)),
            random.choice(["Bachelors", "HS-grad", "11th"]),
            int(random.integers(1, 17)),
            "Married-civ-spouse" if is_rich else "Never-married",
            "?" if place % 20 == 3 else random.choice(["Adm-clerical", "Sales"]),
            random.choice(["Husband", "Not-in-family"]),
            random.choice(["White", "Black"]),
            random.choice(["Male", "Female"]),
            99999 if place % 50 == 0 else 0,
            0,
            int(random.integers(1, 100)),
            "?" if place % 50 == 7 else random.choice(["United-States", "Mexico"]),
            ">50K" if is_rich else "<=50K",
        )
        lines.append(", ".join(map(str, row)))
    _write(folder / "adult.data", [*lines, ""])


def digit_recognizer(folder: Path) -> None:
    """Kaggle, train.csv: the label first, then 784 pixels, of which those at the edges are always 0."""
    random = np.random.default_rng(4)
    pixels = random.integers(0, 256, (60, 28, 28))
    pixels[:, :4], pixels[:, -4:] = 0, 0
    rows = [f"{place % 10}," + ",".join(map(str, image.ravel().tolist())) for place, image in enumerate(pixels)]
    _write(folder / "train.csv", ["label," + ",".join(f"pixel{place}" for place in range(784)), *rows])


def wine_quality(folder: Path) -> None:
    """UCI, winequality-red.csv: semicolons, names in quotes, whose qualities are 3 to 8."""
    random = np.random.default_rng(5)
    rows = [[*(f"{value:.4g}" for value in random.uniform(0.05, 60, len(ACIDS))), str(3 + place % 6)] for place in range(120)]
    header = ";".join(f'"{name}"' for name in (*ACIDS, "quality"))
    _write(folder / "winequality-red.csv", [header, *(";".join(row) for row in rows)])


def _write(path: Path, lines: Sequence[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines))


WRITERS: dict[str, Callable[[Path], None]] = {
    "wine.data": wine,
    "iris.data": iris,
    "adult.data": adult,
    "digit-recognizer": digit_recognizer,
    "winequality-red.csv": wine_quality,
}
"""By the names of their files, or of what they are for."""
