import warnings

import numpy as np
import pandas as pd
import pytest
import torch

from hgnpipe.evaluation.errors import displacement
from hgnpipe.evaluation.kept import Errors
from hgnpipe.reporting.runs import Run
from hgnpipe.reporting.table2 import (
    STILL,
    layout2,
    read_published_variances,
    table2,
)

LABELS = {"slow": "Slow model", "fast": "Fast model"}
SYSTEMS = ("spring", "orbit")
NUM, LENGTH = 5, 6


def energies(seed, scale=1.0, ripple=0.1):
    """Energies that differ across rollouts, and a little along each."""
    rng = np.random.default_rng(seed)
    level, noise = rng.normal(size=(NUM, 1)), rng.normal(size=(NUM, LENGTH))
    return scale * (level + ripple * noise)


def scores(energy, motion):
    zeros, ones = np.zeros((len(energy), LENGTH)), np.ones(len(energy))
    energy = np.asarray(energy)
    return Errors(zeros, zeros, energy, zeros[:, 0], 3 * motion * ones, 3 * ones)


def both(energy, motion=0.5):
    """The same energies in training; in the test those of other rollouts."""
    return {"train": scores(energy, motion), "test": scores(energy[::-1], motion)}


class Dead(np.ndarray):
    """Energies of a model that stands still."""


def dead():
    return energies(9).view(Dead)


def run_of_seed(energy):
    return both(np.asarray(energy), 0.0 if isinstance(energy, Dead) else 0.5)


def publish(*rows):
    columns = ["model", "system", "split", "published_variance_x1e4"]
    return pd.DataFrame(rows, columns=columns, dtype=str)


NOTHING = publish()


def cells_of(table):
    """What the page says, with semicolons for the ends of lines."""
    return layout2(table).map(lambda cell: cell.replace("\n", "; "))


@pytest.fixture
def found():
    """Two seeds of ``fast``, one of the others; ``slow`` has not seen the orbit."""
    return {
        Run("spring", "mine", 0): both(energies(1)),
        Run("spring", "fast", 1): both(energies(2)),
        Run("spring", "fast", 0): both(energies(3)),
        Run("spring", "slow", 0): both(energies(4)),
        Run("orbit", "fast", 0): both(energies(5)),
        Run("orbit", "mine", 0): both(energies(6)),
    }


def table_of(*seeds, example=0, published=NOTHING, split="train"):
    """The row of one model of which these are the energies by seed."""
    runs = {Run("spring", "fast", n): run_of_seed(e) for n, e in enumerate(seeds)}
    table = table2(runs, published, LABELS, example)
    (row,) = table[table.split == split].to_dict("records")
    return row


def test_the_numbers_of_one_seed_are_those_of_numpy():
    energy = energies(0)
    row, over_time = table_of(energy, example=2), np.var(energy, axis=1)
    across = np.var(np.mean(energy, axis=1))
    assert row["variance_x1e4"] == pytest.approx(1e4 * over_time[2])
    assert row["mean_variance_x1e4"] == pytest.approx(1e4 * np.mean(over_time))
    assert row["std_variance_x1e4"] == pytest.approx(1e4 * np.std(over_time))
    assert row["across_variance"] == pytest.approx(across)
    assert row["relative_variance"] == pytest.approx(np.mean(over_time) / across)
    assert (row["num_seeds"], row["num_still"]) == (1, 0)


def test_the_numbers_of_several_seeds_are_over_all_their_rollouts():
    seeds = [energies(n, scale=n + 1) for n in range(3)]
    row, over_time = table_of(*seeds), [np.var(e, axis=1) for e in seeds]
    assert row["variance_x1e4"] == pytest.approx(1e4 * over_time[0][0])
    assert row["mean_variance_x1e4"] == pytest.approx(1e4 * np.mean(over_time))
    assert row["std_variance_x1e4"] == pytest.approx(1e4 * np.std(over_time))
    across = [np.var(np.mean(e, axis=1)) for e in seeds]
    relative = [np.mean(o) / a for o, a in zip(over_time, across, strict=True)]
    assert row["relative_variance"] == pytest.approx(np.median(relative))
    assert row["across_variance"] == pytest.approx(np.median(across))
    assert row["num_seeds"] == 3


