"""The report in a real browser, at the width of a phone and of a desk: nothing overflows, nothing is asked of a network."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.browser.chromium import Tab, chromium, new_tab
from tests.reports import full_report, hostile_report, huge_report, minimal_report
from trainingrun_trainer.report import render
from trainingrun_trainer.report.values import StageCurve

WIDTHS = (360, 1280)
REPORTS = {"full": full_report, "minimal": minimal_report, "hostile": hostile_report, "huge": huge_report}
OVERFLOWING = """[...document.querySelectorAll('main, section, p, figure, dl, ul, .scroll, h1, pre')]
    .filter(box => box.getBoundingClientRect().right > innerWidth + 1 && !box.closest('.scroll, .wide .chart'))
    .map(box => box.outerHTML.slice(0, 80))"""
INVISIBLE = """[...document.querySelectorAll('main figure .chart svg')].filter(chart => {
        const marks = [...chart.querySelectorAll('.line, .mark, .bar, .trial')];
        const isThere = box => box.width + box.height > 0;
        return !chart.closest('details') && !(marks.length && marks.every(mark => isThere(mark.getBoundingClientRect())));
    }).map(chart => chart.getAttribute('aria-label'))"""
OUTSIDE = """[...document.querySelectorAll('main figure .chart svg')].flatMap(chart => {
        const all = chart.getBoundingClientRect();
        const isOutside = box => box.left < all.left - 9 || box.right > all.right + 9
            || box.top < all.top - 9 || box.bottom > all.bottom + 9;
        return [...chart.querySelectorAll('.mark, .line, .bar, .trial')].filter(mark => isOutside(mark.getBoundingClientRect()))
            .map(mark => `${chart.getAttribute('aria-label')}: ${mark.outerHTML}`);
    })"""

DRAWN = """Object.fromEntries(['.matrix td.right', '.matrix td.wrong', '#mistakes img', '#augmentation img'].map(each => {
        const boxes = [...document.querySelectorAll(each)].map(found => found.getBoundingClientRect());
        return [each, boxes.filter(box => box.width > 20 && box.height > 20).length];
    }))"""
COVERED_NAMES = """[...document.querySelectorAll('#curves svg')].flatMap(chart => {
        const drawn = [...chart.querySelectorAll('.line, .mark')].map(each => each.getBoundingClientRect());
        const covers = (one, other) => one.left < other.right && one.right > other.left
            && one.top < other.bottom && one.bottom > other.top;
        return [...chart.querySelectorAll('.span-name')].filter(name =>
            drawn.some(box => covers(box, name.getBoundingClientRect()))).map(name => name.textContent);
    })"""
TEXT_SIZES = """[...document.querySelectorAll('main figure .chart svg')].filter(chart => !chart.closest('details')).flatMap(
        chart => [...chart.querySelectorAll('text')].map(text =>
            parseFloat(getComputedStyle(text).fontSize) * chart.getScreenCTM().a))"""
STEEP = tuple({"loss": 4.0**-epoch, "val_loss": 3.0**-epoch} for epoch in range(4))
"""A course that begins at the top of its chart."""


@pytest.fixture(scope="module")
def browser() -> Iterator[str]:
    with chromium() as address:
        yield address


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    for name, report in REPORTS.items():
        (folder / f"{name}.html").write_text(render(report()), encoding="utf-8")
    return {name: folder / f"{name}.html" for name in REPORTS}


async def test_a_broken_page_is_noticed(browser: str, tmp_path: Path) -> None:
    page = tmp_path / "broken.html"
    page.write_text(
        "<img src='http://127.0.0.1:9/x.png'><div style='width: 2000px'>wide</div><script>console.error(1)</script>"
    )

    async with new_tab(browser) as tab:
        await tab.open(page, width=360)

        assert "http://127.0.0.1:9/x.png" in tab.requests
        assert tab.complaints
        assert await _overflow(tab) > 0


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", REPORTS)
async def test_the_page_is_silent_and_asks_for_nothing(name: str, width: int, browser: str, pages: dict[str, Path]) -> None:
    async with new_tab(browser) as tab:
        await tab.open(pages[name], width=width)

        assert tab.complaints == []
        assert tab.requests == [pages[name].as_uri()]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", REPORTS)
async def test_only_boxes_scroll_sideways(name: str, width: int, browser: str, pages: dict[str, Path]) -> None:
    async with new_tab(browser) as tab:
        await tab.open(pages[name], width=width)

        assert await _overflow(tab) <= 0
        assert await tab.evaluate(OVERFLOWING) == []


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", REPORTS)
async def test_every_chart_shows_its_marks_inside(name: str, width: int, browser: str, pages: dict[str, Path]) -> None:
    async with new_tab(browser) as tab:
        await tab.open(pages[name], width=width)

        assert await tab.evaluate("document.querySelectorAll('main figure .chart svg').length") > 0
        assert await tab.evaluate(INVISIBLE) == []
        assert await tab.evaluate(OUTSIDE) == []


async def test_images_have_their_sizes(browser: str, pages: dict[str, Path]) -> None:
    async with new_tab(browser) as tab:
        await tab.open(pages["full"], width=1280)

        sizes = await tab.evaluate("[...document.images].map(image => [image.naturalWidth, image.naturalHeight])")

    assert len(sizes) == 12 + 4 * 5
    assert all(size == [28, 28] for size in sizes)


@pytest.mark.parametrize("width", WIDTHS)
async def test_confusion_mistakes_and_augmented_samples_are_drawn(width: int, browser: str, pages: dict[str, Path]) -> None:
    async with new_tab(browser) as tab:
        await tab.open(pages["full"], width=width)

        drawn = await tab.evaluate(DRAWN)

    assert drawn == {".matrix td.right": 10, ".matrix td.wrong": 90, "#mistakes img": 12, "#augmentation img": 4 * 5}


@pytest.mark.parametrize("width", WIDTHS)
async def test_names_of_stages_are_clear_of_the_curves(width: int, browser: str, tmp_path: Path) -> None:
    stages = tuple(StageCurve(name=name, epochs=STEEP, kept=1) for name in ("training", "pruned-0.8", "pruned-0.9"))
    page = tmp_path / "steep.html"
    page.write_text(render(replace(full_report(), curves=stages)), encoding="utf-8")

    async with new_tab(browser) as tab:
        await tab.open(page, width=width)

        assert await tab.evaluate("document.querySelectorAll('#curves .span-name').length") == 3
        assert await tab.evaluate(COVERED_NAMES) == []


@pytest.mark.parametrize("parameters", [2, 4])
@pytest.mark.parametrize("width", WIDTHS)
async def test_texts_of_charts_are_about_as_large_as_those_around_them(
    width: int, parameters: int, browser: str, tmp_path: Path
) -> None:
    report = full_report()
    assert report.tuning is not None
    fewer = tuple(
        replace(trial, parameters=dict(list(trial.parameters.items())[:parameters])) for trial in report.tuning.trials
    )
    page = tmp_path / "texts.html"
    page.write_text(render(replace(report, tuning=replace(report.tuning, trials=fewer))), encoding="utf-8")

    async with new_tab(browser) as tab:
        await tab.open(page, width=width)

        sizes = await tab.evaluate(TEXT_SIZES)

    assert len(sizes) > 50
    assert min(sizes) > 9
    assert max(sizes) < 15


@pytest.mark.parametrize("name", ["hostile", "huge"])
async def test_texts_of_users_bring_no_element_in(name: str, browser: str, pages: dict[str, Path]) -> None:
    async with new_tab(browser) as tab:
        await tab.open(pages[name], width=1280)

        counted = await tab.evaluate("['script', 'img[src=x]', 'iframe'].map(each => document.querySelectorAll(each).length)")
        assert counted == [0, 0, 0]
        assert await tab.evaluate("document.querySelectorAll('body > *').length") == 2
        attributes = (
            "[...document.querySelectorAll('*')].flatMap(each => each.getAttributeNames()).filter(name => /^on/.test(name))"
        )
        assert await tab.evaluate(attributes) == []


async def test_texts_of_users_are_shown_as_they_are(browser: str, pages: dict[str, Path]) -> None:
    async with new_tab(browser) as tab:
        await tab.open(pages["hostile"], width=1280)

        assert await tab.evaluate("document.querySelector('h1').textContent") == "<script>alert(1)</script>" * 3
        shown = await tab.evaluate("document.querySelector('#summary').textContent")

    for text in ("\"><img src=x onerror=alert(1)>'", "{{ 7 * 7 }}{% raw %}", "鯉のぼり、金魚", "a&amp;b &lt; c"):
        assert text in shown


async def test_the_page_is_dark_where_people_want_it(browser: str, pages: dict[str, Path]) -> None:
    grounds = []
    for is_dark in (False, True):
        async with new_tab(browser) as tab:
            await tab.open(pages["full"], width=360, is_dark=is_dark)
            grounds.append(await tab.evaluate("getComputedStyle(document.body).backgroundColor"))

    assert grounds == ["rgb(255, 255, 255)", "rgb(20, 23, 27)"]


async def _overflow(tab: Tab) -> int:
    """Pixels by which the page is wider than the window."""
    width: int = await tab.evaluate("document.scrollingElement.scrollWidth - innerWidth")
    return width
