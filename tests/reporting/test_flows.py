import numpy as np
import pandas as pd
import pytest

from hgnpipe.reporting.flows import (
    layout_cost,
    layout_likelihood,
    layout_structure,
    read_costs,
    read_likelihood,
)

LABELS = {"target": "Target", "gaussian": "Gaussian"} | {
    "rnvp": "RNVP, 3 layers",
    "nhf": "NHF, 2 steps",
}
COLUMNS = ["density", "model", "seed", "measure", "value", "error"]


def likelihood(density, model, seed, nll, excess, bound, num_samples=0):
    """What the table says of the likelihood of one flow."""
    found = [
        ("nll", nll, 0.02), ("nll_bound", bound, 0.03),
        ("num_importance_samples", num_samples, np.nan),
    ]  # fmt: skip
    if excess is not None:
        found += [("excess", excess, 0.01), ("excess_bound", bound, 0.03)]
    return [(density, model, seed, *row) for row in found]


def of_the_map(density, model, seed, num_minima, share):
    """What the table says of the map of a flow with two steps."""
    found = {
        "log_volume_change": 2e-15, "inversion_error_float32": 3e-6,
        "inversion_error_float64": 4e-15, "num_minima_1": num_minima, "num_minima_2": 8,
        "modes_with_minimum_1": share, "modes_with_minimum_2": 1.0, "num_modes": 8,
    }  # fmt: skip
    return [(density, model, seed, *row, np.nan) for row in found.items()]


ROWS = {
    "nhf_0": likelihood("modes", "nhf", 0, 1.9, 0.2, 2.2, 1000)
    + of_the_map("modes", "nhf", 0, 2, 0.25),
    "nhf_1": likelihood("modes", "nhf", 1, 2.1, 0.4, 2.4, 1000)
    + of_the_map("modes", "nhf", 1, 4, 0.75),
    "mine": likelihood("modes", "mine", 0, 3.0, 1.3, 3.5, 10),
    "rnvp": likelihood("modes", "rnvp", 0, 1.8, 0.1, 1.8),
    "reference": [
        ("modes", "gaussian", None, "nll", 2.9, 0.05),
        ("modes", "gaussian", None, "excess", 1.2, 0.06),
        ("modes", "target", None, "nll", 1.7, 0.01),
    ],
    "table": likelihood("a_table", "rnvp", 0, -0.5, None, -0.5),
}


@pytest.fixture
def paths(tmp_path):
    """Tables as the rules write them, flows before references."""
    found = []
    for name, rows in ROWS.items():
        found.append(tmp_path / f"{name}.csv")
        pd.DataFrame(rows, columns=COLUMNS).to_csv(found[-1], index=False)
    return found


@pytest.fixture
def table(paths):
    return read_likelihood(paths, LABELS)


def entry(table, model, measure, density="modes"):
    (row,) = table.query(
        "model == @model and measure == @measure and density == @density"
    ).to_dict("records")
    return row


@pytest.mark.parametrize(
    ("model", "measure", "name", "expected"),
    [
        ("nhf", "nll", "value", 2.0), ("nhf", "nll", "num_seeds", 2),
        ("nhf", "nll", "error", 0.02), ("nhf", "nll", "seed_std", np.sqrt(0.02)),
        ("nhf", "num_minima_1", "value", 3), ("nhf", "excess", "value", 0.3),
        ("rnvp", "nll", "value", 1.8), ("rnvp", "nll", "num_seeds", 1),
        ("gaussian", "excess", "value", 1.2), ("gaussian", "nll", "num_seeds", 0),
        ("target", "nll", "error", 0.01),
    ],
)  # fmt: skip
def test_an_entry_is_the_mean_over_the_seeds(table, model, measure, name, expected):
    assert entry(table, model, measure)[name] == pytest.approx(expected)


@pytest.mark.parametrize("model", ["rnvp", "gaussian"])
def test_one_seed_or_none_has_no_spread_over_seeds(table, model):
    assert np.isnan(entry(table, model, "nll")["seed_std"])


def test_rows_come_in_the_order_of_densities_and_then_of_labels(table):
    order = table[["density", "model"]].drop_duplicates().itertuples(index=False)
    assert [tuple(row) for row in order] == [
        ("modes", "target"), ("modes", "gaussian"), ("modes", "rnvp"), ("modes", "nhf"),
        ("modes", "mine"), ("a_table", "rnvp"),
    ]  # fmt: skip


