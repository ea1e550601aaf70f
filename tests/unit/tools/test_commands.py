"""Commands that pages show name what there is: targets of the Makefile, modules, files. Stage `unit`; nothing is started."""

import importlib.util
import re
import shlex
from collections.abc import Iterator

import pytest

from tests.unit.tools.test_docs import PAGES, ROOT

BLOCK = re.compile(r"^```(?:sh|bash|console)?\n(.*?)^```", re.MULTILINE | re.DOTALL)
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z0-9-]+):", MAKEFILE, re.MULTILINE))
VARIABLES = set(re.findall(r"^(?:export )?([A-Z_]+) \?=", MAKEFILE, re.MULTILINE))
OTHER_VARIABLES = {"CLUSTER_IP_FAMILY", "COMPONENT", "IMAGE", "BUILDER", "BASE", "TRAININGRUN_CACHE"}
"""What recipes read from the environment."""
MADE = {"manifests/install.yaml"}
"""Files that a command before has made."""


def commands() -> Iterator[tuple[str, list[str]]]:
    """Each command line of a block without a language, or of a shell's, with its page."""
    for page in PAGES:
        for block in BLOCK.finditer(page.read_text()):
            for line in block[1].replace("\\\n", " ").splitlines():
                if re.match(r"([A-Z_]+=\S+ )*(make|kubectl|python3?|\.venv/bin/python) ", line):
                    yield f"{page.relative_to(ROOT)}: {line}", shlex.split(line, comments=True)


COMMANDS = dict(commands())


def test_pages_show_commands() -> None:
    assert {command[0] for command in COMMANDS.values()} >= {"make", "kubectl", "python3"}


@pytest.mark.parametrize("words", [words for words in COMMANDS.values() if "make" in words], ids=" ".join)
def test_make_knows_its_targets_and_variables(words: list[str]) -> None:
    given = {word.partition("=")[0] for word in words if "=" in word}
    targets = {word for word in words if "=" not in word and word != "make" and not word.startswith("-")}
    assert targets <= TARGETS
    assert given <= VARIABLES | OTHER_VARIABLES


def test_targets_that_sentences_name_are_there() -> None:
    named = {(page.name, target) for page in PAGES for target in re.findall(r"`make ([a-z][a-z0-9-]*)", page.read_text())}
    assert {(page, target) for page, target in named if target not in TARGETS} == set()


@pytest.mark.parametrize("words", [words for words in COMMANDS.values() if "-m" in words], ids=" ".join)
def test_a_module_that_is_run_is_there(words: list[str]) -> None:
    assert importlib.util.find_spec(words[words.index("-m") + 1]) is not None


@pytest.mark.parametrize("words", [words for words in COMMANDS.values() if "-f" in words], ids=" ".join)
def test_a_manifest_that_is_applied_is_there(words: list[str]) -> None:
    files = {words[index + 1] for index, word in enumerate(words) if word == "-f"} - MADE
    assert [file for file in files if not (ROOT / file).exists() and "://" not in file] == []