def test_the_relative_variance_has_no_scale():
    one, other = (table_of(energies(0, scale=s)) for s in (1.0, 30.0))
    assert one["relative_variance"] == pytest.approx(other["relative_variance"])
    assert other["variance_x1e4"] == pytest.approx(900 * one["variance_x1e4"])


def test_sums_are_not_rounded_to_the_precision_of_the_file():
    energy = (1e3 + 0.1 * energies(0)).astype(np.float32)
    row, exact = table_of(energy), energy.astype(np.float64)
    mean = 1e4 * exact.var(axis=1).mean()
    assert row["mean_variance_x1e4"] == pytest.approx(mean, rel=1e-9)
    assert row["across_variance"] == pytest.approx(exact.mean(axis=1).var(), rel=1e-9)


def test_a_conserved_energy_has_no_variance_over_time():
    row = table_of(energies(0, ripple=0))
    names = ["variance_x1e4", "mean_variance_x1e4", "relative_variance"]
    assert [row[name] for name in names] == pytest.approx([0, 0, 0], abs=1e-20)
    assert row["num_still"] == 0


def motion_of(moved, moved_true, energy=None):
    """The row of a model whose frames move so much in each rollout."""
    energy = energies(0) if energy is None else energy
    one = scores(energy, 0)._replace(
        moved=np.array(moved, float), moved_true=np.array(moved_true, float)
    )
    table = table2({Run("spring", "fast", 0): {"train": one}}, NOTHING, LABELS)
    (row,) = table.to_dict("records")
    return row


TRUE = [3e-3, 1e-3, 2e-3, 1e-3, 3e-3]


@pytest.mark.parametrize(("factor", "still"), [(1.01, 0), (0.99, 1), (0, 1)])
def test_a_model_stands_still_below_the_threshold(factor, still):
    row = motion_of(factor * STILL * np.array(TRUE)[::-1], TRUE)
    assert row["num_still"] == still
    names = ["variance_x1e4", "mean_variance_x1e4", "relative_variance"]
    assert [np.isnan(row[name]) for name in names] == [bool(still)] * 3
    assert row["relative_motion"] == pytest.approx(factor * STILL)


def predicted(pictures):
    """How much these videos, frames of 2 x 2 pixels, move."""
    return displacement(torch.tensor(pictures, dtype=torch.float32))


def videos(motion, spread, seed=0):
    """Videos whose frames move so much, from first frames that differ so much."""
    rng = np.random.default_rng(seed)
    first = spread * rng.random((NUM, 1, 3, 2, 2))
    return 0.4 + first + motion * rng.random((NUM, LENGTH, 3, 2, 2))


@pytest.mark.parametrize(
    ("motion", "spread", "scale", "still"),
    [
        (0.0, 0.0, 1.0, 1), (1e-3, 1e-4, 1.0, 1), (0.0, 0.2, 1.0, 1),
        (1e-3, 0.2, 1.0, 1), (0.1, 0.2, 1e-9, 0), (0.1, 0.2, 1e9, 0),
        (0.05, 0.0, 1.0, 0), (0.0, 0.2, 1e9, 1),
    ],
    ids=[
        "mean image", "nearly the mean image", "a still picture for each video",
        "nearly so", "a tiny scale of energy", "a large one", "one film for all videos",
        "still, with a large scale of energy",
    ],
)  # fmt: skip
def test_what_stands_still_has_nothing_to_conserve(motion, spread, scale, still):
    true = predicted(videos(0.2, 0.2, seed=1))
    energy = energies(0, scale=scale).astype(np.float32)
    row = motion_of(predicted(videos(motion, spread)), true, energy)
    assert row["num_still"] == still
    if not still:
        expected = table_of(energies(0))["relative_variance"]
        assert row["relative_variance"] == pytest.approx(expected, rel=1e-3)


def test_where_all_trajectories_have_one_energy_there_is_no_relative_variance():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        row = motion_of(TRUE, TRUE, np.full((NUM, LENGTH), 0.1, np.float32))
    assert np.isnan(row["relative_variance"]) and row["num_still"] == 0
    assert row["mean_variance_x1e4"] == pytest.approx(0, abs=1e-20)