def test_measures_of_a_flow_keep_their_order(table):
    measures = table[table.model == "nhf"].measure.tolist()
    assert measures == [row[3] for row in ROWS["nhf_0"]]


def test_flows_are_called_by_their_labels_or_by_their_names(table):
    called = dict(zip(table.model, table.label, strict=True))
    assert called == {**LABELS, "mine": "mine"}


def test_the_table_has_these_columns_and_counts_its_rows(table):
    assert table.columns.tolist() == [
        "density", "model", "label", "measure", "num_seeds", "value", "error",
        "seed_std",
    ]  # fmt: skip
    assert table.index.tolist() == list(range(len(table)))


@pytest.mark.parametrize("column", COLUMNS)
def test_a_table_that_lacks_a_column_is_named(paths, column):
    pd.read_csv(paths[1]).drop(columns=column).to_csv(paths[1], index=False)
    message = f"^{paths[1]} has no column {column}.$"
    with pytest.raises(ValueError, match=message):
        read_likelihood(paths, LABELS)


def test_a_missing_table_is_named(paths, tmp_path):
    missing = tmp_path / "not_there.csv"
    with pytest.raises(ValueError, match=f"^{missing} is not a table of measures"):
        read_likelihood([*paths, missing], LABELS)


# Laid out


@pytest.mark.parametrize(
    ("label", "density", "expected"),
    [
        (
            "NHF, 2 steps", "modes",
            "2.000 ± 0.020 (K = 1000)\nexcess 0.300 ± 0.010\nseeds ± 0.141\n"
            "bound 2.300",
        ),
        (
            "mine", "modes",
            "3.000 ± 0.020 (K = 10)\nexcess 1.300 ± 0.010\nbound 3.500",
        ),
        ("RNVP, 3 layers", "modes", "1.800 ± 0.020\nexcess 0.100 ± 0.010"),
        ("RNVP, 3 layers", "a-table", "-0.500 ± 0.020"),
        ("Gaussian", "modes", "2.900 ± 0.050\nexcess 1.200 ± 0.060"),
        ("Target", "modes", "1.700 ± 0.010"),
        ("NHF, 2 steps", "a-table", "—"),
    ],
)  # fmt: skip
def test_a_cell_says_the_likelihood(table, label, density, expected):
    assert layout_likelihood(table).loc[label, density] == expected


@pytest.mark.parametrize(
    ("nll", "unjudged", "expected"),
    [
        ((2.5, 0.1), (0, 0), "2.500 ± 0.100 (K = 9)\nbound 3.000"),
        (
            (2.5, 0.1), (3, 4),
            "2.500 ± 0.100 (K = 9)\nbound 3.000\npoints not judged: 3\n"
            "not by the bound: 4",
        ),
        ((2.5, np.nan), (0, 0), "2.500 (one point) (K = 9)\nbound 3.000"),
        (
            (np.inf, np.nan), (20, 0),
            "not finite at any point (K = 9)\nbound 3.000\npoints not judged: 20",
        ),
    ],
)  # fmt: skip
def test_a_cell_says_how_many_points_have_no_density(tmp_path, nll, unjudged, expected):
    found = [
        ("nll", *nll), ("nll_bound", 3.0, 0.1), ("num_importance_samples", 9, np.nan),
        ("num_unjudged", unjudged[0], np.nan),
        ("num_unjudged_bound", unjudged[1], np.nan),
    ]  # fmt: skip
    path = tmp_path / "far.csv"
    table = pd.DataFrame([("wine", "nhf", 0, *row) for row in found], columns=COLUMNS)
    table.to_csv(path, index=False, na_rep="N/A")
    laid_out = layout_likelihood(read_likelihood([path], LABELS))
    assert laid_out.loc["NHF, 2 steps", "wine"] == expected


def test_an_inverse_without_a_number_is_said_in_words(tmp_path):
    path, found = tmp_path / "map.csv", of_the_map("modes", "nhf", 0, 2, 0.25)
    table = pd.DataFrame(found, columns=COLUMNS)
    table.loc[table.measure == "inversion_error_float32", "value"] = np.inf
    table.to_csv(path, index=False)
    laid_out = layout_structure(read_likelihood([path], LABELS))
    assert laid_out.loc["inverse, float32"].tolist() == ["not finite"]


