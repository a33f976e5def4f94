import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from hgnpipe.reporting.pages import html_table, markdown_table, write_table
from hgnpipe.reporting.table1 import (
    layout1,
    read_errors,
    read_published,
    skill,
    table1,
)

LABELS = {"slow": "Slow model", "fast": "Fast model"} | {
    "mean_image": "mean image",
    "noise_floor": "noise floor",
    "true_video": "true video",
}
SYSTEMS = ("spring", "orbit")
SPREAD = np.array([-3e-4, -1e-4, 1e-4, 3e-4])
STD = np.sqrt(5)
"""Standard deviation of ``SPREAD`` times 1e4."""


def rows(model, system, split, seed, mse):
    """Errors of four trajectories around ``mse``."""
    return pd.DataFrame(
        {
            "system": system, "model": model, "seed": seed, "split": split,
            "trajectory": range(4), "mse": mse + SPREAD, "mse_clean": mse / 2,
            "kl": 3.0, "energy_mean": 1.0, "energy_variance": 0.1,
        }
    )  # fmt: skip


@pytest.fixture
def all_errors():
    """Two seeds of ``fast``, one of the others; ``slow`` has not seen the orbit."""
    tables = []
    for system in SYSTEMS:
        for split in ("test", "train"):
            found = [("noise_floor", 0, 10e-4), ("mean_image", 0, 50e-4)]
            found += [("true_video", 0, 16e-4)]
            found += [("fast", 0, 18e-4), ("fast", 1, 22e-4), ("mine", 0, 31e-4)]
            found += [("slow", 0, 40e-4)] * (system == "spring")
            tables += [rows(m, system, split, seed, e) for m, seed, e in found]
    return pd.concat(tables, ignore_index=True)


@pytest.fixture
def published():
    return pd.DataFrame(
        [
            ("fast", "spring", "test", 6.25, 2.03),
            ("fast", "spring", "train", np.nan, np.nan),
            ("fast", "moon", "train", 1.0, 1.0),
        ],
        columns=["model", "system", "split", "mse_x1e4", "std_x1e4"],
    )


@pytest.fixture
def table(all_errors, published):
    return table1(all_errors, published, LABELS)


def entry(table, model, system="spring", split="test"):
    (row,) = table.query(
        "model == @model and system == @system and split == @split"
    ).to_dict("records")
    return row


@pytest.mark.parametrize(
    ("model", "name", "expected"),
    [
        ("fast", "mse_x1e4", 20), ("fast", "std_x1e4", STD), ("fast", "num_seeds", 2),
        ("fast", "seed_std_x1e4", np.sqrt(8)), ("fast", "mse_clean_x1e4", 10),
        ("fast", "kl", 3), ("fast", "mean_image_x1e4", 50), ("fast", "skill", 0.75),
        ("fast", "noise_floor_x1e4", 10), ("slow", "mse_x1e4", 40),
        ("slow", "num_seeds", 1), ("slow", "skill", 0.25), ("mine", "mse_x1e4", 31),
        ("mean_image", "skill", 0), ("noise_floor", "skill", 1),
        ("true_video", "skill", 0.85), ("true_video", "mse_clean_x1e4", 8),
    ],
)  # fmt: skip
def test_a_cell_is_what_its_definition_says(table, model, name, expected):
    assert entry(table, model)[name] == pytest.approx(expected)


def test_one_seed_has_no_spread_over_seeds(table):
    assert np.isnan(entry(table, "slow")["seed_std_x1e4"])


def test_published_figures_stand_beside_ours(table):
    row = entry(table, "fast")
    assert (row["published_mse_x1e4"], row["published_std_x1e4"]) == (6.25, 2.03)


@pytest.mark.parametrize(
    "cell", [("fast", "spring", "train"), ("mine", "orbit", "test")]
)
def test_what_the_paper_does_not_say_stays_empty(table, cell):
    assert np.isnan(entry(table, *cell)["published_mse_x1e4"])


def test_what_only_the_paper_has_makes_no_row(table):
    assert set(table.system) == set(SYSTEMS)


def test_rows_are_in_the_order_of_the_labels_then_those_without(table):
    assert list(dict.fromkeys(table.model)) == [*LABELS, "mine"]


def test_systems_are_in_the_order_of_the_runs_and_training_comes_first(table):
    found = table[table.model == "fast"][["system", "split"]].to_numpy().tolist()
    assert found == [[system, s] for system in SYSTEMS for s in ("train", "test")]


def test_systems_are_in_the_order_of_the_preset_whichever_has_run(
    all_errors, published
):
    references = all_errors.model.isin(["mean_image", "noise_floor", "true_video"])
    some = all_errors[references | (all_errors.system == "spring")]
    table = table1(some, published, LABELS, systems=["orbit", "spring"])
    one = table[table.model == "mean_image"]
    assert list(dict.fromkeys(one.system)) == ["orbit", "spring"]
    page = layout1(table, ["orbit", "spring"])
    assert list(page.columns)[::2] == [("orbit", "train"), ("spring", "train")]


def test_the_page_calls_systems_as_figures_do(all_errors, published):
    errors = all_errors.replace({"system": {"spring": "mass_spring"}})
    page = layout1(table1(errors, published, LABELS))
    assert list(page.columns)[::2] == [("mass-spring", "train"), ("orbit", "train")]


def test_a_model_without_a_label_is_called_by_its_name(table):
    assert entry(table, "mine")["label"] == "mine"


def test_there_is_one_row_per_model_system_and_split(table):
    assert len(table) == 22 and not table.duplicated(["model", "system", "split"]).any()


