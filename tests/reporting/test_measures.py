import numpy as np
import pandas as pd
import pytest

from hgnpipe.reporting.measures import MEASURES, layout_measures, read_measures

LABELS = {"slow": "Slow model", "fast": "Fast model", "mean_image": "mean image"}


def table_of(*rows):
    columns = ["system", "model", "seed", "measure", "value", "spread", "num"]
    return pd.DataFrame(rows, columns=columns)


@pytest.fixture
def read(tmp_path):
    """Write rows to a file for each system, model and seed, and read them again."""

    def read(*rows, labels=LABELS, systems=()):
        paths = []
        groups = table_of(*rows).groupby(["system", "model", "seed"], sort=False)
        for number, (_, group) in enumerate(groups):
            paths.append(tmp_path / f"{number}.csv")
            group.to_csv(paths[-1], index=False)
        return read_measures(paths, labels, systems)

    return read


def cell(read, *values, spreads=None, num=5, measure="valid_steps"):
    """What the table says of a model whose seeds have these values."""
    spreads = spreads or [np.nan] * len(values)
    rows = [
        ("spring", "fast", seed, measure, value, spread, num)
        for seed, (value, spread) in enumerate(zip(values, spreads, strict=True))
    ]
    return layout_measures(read(*rows))["spring"].iloc[0, 0]


def test_measures_are_read_with_their_labels(read):
    rows = [("spring", "fast", 0, "valid_steps", 3.5, 1.5, 10),
            ("spring", "fast", 0, "latents", 48.0, np.nan, 1)]  # fmt: skip
    table = read(*rows)
    assert table.columns.to_list() == [
        "system", "model", "label", "seed", "measure", "value", "spread", "num",
    ]  # fmt: skip
    assert set(table.label) == {"Fast model"}
    pd.testing.assert_frame_equal(table.drop(columns="label"), table_of(*rows))


def test_rows_are_in_the_order_of_systems_labels_and_seeds(read):
    keys = [("spring", "mine", 0), ("spring", "fast", 1), ("orbit", "slow", 0),
            ("spring", "slow", 0), ("spring", "fast", 0),
            ("spring", "mean_image", 0)]  # fmt: skip
    table = read(*((*key, "valid_steps", 1.0, 1.0, 5) for key in keys))
    assert table[["system", "model", "seed"]].to_numpy().tolist() == [
        ["spring", "slow", 0], ["spring", "fast", 0], ["spring", "fast", 1],
        ["spring", "mean_image", 0], ["spring", "mine", 0], ["orbit", "slow", 0],
    ]  # fmt: skip


def test_systems_are_in_the_order_of_the_preset_and_called_as_in_figures(read):
    keys = [(s, "fast", 0) for s in ("two_body", "mass_spring", "other")]
    rows = [(*key, "valid_steps", 1.0, 1.0, 5) for key in keys]
    table = read(*rows, systems=["mass_spring", "two_body"])
    assert list(layout_measures(table)) == ["mass-spring", "two-body", "other"]


def test_a_model_without_a_label_is_called_by_its_name(read):
    table = read(("spring", "mine", 0, "valid_steps", 1.0, 1.0, 5))
    assert table.label.to_list() == ["mine"]


@pytest.mark.parametrize("content", [None, "", "system,model,seed\na,b,0\n"])
def test_a_file_that_is_no_table_of_measures_is_named(tmp_path, content):
    path = tmp_path / "measures.csv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ValueError, match=r"measures\.csv"):
        read_measures([path], LABELS)


def test_each_system_has_a_table_with_measures_down_and_models_across(read):
    keys = [(s, m) for s in ("spring", "orbit") for m in ("fast", "slow")]
    names = ["valid_steps", "mse_window_x1e4"]
    rows = [(*key, 0, name, 1.0, 1.0, 5) for key in keys for name in names]
    tables = layout_measures(read(*rows))
    assert list(tables) == ["spring", "orbit"]
    for table in tables.values():
        assert list(table.columns) == ["Slow model", "Fast model"]
        assert list(table.index) == [
            "MSE of the frames shown x1e4", "valid steps beyond",
        ]  # fmt: skip
        assert table.index.name == "measure"


