from html.parser import HTMLParser

import pandas as pd
import pytest
from markdown import markdown

from hgnpipe.reporting.pages import (
    across,
    html_table,
    in_order,
    markdown_table,
    page,
    short,
    write_table,
)

SIGNS = ["<b>", "a & b", "a * b *", "# 1", "'one' \"two\"", "a|b", "[a](b)", "~~a~~"]
SIGNS += [
    "HGN (no f_psi)",
    "_a_ _",
    "`a`",
    "back\\slash",
    "&lt;",
    "1e-5",
    "007",
    "<!--",
]


class Cells(HTMLParser):
    """Text of the cells of all tables of a page, one list for each row."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.inside = [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.inside = True
            self.rows[-1].append("")
        if tag == "br":
            self.rows[-1][-1] += "\n"

    def handle_endtag(self, tag):
        self.inside = self.inside and tag not in ("td", "th")

    def handle_data(self, data):
        if self.inside:
            self.rows[-1][-1] += data


@pytest.mark.parametrize("sign", SIGNS)
def test_any_text_is_shown_as_it_is(sign):
    table = pd.DataFrame([[f"{sign}\n2"]], pd.Index([sign], name="model"), [sign])
    shown = [["model", sign], [sign, f"{sign}\n2"]]
    assert Cells(markdown(markdown_table(table), extensions=["tables"])).rows == shown
    assert Cells(html_table(table)).rows == [["", sign], shown[1]]


@pytest.mark.parametrize("sign", SIGNS)
def test_titles_headings_and_captions_are_shown_as_they_are(sign, tmp_path):
    table = pd.DataFrame([["1"]], pd.Index(["a"], name="model"), ["b"])
    paths = [tmp_path / "1.md", tmp_path / "1.html"]
    write_table(table, {sign: table}, [f"Of {sign}."], "Title", paths)

    class Words(HTMLParser):
        def handle_data(self, data):
            words.append(data)

    for path in paths:
        words = []
        text = path.read_text("utf-8")
        Words().feed(text if path.suffix == ".html" else markdown(text))
        assert f"Of {sign}." in "".join(words)
        assert sign in "".join(words).split("Of")[0]


def test_columns_on_two_levels_are_one_in_markdown_and_two_in_html():
    cells = {("a", ("x", "train")): "1", ("a", ("x", "test")): "2"}
    table = across(cells, "model", "-")
    assert markdown_table(table).startswith("| model | x train | x test |\n")
    assert Cells(html_table(table)).rows == [
        ["", "x"], ["", "train", "test"], ["a", "1", "2"],
    ]  # fmt: skip


def test_cells_are_laid_out_in_their_order_and_gaps_are_filled():
    table = across({("b", "y"): "1", ("a", "y"): "2", ("a", "x"): "3"}, "model", "-")
    assert table.to_dict("split") == {
        "index": ["b", "a"], "columns": ["y", "x"], "data": [["1", "-"], ["2", "3"]],
    }  # fmt: skip
    assert table.index.name == "model"


def test_no_cells_make_an_empty_table_that_can_be_shown():
    table = across({}, "model", "-")
    assert table.shape == (0, 0)
    assert "model" in markdown_table(table) and Cells(html_table(table)).rows == [[""]]


def test_rows_are_sorted_by_the_first_column_first_and_the_unknown_come_last():
    table = pd.DataFrame({"a": [*"zxyx"], "b": [2, 2, 1, 1], "n": range(4)})
    assert in_order(table, a="xy", b=[1, 2]).n.tolist() == [3, 1, 2, 0]
    assert in_order(table, a="xy").n.tolist() == [1, 3, 2, 0]
    assert in_order(table, a="").n.tolist() == [0, 1, 3, 2]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (-1234.4, "-1234"), (1234.4, "1234"), (999.7, "1000"), (1e5, "1e+05"),
     (0.012345, "0.0123"), (float("inf"), "not finite"), (float("nan"), "N/A")],
)  # fmt: skip
def test_numbers_are_short(value, text):
    assert short(value) == text


def test_a_page_escapes_what_it_is_given_but_not_its_own_words():
    text = page("a < b", "<p>{{ one }}</p>{{ two | safe }}", one="<i>", two="<b>2</b>")
    assert "<title>a &lt; b</title>" in text
    assert "<p>&lt;i&gt;</p><b>2</b>" in text and text.endswith("</html>\n")


def test_a_page_asks_for_no_other_file():
    assert not {"src=", "href=", "url(", "@import"} & set(page("a", "b").split())


TABLE = pd.DataFrame({"a": [1 / 3, None], "b": ["x", "y"]})
LAID_OUT = {"One": pd.DataFrame([["1"]], pd.Index(["a"], name="model"), ["b"])}


def test_files_are_told_apart_by_what_they_end_in(tmp_path):
    paths = [tmp_path / f"1.{kind}" for kind in ("html", "csv", "md")]
    write_table(TABLE, LAID_OUT, ["Words."], "Title", paths)
    html, csv, markdown = (path.read_text("utf-8") for path in paths)
    assert csv == "a,b\n0.333333,x\nN/A,y\n"
    assert markdown.startswith("# Title\n\n## One\n\n| model | b |\n")
    assert markdown.endswith("\n\nWords.\n")
    assert "<h2>One</h2>" in html and "<p>Words.</p>" in html
    assert "<title>Title</title>" in html


def test_a_table_of_a_preset_says_so_in_every_file(tmp_path):
    paths = [tmp_path / f"1.{kind}" for kind in ("html", "csv", "md")]
    write_table(TABLE, LAID_OUT, ["Words."], "Title", paths, preset="tiny")
    html, csv, markdown = (path.read_text("utf-8") for path in paths)
    assert csv == "preset,a,b\ntiny,0.333333,x\ntiny,,y\n"
    assert markdown.startswith("# Title, tiny preset\n")
    assert "<title>Title, tiny preset</title>" in html


def test_an_unknown_kind_of_file_is_named_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match=r"'\.pdf'; it must be \.csv, \.md, \.html"):
        paths = [tmp_path / "1.csv", tmp_path / "1.pdf"]
        write_table(TABLE, LAID_OUT, [], "Title", paths)
    assert list(tmp_path.iterdir()) == []