def test_flows_go_down_and_densities_across(table):
    laid_out = layout_likelihood(table)
    assert laid_out.columns.tolist() == ["modes", "a-table"]
    assert laid_out.index.tolist() == [*LABELS.values(), "mine"]
    assert "nats" in laid_out.index.name


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("modes of the density", "8"),
        ("minima of V", "3, 8"),
        ("share of modes with a minimum", "0.5, 1"),
        ("change of log-volume", "2e-15"),
        ("inverse, float32", "3e-06"),
        ("inverse, float64", "4e-15"),
    ],
)
def test_the_structure_of_a_map_is_shown_step_by_step(table, row, expected):
    assert layout_structure(table).loc[row, "NHF, 2 steps on modes"] == expected


def test_only_flows_with_hamiltonians_have_a_structure(table):
    assert layout_structure(table).columns.tolist() == ["NHF, 2 steps on modes"]


def test_steps_are_shown_in_order_however_many_there_are(tmp_path):
    path = tmp_path / "many.csv"
    found = {"log_volume_change": 0.0, **{f"num_minima_{n}": n for n in range(1, 12)}}
    rows = [("modes", "nhf", 0, *row, np.nan) for row in found.items()]
    pd.DataFrame(rows, columns=COLUMNS).to_csv(path, index=False)
    laid_out = layout_structure(read_likelihood([path], LABELS))
    expected = ", ".join(str(number) for number in range(1, 12))
    assert laid_out.loc["minima of V"].tolist() == [expected]


def test_a_density_without_modes_leaves_its_cells_empty(tmp_path):
    path = tmp_path / "structure.csv"
    with_modes = of_the_map("modes", "nhf", 0, 2, 0.25)
    without = [
        row for row in of_the_map("rings", "nhf", 0, 3, 0) if "mode" not in row[3]
    ]
    pd.DataFrame(with_modes + without, columns=COLUMNS).to_csv(path, index=False)
    laid_out = layout_structure(read_likelihood([path], LABELS))
    column = laid_out["NHF, 2 steps on rings"]
    assert column["modes of the density"] == "—"
    assert column["share of modes with a minimum"] == "—"
    assert column["minima of V"] == "3, 8"


def test_nothing_to_say_of_maps_makes_a_table_without_rows(table):
    laid_out = layout_structure(table[table.model == "rnvp"])
    assert laid_out.shape == (0, 0)


# Costs


@pytest.fixture
def costs(tmp_path):
    path = tmp_path / "costs.csv"
    rows = [
        ("nhf", "training step", 12.3456, 2.5), ("nhf", "density, K", 1234.5, np.nan),
        ("rnvp", "training step", 4.93824, 1.0), ("mine", "training step", 0.5, 0.1012),
    ]  # fmt: skip
    columns = ["model", "task", "milliseconds", "ratio_to_rnvp"]
    pd.DataFrame(rows, columns=columns).to_csv(path, index=False)
    return path


@pytest.mark.parametrize(
    ("label", "task", "expected"),
    [
        ("NHF, 2 steps", "training step", "12.3 ms (x 2.5)"),
        ("RNVP, 3 layers", "training step", "4.94 ms (x 1)"),
        ("mine", "training step", "0.5 ms (x 0.1)"),
        ("NHF, 2 steps", "density, K", "1.23e+03 ms"),
        ("mine", "density, K", "—"),
    ],
)
def test_a_cell_says_the_time_and_its_ratio(costs, label, task, expected):
    assert layout_cost(read_costs(costs), LABELS).loc[label, task] == expected


def test_the_table_of_costs_says_what_its_ratios_are_to(costs):
    laid_out = layout_cost(read_costs(costs), LABELS)
    assert "RNVP, 3 layers" in laid_out.index.name
    assert laid_out.index.tolist() == ["NHF, 2 steps", "RNVP, 3 layers", "mine"]


@pytest.mark.parametrize("column", ["model", "task", "milliseconds"])
def test_costs_that_lack_a_column_are_named(costs, column):
    pd.read_csv(costs).drop(columns=column).to_csv(costs, index=False)
    with pytest.raises(ValueError, match=f"^{costs} has no column {column}.$"):
        read_costs(costs)
