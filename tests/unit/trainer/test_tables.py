"""Tables as people have them: headers, delimiters, labels, gaps and categories; what is wrong with them is said."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.unit.trainer.stages_alone import alone
from tests.unit.trainer.writing import CLAIM
from trainingrun_trainer.data.dataset import Dataset
from trainingrun_trainer.data.feed import Split
from trainingrun_trainer.data.source import About, load_split, open_data
from trainingrun_trainer.errors import TrainerError


def read(folder: Path, text: str, **csv: Any) -> Dataset:
    """One table, as one rank alone reads it."""
    (folder / "a.csv").write_text(text)
    environment = {"TRAININGRUN_DATA_MOUNT": str(folder)}
    data = open_data(alone(folder, environment=environment, data={"source": CLAIM, "format": "CSV", "csv": csv}).context)
    assert isinstance(data, Dataset)
    return data


def columns(data: Dataset) -> list[str]:
    return [column.name for column in data.columns]


HEADERS: dict[str, tuple[str, Mapping[str, Any], list[str], list[list[float]]]] = {
    "none": ("1,0.5,x\n2,0.25,y\n", {"header": False, "labelColumn": "c2"}, ["c0", "c1"], [[1, 0.5], [2, 0.25]]),
    "none, the label first": ("x;1\ny;2\n", {"header": False, "labelColumn": "c0", "delimiter": ";"}, ["c1"], [[1], [2]]),
    "numbers for names": ("0,1\n5,7\n6,8\n", {"labelColumn": "1"}, ["0"], [[5], [6]]),
    "row numbers of pandas": (",age,label\n0,5,x\n1,6,y\n", {}, ["age"], [[5], [6]]),
    "row numbers, read and written again": ("Unnamed: 0,age,label\n0,5,x\n1,6,y\n", {}, ["age"], [[5], [6]]),
    "a delimiter at the end of each line": ("age,label,\n5,x,\n6,y, \n", {}, ["age"], [[5], [6]]),
    "bars and spaces": ("age | label\n 5 | x\n 6 | y\n", {"delimiter": "|"}, ["age"], [[5], [6]]),
    "tabs, a BOM and lines of Windows": ("\ufeffage\tlabel\r\n5\tx\r\n6\ty\r\n", {"delimiter": "\t"}, ["age"], [[5], [6]]),
    "spaces before quotes": ('age, "the, label"\n5, "a, b"\n6, "c"\n', {"labelColumn": "the, label"}, ["age"], [[5], [6]]),
    "a name of two lines": ('"age\nin years",label\n5,x\n6,y\n', {}, ["age\nin years"], [[5], [6]]),
    "empty lines": ("age,label\n\n5,x\n,\n6,y\n\n\n", {}, ["age"], [[5], [6]]),
}


@pytest.mark.parametrize(("text", "settings", "names", "values"), HEADERS.values(), ids=HEADERS)
def test_columns_and_values_are_found(
    tmp_path: Path, text: str, settings: Mapping[str, Any], names: list[str], values: list[list[float]]
) -> None:
    data = read(tmp_path, text, **settings)
    assert columns(data) == names
    assert data.inputs.tolist() == values
    assert data.labels.tolist() == [0, 1]


def test_a_column_that_is_left_out_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    read(tmp_path, ",age,label\n0,5,x\n1,6,y\n")
    assert (
        "a.csv: the first column has no name, as the row numbers that pandas writes; it is left out." in capsys.readouterr().out
    )


LABELS: dict[str, tuple[list[str], tuple[str, ...], list[int]]] = {
    "from one": (["3", "1", "2", "1"], ("1", "2", "3"), [2, 0, 1, 0]),
    "negative": (["-1", "1", "+1"], ("-1", "1"), [0, 1, 1]),
    "whole decimals": (["1.0", "0.0"], (), [1, 0]),
    "truths": (["True", "False"], ("False", "True"), [1, 0]),
    "names": (["b", "a a", "b"], ("a a", "b"), [1, 0, 1]),
}


@pytest.mark.parametrize(("labels", "names", "numbers"), LABELS.values(), ids=LABELS)
def test_labels_are_numbered_in_their_order(
    tmp_path: Path, labels: list[str], names: tuple[str, ...], numbers: list[int]
) -> None:
    data = read(tmp_path, "a,label\n" + "".join(f"{place},{label}\n" for place, label in enumerate(labels)))
    assert (data.class_names, data.labels.tolist()) == (names, numbers)


WRONG: dict[str, tuple[str, Mapping[str, Any], str]] = {
    "a column twice": ("a,a,label\n1,2,x\n", {}, "The first line of a.csv names a more than once: give each column a name"),
    "the label twice": ("a,label,label\n1,x,y\n", {}, "names label more than once"),
    "samples instead of names": ("1,1,x\n2,3,y\n", {}, "or set spec.data.csv.header to false if these are the values of a"),
    "no header": ("5.1,3.5,x\n4,3,y\n", {}, "If these are the values of a sample, set spec.data.csv.header to false."),
    "a header after all": ("a,kind\n1,x\n", {"header": False, "labelColumn": "c1"}, "remove spec.data.csv.header"),
    "a label that no column is": ("1,x\n", {"header": False}, "without a header its columns are called c0, c1"),
    "a label beside row numbers": (",a,kind\n0,1,x\n", {}, "its first line names a, kind. Correct the field"),
    "a label beside pandas' row numbers": ("Unnamed: 0,a,kind\n0,1,x\n", {}, "its first line names a, kind. Correct"),
    "a label before nothing": ("a,kind,\n1,x,\n", {}, "its first line names a, kind. Correct the field"),
    "nothing at all": ("", {"header": False}, "its columns are called nothing, for it is empty"),
    "a nameless column with values": ("a,label,\n1,x,\n2,y,7\n", {}, "line 3: column 3 has no name in the first line, but the"),
    "semicolons": ("a;b;label\n1;2;x\n", {}, 'separated at ",": set spec.data.csv.delimiter to ";".'),
    "tabs": ("a\tlabel\n1\tx\n", {"delimiter": ";"}, 'separated at ";": set spec.data.csv.delimiter to "\\t".'),
    "commas": ("a,label\n1,x\n", {"delimiter": "|"}, 'separated at "|": set spec.data.csv.delimiter to ",".'),
    "bars, without a header": ("1|x\n", {"header": False}, 'set spec.data.csv.delimiter to "|".'),
    "thousands in Python's way": ("a,label\n1,x\n1_000,y\n", {}, "line 3, column a: '1_000' is no finite number. Correct it"),
    "an underscored decimal": ("a,b_c,label\n1,1_0.5,x\n", {}, "line 2, column b_c: '1_0.5' is no finite number"),
    "infinity": ("a,label\n1,x\n-inf,y\n", {"missing": "Mean"}, "line 3, column a: '-inf' is no finite number. Correct it"),
    "too large a number": ("a,label\n1,x\n1e39,y\n", {"missing": "Mean"}, "line 3, column a: '1e39' is no finite number"),
    "a decimal comma": ("a;label\n1,5;x\n", {"delimiter": ";"}, "'1,5' is no finite number. Write decimals with a point"),
    "separators of thousands": ('a,label\n"1.234,5",x\n', {}, "without separators of thousands"),
    "a gap": ("a,label\n?,x\n", {}, "'?' is no finite number. Set spec.data.csv.missing to Mean"),
    "NA": ("a,label\nNA,x\n", {}, "'NA' is no finite number. Set spec.data.csv.missing to Mean"),
    "a name among numbers": ("a,label\n1,x\nred,y\n", {"missing": "Mean"}, "or in categoricalColumns if its values are names"),
    "names without a header": (
        "39,State-gov,Bachelors,x\n",
        {"header": False, "labelColumn": "c3"},
        "or in categoricalColumns if its values are names, as those of c2 seem to be. If the first line names the columns",
    ),
    "names in several columns": (
        "age,work,years,sex,label\n39,State-gov,?,Male,x\n",
        {"missing": "Mean"},
        "column work: 'State-gov' is no finite number. Correct it, or name the column in spec.data.csv.ignoredColumns, or in "
        "categoricalColumns if its values are names, as those of sex seem to be.",
    ),
    "names beside gaps and commas": ('a,b,c,label\nred,?,"1,5",x\n', {"missing": "Mean"}, "if its values are names."),
    "a gap among names": ("a,label\n,x\n", {"categoricalColumns": ["a"]}, "the category is empty. Set spec.data.csv.missing"),
    "a category that is the label": ("a,label\n1,x\n", {"categoricalColumns": ["label"]}, "names label, which is the label"),
    "a category that is ignored": (
        "a,b,label\n1,2,x\n",
        {"categoricalColumns": ["b"], "ignoredColumns": ["b"]},
        "names b, which is the label, the group or in ignoredColumns",
    ),
    "an identifier as category": (
        "a,label\n" + "".join(f"{number},x\n" for number in range(1001)),
        {"categoricalColumns": ["a"]},
        "'1000' is category number 1001, more than a network can learn from",
    ),
    "numbers that 32 bits do not tell apart": (
        "time,label\n" + "".join(f"{1_600_000_000 + 10 * place},{place % 2}\n" for place in range(9)),
        {},
        "the values of column time are near 1.6e+09, and so near to one another",
    ),
}


@pytest.mark.parametrize(("text", "settings", "words"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_with_the_way_out(tmp_path: Path, text: str, settings: Mapping[str, Any], words: str) -> None:
    with pytest.raises(TrainerError) as problem:
        read(tmp_path, text, **settings)
    assert words in str(problem.value)
    assert problem.value.exit_code == 65


def test_times_of_a_year_are_told_apart(tmp_path: Path) -> None:
    rows = "".join(f"{1_600_000_000 + 86_400 * place},{place % 2}\n" for place in range(300))
    assert len(read(tmp_path, "time,label\n" + rows)) == 300


def test_a_table_that_does_not_fit_is_refused_while_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b,label\n" + "1,2,0\n2,3,1\n" * 3000)
    environment = {"TRAININGRUN_DATA_MOUNT": str(tmp_path), "TRAININGRUN_MEMORY_LIMIT": str(4 * 40_000)}
    rank = alone(tmp_path, environment=environment, data={"source": CLAIM, "format": "CSV"})
    with pytest.raises(TrainerError, match=r"The table in a\.csv takes at least 0\.00 GiB as numbers") as problem:
        open_data(rank.context)
    assert "TFRecord" in problem.value.hint


def test_a_long_table_gives_signs_of_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainingrun_trainer.data.rounds.ROUND_SECONDS", 1e-5)
    (tmp_path / "a.csv").write_text("a,label\n" + "1,0\n2,1\n" * 2500)
    rank = alone(tmp_path, environment={"TRAININGRUN_DATA_MOUNT": str(tmp_path)}, data={"source": CLAIM, "format": "CSV"})
    assert len(open_data(rank.context)) == 5000
    assert len(rank.notes.reports) >= 5


def split(folder: Path, text: str, *, validation: str, **csv: Any) -> tuple[Split, About]:
    """A table with validation samples of its own, as features."""
    (folder / "train.csv").write_text(text)
    (folder / "validate.csv").write_text(validation)
    files = {"files": "train.csv", "validationFiles": "validate.csv"}
    data = {"source": CLAIM, "format": "CSV", "csv": {**files, **csv}}
    return load_split(alone(folder, environment={"TRAININGRUN_DATA_MOUNT": str(folder)}, data=data).context)


def inputs(feed: Any) -> list[list[float]]:
    found: list[list[float]] = feed._inputs.numpy().tolist()
    return found


def test_a_category_of_the_training_samples_is_a_feature(tmp_path: Path) -> None:
    parts, about = split(
        tmp_path,
        "zip,age,work,label\n8001,1,state,0\n0200,2,none at all,1\n8001,3,state,1\n",
        validation="zip,age,work,label\n0200,9,state,0\n9999,9,another,0\n",
        categoricalColumns=["zip", "work"],
    )
    named = [(feature.column, feature.category) for feature in about.features]
    assert named == [("zip", "0200"), ("zip", "8001"), ("age", None), ("work", "none at all"), ("work", "state")]
    assert inputs(parts.training) == [[0, 1, 1, 0, 1], [1, 0, 2, 1, 0], [0, 1, 3, 0, 1]]
    assert inputs(parts.validation) == [[1, 0, 9, 0, 1], [0, 0, 9, 0, 0]]


@pytest.mark.parametrize("gap", ["", "?", "NA", " n/a ", "NaN", "null", "None"])
def test_a_gap_is_the_mean_of_the_training_samples(tmp_path: Path, gap: str) -> None:
    parts, about = split(
        tmp_path,
        f"a,b,kind,label\n1,{gap},x,0\n{gap},4,y,1\n4,6,{gap},1\n",
        validation=f"a,b,kind,label\n{gap},100,x,0\n",
        categoricalColumns=["kind"],
        missing="Mean",
    )
    assert inputs(parts.training) == [[1, 5, 1, 0], [2.5, 4, 0, 1], [4, 6, 0, 0]]
    assert inputs(parts.validation) == [[2.5, 100, 1, 0]]
    assert [feature.missing for feature in about.features] == [2.5, 5, 0, 0]


def test_a_column_that_is_empty_in_training_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainerError, match="The column b has no value in any training sample"):
        split(tmp_path, "a,b,label\n1,,0\n2,,1\n", validation="a,b,label\n1,5,0\n", missing="Mean")
