import json
import re
from html.parser import HTMLParser

import pandas as pd
import pytest
from command_lines import script
from pipeline import REPOSITORY

FAMILIES = {"slow": "snails", "fast": "hares", "faster": "hares"}
ORIGIN = {
    "started": "2030-01-02T03:04:05+00:00", "commit": "0123456789ab",
    "device": "cpu (CPU)", "precision": "fp32", "threads": 1,
    "hgnpipe": "1.0", "python": "3.13.0", "torch": "2.9", "numpy": "2.0",
    "code": "c0de", "seed": 0, "resumed_at": 0,
    "wall_s": 36.0, "peak_memory_mb": 512,
}  # fmt: skip
RUNS = [("spring", model, seed) for model in FAMILIES for seed in (0, 1)]


@pytest.fixture
def told(tmp_path):
    """Page and table of six runs, some of which recorded something else."""

    def tell(changes):
        paths = []
        for system, model, seed in RUNS:
            path = tmp_path / system / model / f"seed{seed}" / "run.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            # Each family has code of its own.
            own = {"code": FAMILIES[model], "seed": seed}
            origin = {**ORIGIN, **own, **changes.get((model, seed), {})}
            path.write_text(json.dumps(origin))
            paths.append(path)
        csv, page = tmp_path / "runs.csv", tmp_path / "runs.html"
        script("provenance")(paths, FAMILIES, "tiny", csv, page)
        return page.read_text("utf-8"), pd.read_csv(csv)

    return tell


def test_runs_of_the_same_code_raise_no_warning(told):
    page, _ = told({})
    assert "WARNING" not in page
    assert "All 6 runs come from the same code: hares hares, snails snails" in page


def test_there_is_a_row_per_run_that_names_it(told):
    page, table = told({("fast", 1): {"wall_s": 72.5}})
    assert list(zip(table.system, table.model, table.seed, strict=True)) == sorted(RUNS)
    assert table.wall_s.tolist() == [36, 72.5, 36, 36, 36, 36]
    for system, model, seed in RUNS:
        assert f"<th>{system} {model} seed {seed}</th>" in page
    assert "72.5" in page


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({("fast", 1): {"code": "0dd"}}, ["family hares", "0dd (spring/fast/seed1)"]),
        ({("slow", 0): {"commit": "0123456789ab+"}}, ["1 of 6 runs"]),
        ({("slow", 0): {"torch": "2.10"}}, ["torch differs", "2.10 (spring/slow/se"]),
        ({("slow", 0): {"python": "<3>"}}, ["python differs", "&lt;3&gt;"]),
    ],
)
def test_runs_of_different_code_raise_a_warning_that_names_them(told, changes, words):
    page, _ = told(changes)
    assert page.count("WARNING") == 1 and "same code:" not in page
    for word in words:
        assert word in page


def test_the_warning_is_above_the_table(told):
    page, _ = told({("fast", 1): {"code": "0dd"}})
    assert page.index("WARNING") < page.index("<table")


def test_other_commits_of_the_same_code_are_told_apart_from_other_code(told):
    for commit in ("fedcba987654", None):
        page, _ = told({("slow", 0): {"commit": commit}})
        assert "same code:" in page and "WARNING" not in page
        page, _ = told({("slow", 0): {"commit": commit, "code": "0dd"}})
        assert "WARNING" in page and f"{commit or 'unknown'} (spring/slow/s" in page


def test_what_all_runs_share_is_said_once(told):
    page, _ = told({})
    assert page.count("0123456789ab") == 1
    page, _ = told({("fast", 0): {"device": "cuda (H)"}})
    assert page.count("cpu (CPU)") == 5 and page.count("cuda (H)") == 1


@pytest.mark.parametrize("content", ["", "[]", '{"commit": "a"}', "\x00"])
def test_a_damaged_record_of_a_run_is_named(tmp_path, content):
    path = tmp_path / "spring" / "fast" / "seed0" / "run.json"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    targets = tmp_path / "runs.csv", tmp_path / "runs.html"
    with pytest.raises(ValueError, match=re.escape(str(path))):
        script("provenance")([path], FAMILIES, "tiny", *targets)
    assert not any(target.exists() for target in targets)


class Cells(HTMLParser):
    """Text of the cells of all tables of a page."""

    def __init__(self, page):
        super().__init__()
        self.cells, self.inside = [], False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag in ("td", "th"):
            self.inside = True
            self.cells.append("")

    def handle_endtag(self, tag):
        self.inside = self.inside and tag not in ("td", "th")

    def handle_data(self, data):
        if self.inside:
            self.cells[-1] += data


def test_the_page_of_choices_has_every_cell_of_the_tables_of_the_readme(tmp_path):
    script("choices")(REPOSITORY / "README.md", tmp_path / "choices.html")
    page = (tmp_path / "choices.html").read_text("utf-8")
    readme = (REPOSITORY / "README.md").read_text("utf-8")
    section = readme.partition("## Where we had to choose")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.*) \|$", section, re.MULTILINE)
    rows = [row for row in rows if not set(row) <= set("-| ")]
    assert len(rows) > 20
    cells = [re.sub("[`*]", "", cell) for row in rows for cell in row.split(" | ")]
    assert Cells(page).cells == cells
    assert page.count("<table") == 2 and "<code>centre_frames</code>" in page
    assert "](" not in page and "href" not in page


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("# Title\n\n| a | b |\n", "no table in a section"),
        ("\n## Where we had to choose\n\nNowhere.\n", "no table in a section"),
        ("\n## Where we had to choose\n\n| a | b |\n| - | - |\n| 1 |\n", "2 cells"),
    ],
)
def test_a_readme_without_the_table_is_an_error(tmp_path, text, words):
    (tmp_path / "README.md").write_text(text)
    with pytest.raises(ValueError, match=words):
        script("choices")(tmp_path / "README.md", tmp_path / "choices.html")
