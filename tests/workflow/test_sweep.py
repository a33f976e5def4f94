"""The example of the page about sweeps: what is planned, and what is made of errors."""

import itertools
import re
import shutil

import numpy as np
import pandas as pd
import pytest
import yaml
from command_lines import load, script
from pipeline import REPOSITORY, copy_sources, shown, snakemake

PAGE = REPOSITORY / "docs/howto/sweep.md"
VALUES = (5e-4, 1e-3, 2e-3, 4e-3)
SYSTEMS = ["mass_spring", "pendulum"]
LABELS = {"mine": "Mine", "mean_image": "mean image", "noise_floor": "noise floor"}


def example():
    return re.search(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)[1]


def rows_of(**options):
    """Rows of a sweep, by name."""
    return {
        "mine." + ",".join(f"{o}={v}" for o, v in zip(options, values, strict=True)):
            dict(zip(options, values, strict=True))
        for values in itertools.product(*options.values())
    }  # fmt: skip


RATES = rows_of(learning_rate=VALUES)


def error_of(row, seed):
    """Made-up error of a run: lowest at a learning rate of 0.002."""
    off = abs(np.log(row.get("learning_rate", 1e-3) / 2e-3))
    return 1e-3 * (1 + off) * row.get("batch_size", 1) + 1e-5 * seed


@pytest.fixture
def errors(tmp_path):
    """Tables of errors as rules evaluate and evaluate_references write them."""

    def write(rows, seeds=(0, 1)):
        paths = []
        for system in SYSTEMS:
            means = {(row, seed): error_of(v, seed) for row, v in rows.items()
                     for seed in seeds}  # fmt: skip
            levels = {("mean_image", 0): 6e-3, ("noise_floor", 0): 5e-4}
            for (model, seed), mse in {**means, **levels}.items():
                path = tmp_path / system / model / f"seed{seed}.csv"
                path.parent.mkdir(parents=True, exist_ok=True)
                table = pd.DataFrame(
                    {"system": system, "model": model, "seed": seed, "kl": 1.0,
                     "split": split, "trajectory": number, "mse": mse + 1e-4 * number,
                     "mse_clean": mse}
                    for split in ("train", "test") for number in (-1, 1)
                )  # fmt: skip
                table.to_csv(path, index=False)
                paths.append(path)
        return paths

    return write


@pytest.fixture
def table(errors, tmp_path):
    """What rule sweep makes, and the files."""

    def make(rows, paths=None):
        output = [tmp_path / f"sweep_mine.{kind}" for kind in ("csv", "md", "html")]
        script("sweep")(
            errors(rows) if paths is None else paths,
            rows, LABELS, SYSTEMS, "mine", "rates", output,
        )  # fmt: skip
        return pd.read_csv(output[0], keep_default_na=False), output

    return make


@pytest.mark.slow
def test_the_example_of_the_page_is_planned_row_by_row(tmp_path):
    project = copy_sources(tmp_path / "project")
    (project / "rates.yaml").write_text(example(), "utf-8")
    plan = snakemake(project, "-n", "--configfile", "rates.yaml", preset="rates")
    text = shown(plan)
    assert plan.returncode == 0, text
    count = dict(re.findall(r"^(\w+) +(\d+)$", text, re.MULTILINE))
    assert count["train"] == "5"
    assert count["sweep"] == count["fig16"] == "1"
    assert "runs/mass_spring/hgn_vector.learning_rate=0.0005/seed0/errors.csv" in text
    wrong = snakemake(project, "-n", "results/rates/tables/sweep_hnn.csv",
                      "--configfile", "rates.yaml", preset="rates")  # fmt: skip
    assert "Unknown sweep 'hnn' of preset 'rates'. Known: hgn_vector." in shown(wrong)
    shutil.rmtree(project)


def test_the_table_has_a_row_for_each_value_and_the_references(table):
    found, (_, markdown, html) = table(RATES)
    assert set(found.preset) == {"rates"} and "published" not in found
    test = found[(found.system == "pendulum") & (found.split == "test")]
    assert test.model.tolist() == [*RATES, "mean_image", "noise_floor"]
    assert test.learning_rate.tolist() == ["0.0005", "0.001", "0.002", "0.004", "", ""]
    expected = [1e4 * (error_of(v, 0) + error_of(v, 1)) / 2 for v in RATES.values()]
    np.testing.assert_allclose(
        test.mse_x1e4.astype(float)[: len(VALUES)], expected, rtol=1e-4
    )
    assert "learning_rate = 0.002" in markdown.read_text("utf-8")
    assert "Sweep of Mine, rates preset" in html.read_text("utf-8")


def lines_of(axes):
    return {line.get_label(): line for line in axes.get_lines()
            if not line.get_label().startswith("_")}  # fmt: skip


def draw(table, rows, **changes):
    module = load("fig16_sweep")
    path = table(rows, **changes)[1][0]
    read = module.read_table(path, "a sweep", module.NEEDED).query("split == 'test'")
    figure = module.draw(read, rows, SYSTEMS)
    figure.draw_without_rendering()
    return figure


def test_the_figure_has_a_line_for_each_system_and_the_mean_image(table):
    figure = draw(table, {**RATES, **rows_of(learning_rate=(5e-3,))})
    assert figure.get_suptitle() == "mine"
    (axes,) = figure.axes
    assert axes.get_xscale() == "log" and axes.get_yscale() == "log"
    ticks = [tick.get_text() for tick in axes.get_xticklabels()]
    assert ticks == ["0.0005", "0.001", "0.002", "0.004", "0.005"]
    lines = lines_of(axes)
    assert [*lines] == ["mass-spring", "pendulum"]
    x, y = lines["pendulum"].get_data()
    np.testing.assert_allclose(x, [*VALUES, 5e-3])
    assert np.argmin(y) == 2
    (legend,) = axes.figure.legends
    assert [text.get_text() for text in legend.get_texts()][-1] == "mean image"


def test_of_two_options_each_has_a_panel_that_joins_the_lowest_errors(table):
    rows = rows_of(learning_rate=VALUES, batch_size=(1, 2))
    left, right = draw(table, rows).axes
    assert [axes.get_xlabel() for axes in (left, right)] == [
        "learning_rate", "batch_size",
    ]  # fmt: skip
    assert right.get_xscale() == "linear"
    _, y = lines_of(right)["pendulum"].get_data()
    np.testing.assert_allclose(y, [10 * (1 + 0.005), 20.05], rtol=1e-3)


def test_words_stand_side_by_side(table):
    rows = {f"mine.integrator={w}": {"integrator": w} for w in ("leapfrog", "euler")}
    (axes,) = draw(table, rows).axes
    ticks = {tick.get_position()[0]: tick.get_text() for tick in axes.get_xticklabels()}
    assert ticks == {0.0: "leapfrog", 1.0: "euler"}


def test_what_was_not_run_is_said(table, errors):
    none = [path for path in errors(RATES) if "mine" not in str(path)]
    (axes,) = draw(table, RATES, paths=none).axes
    assert [text.get_text() for text in axes.texts] == ["not run"]


def test_the_example_is_what_the_schema_takes():
    preset = yaml.safe_load(example())["presets"]["rates"]
    sweep = preset["training"]["hgn_vector"]["learning_rate"]
    assert sweep == {"sweep": [*VALUES, 8e-3]}
