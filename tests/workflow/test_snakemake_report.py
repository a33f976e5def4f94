"""Snakemake's own report, in a browser that reaches nothing else."""

import base64
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from browsing import a_browser, expect, needs_browser, opened, see_images_and_videos
from pipeline import environment, make, shown

FOLDERS = ("tables", "figures", "animations")
KINDS = {
    ".html": "page", ".png": "image", ".svg": "image", ".csv": "download",
    ".gif": "download", ".mp4": "download",
}  # fmt: skip
"""How Snakemake's report opens a file; what it cannot show, it offers for download."""

pytestmark = [pytest.mark.slow, needs_browser]


@pytest.fixture(scope="module")
def browser():
    with a_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def report(finished, tmp_path_factory):
    """Snakemake's report, which is made for who asks for it."""
    project = tmp_path_factory.mktemp("report") / "project"
    shutil.copytree(finished[0], project)
    make(project, "results/smoke/snakemake_report.html")
    return project / "results/smoke/snakemake_report.html"


@pytest.fixture
def page(browser, report):
    """The report, just opened; afterwards: no error, and no request that left it."""
    with opened(browser, report) as page:
        page.get_by_role("link", name="Workflow").wait_for()
        yield page


def results(page):
    """What the report holds, by path."""
    return page.evaluate("results")


def open_list(page, category, subcategory):
    """Click the way from the start to a list of results."""
    page.locator("nav nav a").first.click()  # the house
    page.get_by_role("link", name="Workflow").wait_for()
    page.locator("nav li").get_by_text(category, exact=True).click()
    if page.evaluate("c => Object.keys(categories[c]).length", category) > 1:
        page.locator("nav li").get_by_text(subcategory, exact=True).click()


def lists(page):
    """Category, subcategory and paths of every list of results."""
    for category, subcategories in page.evaluate("categories").items():
        for subcategory, paths in subcategories.items():
            yield category, subcategory, paths


def row(page, result):
    """The row of a result in the list that is open."""
    name = page.get_by_role("cell", name=result["labels"]["result"], exact=True)
    return page.locator("nav tbody tr").filter(has=name)


def see_page(page, path):
    """An HTML file that was opened: its title, its tables, its images and films."""
    frame = page.locator("iframe").element_handle().content_frame()
    title = re.search("<title>(.*)</title>", path.read_text("utf-8"))[1]
    frame.wait_for_function("title => document.title === title", arg=title)
    tables = frame.locator("table")
    for table in tables.all():
        assert table.locator("td").first.is_visible() and table.inner_text().strip()
    assert tables.count() + see_images_and_videos(frame) > 0


def see_image(page, path):
    content = page.locator("#app div.grow:has(> div > img)")
    content.wait_for()
    source = content.locator("img").get_attribute("src")
    assert base64.b64decode(source.partition("base64,")[2]) == path.read_bytes()
    assert see_images_and_videos(content) == 1


def see_download(page, path, link):
    """A file that was offered: its bytes, and whether a browser can show them."""
    with page.expect_download() as download:
        link.click()
    assert download.value.suggested_filename == path.name
    assert Path(download.value.path()).read_bytes() == path.read_bytes()
    if tag := {".gif": "img", ".mp4": "video"}.get(path.suffix):
        other = page.context.new_page()
        other.set_content(f'<{tag} src="{link.get_attribute("href")}"></{tag}>')
        assert see_images_and_videos(other) == 1
        other.close()


def test_every_table_and_figure_is_listed(page, finished):
    folders = [finished[0] / "results/smoke" / name for name in FOLDERS]
    made = [path for folder in folders for path in folder.rglob("*.*")]
    made = {path for path in made if path.suffix in KINDS}
    assert {path.stem for path in made} >= {
        "table1", "provenance", "choices", "flows", "fig09_flow_modes_8",
        "fig09_flow_two_moons", "fig10_flows",
    }  # fmt: skip
    assert {finished[0] / path for path in results(page)} == made
    listed = []
    for category, subcategory, paths in lists(page):
        open_list(page, category, subcategory)
        for path in paths:
            expect(row(page, results(page)[path])).to_be_visible()
        expect(page.locator("nav tbody tr")).to_have_count(len(paths))
        listed += paths
    assert sorted(listed) == sorted(results(page))


def test_every_result_opens(page, finished):
    found = results(page)
    for category, subcategory, paths in lists(page):
        open_list(page, category, subcategory)
        for path in paths:
            eye = row(page, found[path]).locator("a").first
            file = finished[0] / path
            if KINDS[file.suffix] == "download":
                see_download(page, file, eye)
                continue
            eye.click()
            {"page": see_page, "image": see_image}[KINDS[file.suffix]](page, file)


def test_every_result_has_a_caption_and_a_label_of_its_own(page):
    found = results(page)
    for category, subcategory, paths in lists(page):
        for path in paths:
            open_list(page, category, subcategory)
            row(page, found[path]).locator("a").nth(1).click()
            caption = page.locator("nav li.prose")
            expect(caption).to_be_visible()
            assert len(caption.inner_text()) > 40, path
            assert "system-message" not in caption.inner_html(), path
    labels = [result["labels"] for result in found.values()]
    assert all(label.keys() == {"result"} for label in labels), (
        "a second label: Snakemake's page goes blank when a search finds two results"
    )
    assert len({label["result"] for label in labels}) == len(labels)


def test_the_start_page_names_every_result_and_the_names_lead_to_it(page):
    start = page.locator("#app div.prose")
    assert "Hamiltonian Generative Networks" in start.inner_text()
    assert "This is the smoke preset" in start.inner_text()
    assert "2 flows that learn 2 densities (modes_8, two_moons)" in start.inner_text()
    assert "system-message" not in start.inner_html()
    for path, result in results(page).items():
        if not path.endswith((".csv", ".gif", ".mp4")):
            name = result["labels"]["result"]
            start.get_by_role("link", name=name, exact=True).click()
            expect(page.locator("nav nav")).to_contain_text(path)


def test_a_window_that_is_too_small_shows_the_start_of_what_it_shows(page):
    page.set_viewport_size({"width": 700, "height": 300})
    title = page.locator("#app h1.title")
    title.scroll_into_view_if_needed()
    assert min(title.bounding_box()[side] for side in ("x", "y")) >= 0


@pytest.mark.parametrize("num", [1, 2, 3, 4])
def test_a_search_lists_what_it_finds(page, num):
    paths = list(results(page))[-num:]
    search = page.get_by_placeholder("Search...")
    search.fill(f"re:^({'|'.join(map(re.escape, paths))})$")
    search.press("Enter")
    expect(page.locator("nav tbody tr")).to_have_count(num)


def test_rules_and_statistics_can_be_looked_at(page):
    for view in ("Statistics", "Workflow"):
        page.get_by_role("link", name=view).click()
        page.locator("#app canvas, #app svg.marks").first.wait_for()


def test_a_report_that_fails_leaves_nothing_behind(project):
    output = project / "results/smoke/other_report.html"
    settings = yaml.safe_load((project / "config.yaml").read_text("utf-8"))
    done = subprocess.run(
        [
            *(sys.executable, "workflow/scripts/report/snakemake_report.py"),
            *("--results", "results/smoke/tables/table0.html"),
            *("--style", "workflow/report/style.css"),
            *(
                "--settings",
                json.dumps(settings | {"preset": "smoke"}),
                "--output",
                output,
            ),
        ],
        cwd=project,
        env=environment(PYTHONPATH=str(project / "src")),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and "table0.html" in shown(done)
    assert done.stderr.endswith("did not write the report " + str(output) + ".\n")
    assert not output.exists()
