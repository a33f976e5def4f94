"""The page of all results, without a browser."""

import base64

import pandas as pd
import pytest
from pipeline import REPOSITORY

from hgnpipe.config.contents import TITLES
from hgnpipe.reporting.pages import page, write_table
from hgnpipe.reporting.report import body_of, caption_html, write_page

CAPTIONS = REPOSITORY / "workflow/report"
VALUES = {"example": 3, "num_samples": 32, "label": "NHF, 2 steps"}


def entry(file, caption, **more):
    return {"file": file, "title": f"Title of {file}", "caption": caption} | {
        "system": "",
        "animated": False,
        **more,
    }


@pytest.fixture
def contents(tmp_path):
    """What a page shows: a table, a figure that moves, and runs of other code."""
    for name in ("tables", "figures"):
        (tmp_path / name).mkdir()
    table = pd.DataFrame([["1 ± 2"]], pd.Index(["HGN"], name="model"), ["mass-spring"])
    files = [tmp_path / f"tables/table1.{kind}" for kind in ("html", "csv")]
    write_table(table, {"Part": table}, ["Words."], "Table 1", files, preset="tiny")
    for name, words in (("provenance", "WARNING"), ("choices", "Chosen")):
        body = f'<h1>X</h1><div class="warning">{words}</div><table></table>'
        (tmp_path / f"tables/{name}.html").write_text(page("Title", body))
    (tmp_path / "figures/fig08_samples.png").write_bytes(b"a picture")
    (tmp_path / "figures/fig08_samples.mp4").write_bytes(b"a film")
    return {
        "preset": "tiny", "systems": ["mass-spring"], "num_models": 1, "num_seeds": 2,
        "num_train": 10, "num_frames": 9, "num_flows": 0, "densities": [],
        "observed": [],
        "values": VALUES, "tables": [entry("table1", "table1")],
        "figures": [entry("fig08_samples", "fig08", animated=True)],
        "others": [entry("provenance", "provenance"), entry("choices", "choices")],
    }  # fmt: skip


def written(contents, folder):
    return write_page(contents, folder, CAPTIONS, CAPTIONS / "page.html")


def test_the_page_says_of_which_systems_not_all_truth_is_known(contents, tmp_path):
    assert "were not made here" not in written(contents, tmp_path)
    text = written({**contents, "observed": ["pendulums"]}, tmp_path)
    assert "The videos of pendulums were not made here" in text
    assert "at most 10 training videos" in text


def test_everything_is_on_the_page_results_first(contents, tmp_path):
    text = written(contents, tmp_path)
    words = ["tiny preset</h1>", "Title of table1", "1 ± 2", "Title of fig08_samples",
             "Title of provenance", "Title of choices", "Chosen"]  # fmt: skip
    places = [text.index(word) for word in words]
    assert places == sorted(places)
    for path in ("tables/table1.csv", "figures/fig08_samples.png",
                 "figures/fig08_samples.mp4"):  # fmt: skip
        code = base64.b64encode((tmp_path / path).read_bytes()).decode()
        assert text.count(f";base64,{code}") == 1
    assert "{{" not in text and "{%" not in text and "&#34;file" not in text


def test_other_code_is_said_on_top(contents, tmp_path):
    said = "Not all runs come from the same code"
    text = written(contents, tmp_path)
    assert text.index(said) < text.index("Title of table1")
    (tmp_path / "tables/provenance.html").write_text(page("T", "<p>All well.</p>"))
    (tmp_path / "tables/choices.html").write_text(page("T", "<p>All well.</p>"))
    assert said not in written(contents, tmp_path)


def test_a_wide_table_scrolls_in_its_place_and_headings_are_below_the_title(tmp_path):
    path = tmp_path / "a.html"
    body = "<h1>Title</h1><h2>Part</h2><table><tr></tr></table>"
    path.write_text(page("Title", body))
    expected = '<h4>Part</h4><div class="scroll"><table><tr></tr></table></div>'
    assert body_of(path).strip() == expected


@pytest.mark.parametrize("file", ["tables/table1.html", "figures/fig08_samples.mp4"])
def test_a_missing_file_is_named(contents, tmp_path, file):
    (tmp_path / file).unlink()
    with pytest.raises(ValueError, match=file):
        written(contents, tmp_path)


@pytest.mark.parametrize("name", TITLES)
def test_every_caption_is_words(name):
    text = (CAPTIONS / f"{name}.rst").read_text("utf-8")
    shown = caption_html(text, {"preset": "tiny", "system": "two_body", **VALUES})
    assert shown.startswith("<p>") and len(shown) > 80
    assert "{{" not in shown and "**" not in shown and "``" not in shown
