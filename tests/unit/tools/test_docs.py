"""Links between pages lead somewhere. Stage `unit`; Sphinx alone is started."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent.parent.parent
FOLDERS = ("docs", "examples", "charts", "changelog.d")
PAGES = (*ROOT.glob("*.md"), *(page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md")))
LINK = re.compile(r"\]\((?!https?://|mailto:)(?P<path>[^)#\s]*)(?:#(?P<heading>[^)\s]*))?\)")
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def links() -> Iterator[tuple[str, Path, str]]:
    """Each link to a file of the repository: where it stands, the file, and the heading in it, if any."""
    for page in PAGES:
        for found in LINK.finditer(CODE.sub("", page.read_text())):
            target = page if not found["path"] else (page.parent / found["path"]).resolve()
            yield f"{page.relative_to(ROOT)}: {found[0]}", target, found["heading"] or ""


def anchors(page: Path) -> set[str]:
    """What a forge calls the headings of a page: small letters, without punctuation, with hyphens for spaces."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(page.read_text())}


LINKS = list(links())


def test_there_are_links() -> None:
    assert len(LINKS) > 50


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    mine = [link for link in LINKS if link[0].startswith(f"{page.relative_to(ROOT)}: ")]
    assert [where for where, target, _ in mine if not target.exists()] == []
    assert [where for where, target, heading in mine if heading and heading not in anchors(target)] == []


def test_every_page_of_the_documentation_can_be_come_to() -> None:
    pages = {page.resolve() for page in (ROOT / "docs").rglob("*.md") if "adr" not in page.parts}
    reached, left = set[Path](), [ROOT / "README.md"]
    while left:
        page = left.pop()
        reached.add(page)
        targets = [target for where, target, _ in LINKS if where.startswith(f"{page.relative_to(ROOT)}: ")]
        left += [target for target in targets if target.suffix == ".md" and target not in reached]
    assert sorted(str(page.relative_to(ROOT)) for page in pages - reached) == []


def test_the_readme_shows_the_first_example() -> None:
    example = (ROOT / "examples" / "first-run.yaml").read_text()
    without_comment = re.sub(r"\A(#[^\n]*\n)+", "", example)
    assert f"```yaml\n{without_comment}```" in (ROOT / "README.md").read_text()


def test_the_tutorial_comes_to_its_example() -> None:
    blocks = re.findall(r"^```yaml\n(.*?)^```", (ROOT / "docs" / "tutorial.md").read_text(), re.DOTALL | re.MULTILINE)
    steps = [yaml.safe_load(block)["spec"] for block in blocks]
    example = yaml.safe_load((ROOT / "examples" / "pets.yaml").read_text())
    assert {name: value for step in steps for name, value in step.items()} == example["spec"]


def test_the_site_has_all_pages_and_no_link_of_it_leads_nowhere(tmp_path: Path) -> None:
    """Five seconds. Sphinx warns of a page that no table of contents has, and of a link to what is not there."""
    options = ("-q", "-b", "dummy", "--fail-on-warning", "--keep-going", "-c", str(ROOT / "docs" / "site"))
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, str(ROOT), str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