def test_a_model_without_an_energy_has_a_row_that_says_so():
    row = table_of(np.full((NUM, LENGTH), np.nan))
    names = ["variance_x1e4", "mean_variance_x1e4", "relative_variance"]
    assert all(np.isnan(row[name]) for name in names) and row["num_still"] == 0
    found = {Run("spring", "fast", 0): both(np.full((NUM, LENGTH), np.nan))}
    page = layout2(table2(found, NOTHING, LABELS))
    assert page["spring", "train"]["Fast model"] == "no energy"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_an_energy_that_is_no_number_has_diverged_and_does_not_stand_still(value):
    energy = energies(0)
    energy[3, 2] = value
    row = table_of(energy)
    assert row["num_still"] == 0
    names = ["variance_x1e4", "mean_variance_x1e4", "relative_variance"]
    assert all(np.isposinf(row[name]) for name in names)
    found = {Run("spring", "fast", 0): both(energy)}
    cell = layout2(table2(found, NOTHING, LABELS))["spring", "train"]["Fast model"]
    assert cell.count("not finite") == 4 and "N/A" not in cell


def test_where_every_seed_stands_still_there_is_no_variance_to_show():
    row = table_of(dead())
    names = ["variance", "mean_variance", "std_variance"]
    assert all(np.isnan(row[f"{name}_x1e4"]) for name in names)


def test_seeds_that_stand_still_do_not_count_but_are_counted():
    whole = energies(0)
    row, alone = table_of(whole, dead(), dead()), table_of(whole)
    names = [name for name in row if "variance" in name and name != "across_variance"]
    for name in set(names) - {"published_variance_x1e4"}:
        assert row[name] == pytest.approx(alone[name]), name
    assert (row["num_seeds"], row["num_still"]) == (3, 2)


def test_the_single_rollout_of_a_still_first_seed_is_not_that_of_another():
    row = table_of(dead(), energies(0))
    assert np.isnan(row["variance_x1e4"])
    assert row["mean_variance_x1e4"] > 0


def test_standing_still_makes_no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table_of(dead(), np.full((NUM, LENGTH), np.nan))


def test_the_single_rollout_is_that_of_the_lowest_seed(found):
    table = table2(found, NOTHING, LABELS, example=1)
    (row,) = table.query(
        "model == 'fast' and system == 'spring' and split == 'train'"
    ).to_dict("records")
    expected = 1e4 * np.var(energies(3)[1])
    assert row["variance_x1e4"] == pytest.approx(expected)


def test_each_split_has_its_own_single_rollout():
    row = table_of(energies(0), example=1, split="test")
    expected = 1e4 * np.var(energies(0)[::-1][1])
    assert row["variance_x1e4"] == pytest.approx(expected)


def test_a_rollout_that_is_not_there_is_named():
    with pytest.raises(ValueError, match=f"example is {NUM}; it must be between 0"):
        table_of(energies(0), example=NUM)


def test_rows_are_in_the_order_of_the_labels_systems_and_splits(found):
    table = table2(found, NOTHING, LABELS)
    rows = table[["model", "system", "split"]].to_numpy().tolist()
    expected = [("slow", "spring"), ("fast", "spring"), ("fast", "orbit"),
                ("mine", "spring"), ("mine", "orbit")]  # fmt: skip
    assert rows == [[*names, s] for names in expected for s in ("train", "test")]


def test_a_model_without_a_label_is_called_by_its_name(found):
    table = table2(found, NOTHING, LABELS)
    names = dict(zip(table.model, table.label, strict=True))
    assert names == {**LABELS, "mine": "mine"}


PUBLISHED = publish(
    ("fast", "spring", "train", "0.72"), ("fast", "spring", "test", "N/A"),
    ("slow", "spring", "train", ""), ("fast", "moon", "train", "1"),
)  # fmt: skip


def test_what_the_paper_says_passes_through_as_text(found):
    table = table2(found, PUBLISHED, LABELS).set_index(["model", "system", "split"])
    printed = table.published_variance_x1e4
    keys = [("fast", "spring", "train"), ("fast", "spring", "test"),
            ("slow", "spring", "train")]  # fmt: skip
    assert [printed[key] for key in keys] == ["0.72", "N/A", ""]
    assert printed.drop(keys).isna().all()


def test_what_only_the_paper_has_makes_no_row(found):
    assert len(table2(found, PUBLISHED, LABELS)) == 2 * 5


