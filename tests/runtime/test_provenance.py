import json
import re
from html.parser import HTMLParser

import pandas as pd
import pytest
from command_lines import script
from pipeline import REPOSITORY

FAMILIES = {"slow": "snails", "fast": "hares", "faster": "hares"}
LABELS = {name: f"My {name} one" for name in FAMILIES}
ORIGIN = {
    "started": "2030-01-02T03:04:05+00:00", "commit": "0123456789ab",
    "device": "cpu (CPU)", "precision": "fp32", "threads": 1,
    "hgnpipe": "1.0", "python": "3.13.0", "torch": "2.9", "numpy": "2.0",
    "code": "c0de", "seed": 0, "resumed_at": 0,
    "wall_s": 36.0, "peak_memory_mb": 512,
}  # fmt: skip
RUNS = [("spring", model, seed) for model in FAMILIES for seed in (0, 1)]
RUNS += [("orbit", "slow", seed) for seed in (2, 3)]


@pytest.fixture
def report(tmp_path):
    """Page and table of a few runs, some of which recorded something else."""

    def write(changes):
        paths = []
        for system, model, seed in RUNS:
            path = tmp_path / system / model / f"seed{seed}" / "run.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            # Each family has code of its own, and each system.
            own = {"code": f"{FAMILIES[model]} {system}", "seed": seed}
            origin = {**ORIGIN, **own, **changes.get((model, seed), {})}
            path.write_text(json.dumps(origin))
            paths.append(path)
        csv, page = tmp_path / "runs.csv", tmp_path / "runs.html"
        script("provenance")(paths, FAMILIES, LABELS, "tiny", [csv, page])
        return page.read_text("utf-8"), pd.read_csv(csv)

    return write


def test_runs_of_the_same_code_raise_no_warning(report):
    page, _ = report({})
    assert "WARNING" not in page
    assert f"All {len(RUNS)} runs come from the same code." in page


def test_there_is_a_row_per_run_that_names_it(report):
    page, table = report({("fast", 1): {"wall_s": 72.5}})
    assert list(zip(table.system, table.model, table.seed, strict=True)) == RUNS
    assert table.wall_s.tolist() == [36, 36, 36, 72.5, *[36] * 4]
    for system, model, seed in RUNS:
        called = f"{system.replace('_', '-')}: {LABELS[model]}, seed {seed}"
        assert f"<th>{called}</th>" in page
    assert "72.5" in page


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {("fast", 1): {"code": "0dd"}},
            ["hares were trained on spring by", "0dd (spring/f"],
        ),
        ({("slow", 0): {"commit": "0123456789ab+"}}, ["1 of 8 runs"]),
        ({("slow", 0): {"torch": "2.10"}}, ["torch differs", "2.10 (spring/slow/se"]),
        ({("slow", 0): {"python": "<3>"}}, ["python differs", "&lt;3&gt;"]),
    ],
)
def test_runs_of_different_code_raise_a_warning_that_names_them(report, changes, words):
    page, _ = report(changes)
    assert page.count("WARNING") == 1 and "same code." not in page
    for word in words:
        assert word in page


def test_the_warning_is_above_the_table(report):
    page, _ = report({("fast", 1): {"code": "0dd"}})
    assert page.index("WARNING") < page.index("<table")


def test_other_commits_of_the_same_code_are_not_the_same_as_other_code(report):
    for commit in ("fedcba987654", None):
        page, _ = report({("slow", 0): {"commit": commit}})
        assert "same code." in page and "WARNING" not in page
        page, _ = report({("slow", 0): {"commit": commit, "code": "0dd"}})
        assert "WARNING" in page and f"{commit or 'unknown'} (spring/slow/s" in page


def test_what_all_runs_share_is_said_once(report):
    page, _ = report({})
    assert page.count("0123456789ab") == 1
    page, _ = report({("fast", 0): {"device": "cuda (H)"}})
    assert page.count("cpu (CPU)") == 7 and page.count("cuda (H)") == 1


@pytest.mark.parametrize("content", ["", "[]", '{"commit": "a"}', "\x00"])
def test_a_damaged_record_of_a_run_is_named(tmp_path, content):
    path = tmp_path / "spring" / "fast" / "seed0" / "run.json"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    outputs = tmp_path / "runs.csv", tmp_path / "runs.html"
    with pytest.raises(ValueError, match=re.escape(str(path))):
        script("provenance")([path], FAMILIES, LABELS, "tiny", outputs)
    assert not any(path.exists() for path in outputs)


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


CHOICES = REPOSITORY / "docs" / "choices.md"


def test_the_page_of_choices_has_every_cell_of_the_tables_of_the_document(tmp_path):
    script("choices")(CHOICES, tmp_path / "choices.html")
    page = (tmp_path / "choices.html").read_text("utf-8")
    rows = re.findall(r"^\| (.*) \|$", CHOICES.read_text("utf-8"), re.MULTILINE)
    rows = [row for row in rows if not set(row) <= set("-| ")]
    assert len(rows) > 20
    cells = [re.sub("[`*]", "", cell) for row in rows for cell in row.split(" | ")]
    assert Cells(page).cells == cells
    assert page.count("<table") >= 2 and "<code>centre_frames</code>" in page
    assert "](" not in page and "href" not in page
    assert "<title>Where we had to choose</title>" in page
    assert "<h1>Where we had to choose</h1>" in page


def test_choices_may_have_paragraphs_sections_and_lists(tmp_path):
    table = "| a | b |\n| - | - |\n| 1 < 2 | `x` |\n"
    text = f"# Why\n\nWords, [linked](a.md).\n\n## More\n\n* one\n\n{table}"
    (tmp_path / "choices.md").write_text(text)
    script("choices")(tmp_path / "choices.md", tmp_path / "choices.html")
    page = (tmp_path / "choices.html").read_text("utf-8")
    for part in ("<p>Words, linked.</p>", "<h2>More</h2>", "<li>one</li>", "1 &lt; 2"):
        assert part in page


@pytest.mark.parametrize(
    "text", ["| a | b |\n| - | - |\n", "# Where we had to choose\n\nNowhere.\n", None]
)
def test_a_document_without_a_heading_or_a_table_is_an_error(tmp_path, text):
    path = tmp_path / "choices.md"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))} ") as error:
        script("choices")(path, tmp_path / "choices.html")
    assert ("table" in str(error.value)) == (text is not None)
    assert not (tmp_path / "choices.html").exists()
