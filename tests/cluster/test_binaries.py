"""Programs are built once for each state of their source, wherever the source is."""

from pathlib import Path

import pytest

from cluster.binaries import GoModule, ensure_extra
from cluster.errors import ClusterError


def a_module(folder: Path, *, body: str) -> GoModule:
    folder.mkdir(exist_ok=True)
    (folder / "go.mod").write_text("module trainingrun.dev/tests/hello\n\ngo 1.26.0\n")
    (folder / "main.go").write_text(f"package main\n\nfunc main() {{ {body} }}\n")
    return GoModule("hello", ("trainingrun.dev/tests/hello",), source=folder)


def test_a_program_is_built_anew_when_its_source_has_changed_and_only_then(tmp_path: Path) -> None:
    first = ensure_extra(a_module(tmp_path / "source", body='print("1")'), cache=tmp_path)["hello"]
    built = first.stat().st_mtime_ns
    again = ensure_extra(a_module(tmp_path / "source", body='print("1")'), cache=tmp_path)["hello"]
    other = ensure_extra(a_module(tmp_path / "source", body='print("2")'), cache=tmp_path)["hello"]
    assert (again, again.stat().st_mtime_ns) == (first, built)
    assert other != first


def test_a_program_that_does_not_compile_is_a_sentence_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=r"Building hello in .*source failed:[\s\S]*undefined: nothing"):
        ensure_extra(a_module(tmp_path / "source", body="nothing()"), cache=tmp_path)