@pytest.fixture
def page(found):
    found[Run("orbit", "mine", 0)] = run_of_seed(dead())
    found[Run("spring", "fast", 1)] = run_of_seed(dead())
    return cells_of(table2(found, PUBLISHED, LABELS))


def test_the_page_has_models_down_and_systems_and_splits_across(page):
    assert list(page.index) == [*LABELS.values(), "mine"]
    columns = [(system, split) for system in SYSTEMS for split in ("train", "test")]
    assert list(page.columns) == columns


def test_a_missing_run_is_called_so_and_nothing_else_is(page):
    missing = page == "not run"
    assert missing.loc["Slow model", "orbit"].all() and missing.to_numpy().sum() == 2


def three_digits(value):
    return f"{value:.3g}"


def test_a_cell_says_single_rollout_all_rollouts_relative_and_paper(page):
    over_time = energies(3).var(axis=1)
    relative = over_time.mean() / energies(3).mean(axis=1).var()
    single, mean, std = (
        f"{1e4 * x:.0f}" if 1e4 * x >= 1000 else three_digits(1e4 * x)
        for x in (over_time[0], over_time.mean(), over_time.std())
    )
    assert page["spring", "train"]["Fast model"] == (
        f"{single}; all {mean} ± {std}; relative {three_digits(relative)}; "
        "1 of 2 seeds stand still; paper 0.72"
    )


def test_a_cell_of_a_still_model_says_so_and_what_the_paper_says(page):
    assert page["orbit", "train"]["mine"] == "N/A"
    runs = {Run("spring", "fast", 0): run_of_seed(dead())}
    cells = cells_of(table2(runs, PUBLISHED, LABELS))
    assert cells["spring", "test"]["Fast model"] == "N/A; paper N/A"


def test_a_still_first_seed_leaves_the_single_rollout_out():
    runs = {
        Run("spring", "fast", 0): run_of_seed(dead()),
        Run("spring", "fast", 1): both(energies(0)),
    }
    cell = cells_of(table2(runs, NOTHING, LABELS))["spring", "train"]["Fast model"]
    assert cell.startswith("N/A; all ") and cell.endswith("1 of 2 seeds stand still")


def test_what_cannot_be_read_in_the_paper_is_called_so(page):
    assert page["spring", "train"]["Slow model"].endswith("; paper: not legible")


def test_where_the_paper_says_nothing_neither_does_the_cell(page):
    assert "paper" not in page["orbit", "train"]["Fast model"]


@pytest.mark.parametrize(
    ("variance", "text"),
    [
        (0.0, "0"), (0.01234, "0.0123"), (1.5, "1.5"), (999.4, "999"),
        (999.7, "1000"), (1234.6, "1235"), (99999, "99999"),
        (1.234e6, "1.23e+06"), (1e-7, "1e-07"),
    ],
)  # fmt: skip
def test_numbers_have_three_digits_or_all_before_the_point(variance, text):
    # Two energies at mean +-s have the variance s^2.
    ripple = (variance * 1e-4) ** 0.5 * np.array([1.0, -1] * 3)
    runs = {Run("spring", "fast", 0): both(np.arange(NUM)[:, None] + ripple)}
    cell = cells_of(table2(runs, NOTHING, LABELS))["spring", "train"]["Fast model"]
    assert cell.split("; ")[0] == text


def test_published_variances_are_read_as_text(tmp_path):
    path = tmp_path / "published.csv"
    path.write_text(
        "# from the paper\nmodel,system,split,variance_x1e4\n"
        "hgn,orbit,train,N/A\nhgn,orbit,test,\nhgn,spring,train,28.30\n"
    )
    assert read_published_variances(path).to_dict("list") == {
        "model": ["hgn"] * 3, "system": ["orbit", "orbit", "spring"],
        "split": ["train", "test", "train"],
        "published_variance_x1e4": ["N/A", "", "28.30"],
    }  # fmt: skip


def test_a_column_that_is_missing_is_named(tmp_path):
    (tmp_path / "published.csv").write_text("model,system,split\nhgn,orbit,test\n")
    with pytest.raises(ValueError, match=r"published\.csv has no column variance_x1e4"):
        read_published_variances(tmp_path / "published.csv")