def test_measures_are_in_the_order_in_which_they_are_explained(read):
    names = [name for name, text in MEASURES.items() if "{}" not in text]
    rows = [("spring", "fast", 0, name, 1.0, 1.0, 5) for name in reversed(names)]
    table = layout_measures(read(*rows))["spring"]
    found = [name.removesuffix(" x1e4") for name in table.index]
    assert found == [MEASURES[name] for name in names]


def test_horizons_are_in_the_order_of_their_numbers(read):
    names = [f"mse_beyond_{n}_x1e4" for n in (120, 30, 6, 60)]
    names += ["mse_before_30_x1e4", "mse_window_x1e4", "skill_beyond_30"]
    rows = [("spring", "fast", 0, name, 1.0, 1.0, 5) for name in names]
    assert list(layout_measures(read(*rows))["spring"].index) == [
        "MSE of the frames shown x1e4",
        *(f"MSE of the {n} frames beyond x1e4" for n in (6, 30, 60, 120)),
        "MSE of the 30 frames before x1e4",
        "skill of the 30 frames beyond",
    ]


@pytest.mark.parametrize(
    "name", ["luck", "luck_x1e4", "mse_beyond_hope_x1e4", "{luck}"]
)
def test_unknown_measures_are_kept_at_the_end(read, name):
    names = [name, "symetric_all_deviation", "mse_window_x1e4"]
    rows = [("spring", "fast", 0, name, 1.0, 1.0, 5) for name in names]
    index = layout_measures(read(*rows))["spring"].index
    assert len(index) == 3 and index[-1] == name


def test_what_a_model_has_not_stays_empty(read):
    table = layout_measures(
        read(
            ("spring", "fast", 0, "valid_steps", 1.0, 1.0, 5),
            ("spring", "slow", 0, "latents", 48.0, np.nan, 1),
        )
    )["spring"]
    assert table.to_dict("index") == {
        "valid steps beyond": {"Slow model": "", "Fast model": "1 ± 1"},
        "latent dimensions": {"Slow model": "48", "Fast model": ""},
    }


def test_a_system_has_only_columns_of_the_models_that_were_run_on_it(read):
    tables = layout_measures(
        read(
            ("spring", "fast", 0, "valid_steps", 1.0, 1.0, 5),
            ("orbit", "slow", 0, "valid_steps", 1.0, 1.0, 5),
        )
    )
    assert {name: list(table.columns) for name, table in tables.items()} == {
        "spring": ["Fast model"], "orbit": ["Slow model"],
    }  # fmt: skip


def test_a_single_value_has_no_spread(read):
    assert cell(read, 48.0, num=1) == "48"


def test_a_cell_says_the_mean_over_seeds_and_both_spreads(read):
    assert cell(read, 2.0, 4.0, spreads=[0.5, 1.0]) == "3 ± 0.75 (seeds ± 1.41)"


def test_a_measure_that_is_not_defined_is_called_so(read):
    assert cell(read, np.nan) == "not defined"
    assert cell(read, np.inf, spreads=[np.nan]) == "not defined"
    assert cell(read, np.nan, np.nan) == "not defined"


def test_seeds_where_it_is_not_defined_are_counted(read):
    text = cell(read, np.nan, 2.0, 4.0, spreads=[np.nan, 0.5, 1.0])
    assert text == "3 ± 0.75 (seeds ± 1.41) (1 of 3 seeds not defined)"
    assert cell(read, 2.0, np.inf) == "2 (1 of 2 seeds not defined)"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (1.0, "1"), (31.0, "31"), (0.25, "0.25"), (0.999, "0.999"),
        (12.345, "12.3"), (-0.5, "-0.5"), (0.0123, "0.0123"), (-3e-6, "-3e-06"),
        (123456.7, "1.23e+05"), (1e7, "1e+07"), (9999.0, "9999"), (-1234.5, "-1234"),
    ],
)  # fmt: skip
def test_numbers_are_short(read, value, text):
    assert cell(read, value) == text
