"""What the report shows, and what it is called."""

import json
import re

import pytest
import yaml
from pipeline import REPOSITORY
from test_settings import job

from hgnpipe.config.checks import check_config
from hgnpipe.config.contents import TITLES, Contents
from hgnpipe.config.results import Results

SHIPPED = yaml.safe_load((REPOSITORY / "config.yaml").read_text("utf-8"))


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    config = {**SHIPPED, "presets": {"smoke": SHIPPED["presets"]["smoke"]}}
    folder = tmp_path_factory.mktemp("checked")
    return Results(check_config({**config, "preset": "smoke"}, folder))


def test_the_page_shows_all_that_is_made_tables_first(results):
    page = json.loads(Contents(results).page(job()))
    parts = {
        f"results/smoke/{folder}/{entry['file']}{kind}"
        for folder, names, kind in (
            ("tables", ("tables", "others"), ".html"),
            ("figures", ("figures",), ".png"),
        )
        for name in names
        for entry in page[name]
    }
    made = {f for f in results.reported(job()) if f.endswith((".html", ".png"))}
    assert parts == {file for file in made if "figures/" not in file or ".png" in file}
    moving = {entry["file"] for entry in page["figures"] if entry["animated"]}
    mp4s = {f for f in results.reported(job()) if f.endswith(".mp4")}
    assert {f"results/smoke/figures/{file}.mp4" for file in moving} == mp4s


def test_systems_and_densities_are_called_as_in_figures(results):
    page = json.loads(Contents(results).page(job()))
    titles = [entry["title"] for entry in page["figures"]]
    assert {"Fig. 7: rollouts, two-body", "Fig. 9: NHF, modes-8"} <= {*titles}
    assert page["systems"] == ["mass-spring", "two-body"]
    assert len({*titles}) == len(titles)


def test_every_title_has_a_caption_and_every_caption_a_title():
    captions = {path.stem for path in (REPOSITORY / "workflow/report").glob("*.rst")}
    assert captions - {"workflow"} == {*TITLES}


def test_rules_label_what_they_report_by_these_titles():
    rules = "".join(p.read_text() for p in (REPOSITORY / "workflow/rules").iterdir())
    labels = re.findall(r"labels=(.*),\n", rules)
    named = {one[1] for one in re.findall(r'(contents\.label\("(\w+)")', rules)}
    assert named == {*TITLES}
    own = ("contents.label(", "settings.labels")
    assert all(label.startswith(own) for label in labels)
    assert Contents.label("fig07", "as GIF")(job(system="two_body")) == {
        "result": "Fig. 07: rollouts, two-body, as GIF"
    }
