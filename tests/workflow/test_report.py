"""The report as its readers meet it: in a browser that reaches nothing else."""

import re

import pytest
from browsing import a_browser, expect, needs_browser, opened, see_images_and_videos

pytestmark = [pytest.mark.slow, needs_browser]

SIZES = {"desk": (1280, 900), "telephone": (390, 844)}
TOO_WIDE = """() => [...document.querySelectorAll(".scroll")]
    .filter(e => e.scrollWidth > e.clientWidth).map(e => e.closest("section").id)"""


@pytest.fixture(scope="module")
def browser():
    with a_browser() as browser:
        yield browser


@pytest.fixture(params=SIZES)
def page(request, browser, finished):
    path = finished[0] / "results/report.html"
    with opened(browser, path, *SIZES[request.param]) as page:
        yield page


@pytest.fixture
def wide(browser, finished):
    path = finished[0] / "results/report.html"
    with opened(browser, path, *SIZES["desk"]) as page:
        yield page


def test_it_opens_on_results_and_says_of_which_preset(page):
    assert "smoke preset" in page.title()
    assert "smoke preset" in page.locator("h1").inner_text()
    assert "7 models on mass-spring, two-body" in page.locator("header").inner_text()
    first = page.locator("section").first
    assert first.get_attribute("id") == "table1"
    assert first.bounding_box()["y"] < page.viewport_size["height"]


def test_nothing_is_cut_off(page):
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width == page.viewport_size["width"]
    for place in page.locator(".scroll").all():  # what is wider scrolls in its place
        assert place.evaluate("e => getComputedStyle(e).overflowX") == "auto"
        box = place.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width


def test_at_a_desk_no_table_needs_to_be_scrolled(wide):
    assert wide.evaluate(TOO_WIDE) == []


def test_a_table_of_four_systems_and_seven_models_fits_at_a_desk(wide):
    wide.evaluate(
        """() => { for (const row of document.querySelectorAll("#table1 tr"))
            for (const cell of [...row.children].slice(1))
                row.append(cell.cloneNode(true)); }"""
    )
    cells = wide.locator("#table1 tbody tr").first.locator("td")
    assert cells.count() == 8
    assert "table1" not in wide.evaluate(TOO_WIDE)


def test_every_table_figure_and_film_is_there_and_plays_in_place(wide, finished):
    folder = finished[0] / "results/smoke"
    names = {p.stem for kind in ("png", "html") for p in folder.glob(f"*/*.{kind}")}
    assert {e.get_attribute("id") for e in wide.locator("section").all()} == names
    films = [*folder.glob("figures/*.mp4")]
    pictures = [*folder.glob("figures/*.png")]
    assert see_images_and_videos(wide.locator("body")) == len(films) + len(pictures)
    videos = wide.locator("video")
    assert videos.count() == len(films) == 3
    for video in videos.all():
        video.scroll_into_view_if_needed()
        wide.wait_for_function("e => e.currentTime > 0", arg=video.element_handle())
    for table in wide.locator("table").all():
        assert table.inner_text().strip()


def test_provenance_and_choices_are_below_and_nothing_is_raw(wide):
    order = [e.get_attribute("id") for e in wide.locator("section").all()]
    assert order[-2:] == ["provenance", "choices"]
    words = wide.locator("body").inner_text()
    assert not re.search(r'\{"|"\w+":|\{\{|\{%', words)
    assert "All 17 runs come from the same code" in words


def test_links_lead_to_their_places(wide):
    for link in wide.locator('a[href^="#"]').all():
        assert wide.locator(link.get_attribute("href")).count() == 1
    wide.locator("nav a", has_text="Choices").click()
    expect(wide.locator("#choices h3")).to_be_in_viewport()


def test_a_table_can_be_taken_as_a_spreadsheet(wide, finished):
    with wide.expect_download() as download:
        wide.locator("#table1 a[download]").click()
    assert download.value.suggested_filename == "smoke_table1.csv"
    own = finished[0] / "results/smoke/tables/table1.csv"
    with open(download.value.path(), "rb") as file:
        assert file.read() == own.read_bytes()