def test_a_rollout_that_diverged_is_in_the_mean_and_said(all_errors, published):
    of_slow = all_errors.query("model == 'slow' and split == 'test'").index
    all_errors.loc[of_slow[0], ["mse", "mse_clean"]] = np.nan
    table = table1(all_errors, published, LABELS)
    assert np.isinf(entry(table, "slow")["mse_x1e4"])
    cells = layout1(table)["spring", "test"]
    assert cells["Slow model"] == "not finite: a rollout diverged"


def test_without_references_there_is_no_skill_but_a_table(all_errors, published):
    only = all_errors[all_errors.model == "fast"]
    table = table1(only, published, LABELS)
    assert len(table) == 4 and table.skill.isna().all()


def test_the_page_has_models_down_and_systems_and_splits_across(table):
    page = layout1(table)
    assert list(page.index) == [*LABELS.values(), "mine"]
    columns = [(system, split) for system in SYSTEMS for split in ("train", "test")]
    assert list(page.columns) == columns


def test_a_missing_run_is_called_so_and_nothing_else_is(table):
    page = layout1(table)
    missing = page == "not run"
    assert missing.loc["Slow model", "orbit"].all() and missing.to_numpy().sum() == 2


def test_a_cell_says_error_seeds_skill_and_paper(table):
    page = layout1(table).map(lambda cell: cell.replace("\n", "; "))
    assert page["spring", "train"]["Fast model"].endswith("; paper: not legible")
    cells = page["spring", "test"]
    assert cells["Fast model"] == (
        "20.00 ± 2.24; seeds ± 2.83; skill 0.75; paper 6.25 ± 2.03"
    )
    assert cells["Slow model"] == "40.00 ± 2.24; skill 0.25"
    assert cells["noise floor"] == "10.00 ± 2.24; clean 5.00"
    assert cells["mean image"] == "50.00 ± 2.24; clean 25.00"
    assert cells["true video"] == "16.00 ± 2.24; skill 0.85; clean 8.00"


class Page(HTMLParser):
    """Checks that tags match, and collects the text of the cells."""

    def __init__(self, text):
        super().__init__()
        self.open, self.cells, self.rows = [], [], 0
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "br"):
            self.open.append(tag)
        self.cells += [""] if tag == "td" else []
        self.rows += tag == "tr"

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] == ["td"]:
            self.cells[-1] += data


def numbers(text):
    return sorted(re.findall(r"\d+\.\d+", text))


def test_the_markdown_holds_every_number_once(table):
    page = layout1(table)
    assert numbers(markdown_table(page)) == numbers(" ".join(page.to_numpy().flat))


def test_every_line_of_the_markdown_table_has_the_same_columns(table):
    lines = markdown_table(layout1(table)).splitlines()
    assert len(lines) == 2 + 6 and {line.count("|") for line in lines} == {6}


def test_the_html_holds_every_number_once_and_its_tags_match(table):
    page = layout1(table)
    read = Page(html_table(page))
    assert numbers(" ".join(read.cells)) == numbers(" ".join(page.to_numpy().flat))
    assert len(read.cells) == page.size


def test_pages_have_their_caption_once_and_their_title(table, tmp_path):
    pages = tmp_path / "table.md", tmp_path / "table.html"
    captions = ["Mean {x} ± 1."]
    write_table(table, {"": layout1(table)}, captions, "My table", pages)
    assert [p.read_text("utf-8").count("Mean {x} ± 1.") for p in pages] == [1, 1]
    assert pages[0].read_text("utf-8").startswith("# My table\n")
    assert "<title>My table</title>" in pages[1].read_text("utf-8")


def test_tables_are_read_below_each_other(all_errors, tmp_path):
    parts = []
    for split, part in all_errors.groupby("split"):
        parts.append(tmp_path / f"{split}.csv")
        part.to_csv(parts[-1], index=False)
    pd.testing.assert_frame_equal(
        read_errors(parts), pd.concat(map(pd.read_csv, parts), ignore_index=True)
    )


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (None, "No such file"), (b"", "not a table of errors"),
        (b"a,b\n1,2\n3,4,5,6\n", "not a table of errors"),
        (b"\x89HDF\r\n\x1a\n\xff\xfe\x00", "not a table of errors"),
        (b"system,model,seed,split,trajectory,mse,mse_clean\n", "has no column kl"),
    ],
    ids=["missing", "empty", "ragged", "binary", "a column is missing"],
)  # fmt: skip
def test_a_file_that_is_no_table_of_errors_is_named(tmp_path, content, what):
    path = tmp_path / "errors.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError) as error:
        read_errors([path])
    assert str(path) in str(error.value) and what in str(error.value)
    assert "\n" not in str(error.value)


def test_published_figures_may_be_commented_and_incomplete(tmp_path):
    path = tmp_path / "published.csv"
    text = "# from the paper\nmodel,system,split,mse_x1e4,std_x1e4\nhgn,orbit,test,,\n"
    path.write_text(text)
    assert read_published(path).to_dict("list") == {
        "model": ["hgn"], "system": ["orbit"], "split": ["test"],
        "mse_x1e4": [pytest.approx(np.nan, nan_ok=True)],
        "std_x1e4": [pytest.approx(np.nan, nan_ok=True)],
    }  # fmt: skip


def test_published_figures_without_a_column_are_named(tmp_path):
    (tmp_path / "published.csv").write_text("model,system\nhgn,orbit\n")
    with pytest.raises(
        ValueError, match=r"published\.csv has no column mse_x1e4, split"
    ):
        read_published(tmp_path / "published.csv")


@pytest.mark.parametrize(
    ("mse", "expected"), [(5.0, 0.0), (1.0, 1.0), (3.0, 0.5), (9.0, -1.0)]
)
def test_skill_is_zero_at_the_mean_image_and_one_at_the_floor(mse, expected):
    assert skill(mse, floor=1.0, mean_image=5.0) == expected
