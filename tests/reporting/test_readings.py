"""The table of readings: a row per model, the baseline first."""

import numpy as np
import pandas as pd
import pytest

from hgnpipe.reporting.readings import layout_readings, readings

LABELS = {"joint": "joint", "base": "as printed", "late": "last frame"}


@pytest.fixture
def measures():
    """Two seeds of three models on two systems."""
    rows = [
        (system, model, label, seed, measure, value + seed)
        for system in ("pendulum", "two_body")
        for number, (model, label) in enumerate(LABELS.items())
        for seed in (0, 1)
        for measure, value in {
            "skill_beyond_120": 10 * number,
            "skill_beyond_30": 100 * number,
            "speed_mse_x1e4": 7.0,
            "mse_window_x1e4": number,
            **({"symetric": 0.5} if model != "late" else {}),
        }.items()
    ]
    columns = ["system", "model", "label", "seed", "measure", "value"]
    return pd.DataFrame(rows, columns=columns).assign(spread=np.nan, num=1)


def test_there_is_a_row_per_system_and_model_and_the_baseline_comes_first(measures):
    table = readings(measures, "base")
    assert list(table.model) == 2 * ["base", "joint", "late"]
    assert list(table.system) == 3 * ["pendulum"] + 3 * ["two_body"]
    assert (table.num_seeds == 2).all()


def test_measures_are_means_over_the_seeds_with_their_spread(measures):
    row = readings(measures, "base").set_index(["system", "model"]).loc["pendulum"]
    assert row.skill_beyond_30["late"] == 200.5
    assert row.skill_beyond_30_std["late"] == pytest.approx(0.5**0.5)
    assert np.isnan(row.symetric["late"])


def test_columns_are_those_of_the_table_from_near_to_far(measures):
    names = [c for c in readings(measures, "base").columns if c.endswith("_std")]
    expected = ["mse_window_x1e4", "skill_beyond_30", "skill_beyond_120", "symetric"]
    assert names == [f"{name}_std" for name in expected]


def test_the_pages_have_a_table_per_system(measures):
    pages = layout_readings(readings(measures, "base"))
    assert list(pages) == ["pendulum", "two-body"]
    page = pages["pendulum"]
    assert list(page.index) == ["as printed", "joint", "last frame"]
    assert page.loc["joint", "skill, 120 beyond"] == "0.5\nseeds ± 0.707"
    assert page.loc["last frame", "SyMetric"] == "N/A"


def test_without_a_second_seed_no_spread_is_said(measures):
    one = layout_readings(readings(measures[measures.seed == 0], "base"))["pendulum"]
    assert one.loc["last frame", "MSE shown x1e4"] == "2"
