"""What Fig. 15 shows: errors, KL and samples against kappa."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from command_lines import load

from hgnpipe.reporting.plotting import figure_style

MODULE = load("fig15_kappa")
KAPPAS = {"mine": 3e-4, "tight": 2.6e-4, "loose": 6e-4}
LABELS = {"mine": "My HGN", "tight": "Small kappa", "loose": "Large kappa"}
SYSTEMS = ["pendulum", "two_body"]
LINES = ["frames shown", "30 frames before", "30 frames beyond", "120 frames beyond"]
TITLES = ["rollouts", "posterior", "energies of samples", "sharpness of samples"]


@pytest.fixture(autouse=True)
def style():
    with figure_style():
        yield
    plt.close("all")


def values_of(kappa, seed):
    """Made-up measures of a run; all of them known functions of kappa and seed."""
    return {
        "skill_beyond_120": 1 - 900 * kappa - 0.02 * seed,
        "skill_beyond_30": 1 - 300 * kappa,
        "skill_window": 1 - 100 * kappa,
        "skill_before_30": 1 - 200 * kappa,
        "mse_window_x1e4": 9.0,
        "sample_energy_distance": 1e-4 / kappa + 0.1 * seed,
        "inferred_energy_distance": 0.1,
        "sample_nearest_x1e4": 1e4 * kappa,
        "true_nearest_x1e4": 1.5,
    }


def kl_of(kappa, seed):
    return 3e-3 / kappa + seed


@pytest.fixture
def files(tmp_path):
    """Tables of two seeds of every model on every system, where the rules put them."""
    for system in SYSTEMS:
        for model, kappa in KAPPAS.items():
            for seed in (0, 1):
                run = tmp_path / system / model / f"seed{seed}"
                run.mkdir(parents=True)
                names = {"system": system, "model": model, "seed": seed}
                measures = values_of(kappa, seed).items()
                rows = [{**names, "measure": m, "value": v} for m, v in measures]
                table = pd.DataFrame(rows).assign(spread=0.0, num=3)
                table.to_csv(run / "dynamics.csv", index=False)
                kl = kl_of(kappa, seed)
                rows = [
                    {**names, "split": split, "trajectory": n, "mse": 1e-3,
                     "mse_clean": 1e-3, "kl": (kl if split == "test" else 99) + n - 1}
                    for split in ("train", "test")
                    for n in range(3)
                ]  # fmt: skip
                pd.DataFrame(rows).to_csv(run / "errors.csv", index=False)
    return tmp_path


def arguments(files, runs="*/*/*"):
    return {
        "measures": sorted(files.glob(f"{runs}/dynamics.csv")),
        "errors": sorted(files.glob(f"{runs}/errors.csv")),
        "kappas": dict.fromkeys(SYSTEMS, KAPPAS), "labels": LABELS,
    }  # fmt: skip


def draw(files, runs="*/*/*", edit=None, **changes):
    """Figure of some runs, whose table may be edited, and its panels."""
    given = {**arguments(files, runs), **changes}
    table = MODULE.read(given["measures"], given["errors"])
    table = edit(table) if edit else table
    figure = MODULE.draw(table, given["kappas"], given["labels"])
    figure.draw_without_rendering()
    return figure, np.array(figure.axes).reshape(-1, 4)


def line(axes, name):
    """Kappas times 1e4 and values of the line of this name."""
    (found,) = (one for one in axes.get_lines() if one.get_label() == name)
    return np.asarray(found.get_xdata(), float), np.asarray(found.get_ydata(), float)


def names(axes):
    labels = (one.get_label() for one in axes.get_lines())
    return [label for label in labels if not label.startswith("_")]


def said(axes):
    return [text.get_text() for text in axes.texts]


def legend_of(figure):
    return {text.get_text() for one in figure.legends for text in one.get_texts()}


def test_a_row_for_each_system_and_a_column_for_each_question(files):
    figure, panels = draw(files)
    assert panels.shape == (2, 4)
    assert [axes.get_title() for axes in panels[0]] == TITLES
    assert [axes.get_title() for axes in panels[1]] == [""] * 4
    for row, system in zip(panels, ("pendulum", "two-body"), strict=True):
        assert row[0].get_ylabel() == f"{system}\nMSE / mean image's"
        assert [names(axes) for axes in row] == [
            LINES, ["KL"], ["samples", "true videos"], ["samples", "true videos"],
        ]  # fmt: skip
        assert [axes.get_yscale() for axes in row] == ["log", *["linear"] * 3]
        assert [said(axes) for axes in row] == [[]] * 4
    assert legend_of(figure) == {*LINES, "samples", "true videos"}


def test_kappas_are_the_ticks_of_logarithmic_axes(files):
    for axes in draw(files)[1].flat:
        assert axes.get_xscale() == "log"
        assert [tick.get_text() for tick in axes.get_xticklabels()] == ["2.6", "3", "6"]
        assert axes.get_xlabel() == "$\\kappa\\times\\,10^4$"


def test_lines_are_means_over_the_seeds_in_the_order_of_kappa(files):
    kappas = np.sort(list(KAPPAS.values()))
    for rollouts, posterior, energies, sharpness in draw(files)[1]:
        for axes, name, expected in (
            (rollouts, "frames shown", 100 * kappas),
            (rollouts, "30 frames before", 200 * kappas),
            (rollouts, "30 frames beyond", 300 * kappas),
            (rollouts, "120 frames beyond", 900 * kappas + 0.01),
            (posterior, "KL", kl_of(kappas, 0.5)),
            (energies, "samples", 1e-4 / kappas + 0.05),
            (energies, "true videos", [0.1] * 3),
            (sharpness, "samples", 1e4 * kappas),
            (sharpness, "true videos", [1.5] * 3),
        ):
            x, y = line(axes, name)
            np.testing.assert_allclose(x, 1e4 * kappas)
            np.testing.assert_allclose(y, expected)


def test_points_are_single_seeds_inside_of_the_panel(files):
    for axes in draw(files)[1][:, 1]:
        (points,) = (one for one in axes.get_lines() if one.get_marker() == "o")
        expected = [(1e4 * k, kl_of(k, s)) for k in KAPPAS.values() for s in (0, 1)]
        np.testing.assert_allclose(
            sorted(points.get_xydata().tolist()), sorted(expected)
        )
        assert axes.get_ylim()[0] == 0 and axes.get_ylim()[1] > max(expected)[1]


def test_lines_of_rollouts_can_be_told_apart_in_black_and_white(files):
    drawn = draw(files)[1][0, 0].get_lines()
    lines = [one for one in drawn if one.get_label() in LINES]
    assert len({one.get_color() for one in lines}) == len(LINES)
    assert len({str(one._dash_pattern) for one in lines}) == len(LINES)


def test_the_files_have_the_same_bytes_each_time(files, tmp_path):
    written = [[tmp_path / name / "1.pdf", tmp_path / name / "1.png"] for name in "ab"]
    for output in written:
        MODULE.main(**arguments(files), output=output)
    assert written[0][0].read_bytes().startswith(b"%PDF")
    for one, two in zip(*written, strict=True):
        assert one.read_bytes() == two.read_bytes()


def test_without_any_run_every_panel_says_so(files):
    _, panels = draw(files, "none")
    assert [said(axes) for axes in panels.flat] == [["not run"]] * 8


def test_without_models_that_differ_in_kappa_the_figure_says_so():
    figure = MODULE.draw(MODULE.read([], []), {}, {})
    (text,) = (text.get_text() for text in figure.axes[0].texts)
    assert text == "no models of this preset differ in kappa alone"


def test_a_system_without_runs_says_so_beside_the_other(files):
    _, panels = draw(files, "pendulum/*/*")
    assert [said(axes) for axes in panels[0]] == [[]] * 4
    assert [said(axes) for axes in panels[1]] == [["not run"]] * 4


def test_a_model_that_was_not_run_is_named_and_its_kappa_stays_empty(files):
    _, panels = draw(files, "*/[mt]*/*")
    for row in panels:
        label = row[0].get_xlabel().replace("\n", " ")
        assert label.endswith("not run: Large kappa")
        assert all("not run" not in axes.get_xlabel() for axes in row[1:])
        np.testing.assert_allclose(line(row[1], "KL")[0], [2.6, 3])
        assert row[1].get_xticklabels()[-1].get_text() == "6"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_measure_that_is_not_finite_is_counted_and_left_out(files, value):
    def edit(table):
        wild = (table.model == "loose") & (table.seed == 1)
        return table.assign(kl=table.kl.mask(wild, value))

    for row in draw(files, edit=edit)[1]:
        remark = row[1].get_xlabel().partition("\n")[2].replace("\n", " ")
        assert remark == "not defined: 1 of 6 runs"
        assert line(row[1], "KL")[1][-1] == pytest.approx(kl_of(6e-4, 0))
        assert all("not defined" not in row[n].get_xlabel() for n in (0, 2, 3))


def test_measures_that_no_run_has_are_said_in_their_panels(files):
    def edit(table):
        return table[["system", "model", "seed", "kl"]]

    figure, panels = draw(files, edit=edit)
    for row in panels:
        assert [said(axes) for axes in row] == [
            ["not defined"], [], ["not defined"], ["not defined"],
        ]  # fmt: skip
    assert legend_of(figure) == set()


def test_a_run_with_one_table_of_two_shows_what_that_has(files):
    every = arguments(files)["measures"]
    _, panels = draw(files, measures=every, errors=[])
    for row in panels:
        assert said(row[1]) == ["not defined"] and said(row[0]) == []
    _, panels = draw(files, measures=[])
    assert said(panels[0, 0]) == ["not defined"] and said(panels[0, 1]) == []


def test_horizons_are_those_that_were_measured():
    names = ["skill", "skill_beyond_9", "skill_beyond_30", "skilful_steps", "kl"]
    assert MODULE.rollouts(names).lines == {
        "9 frames beyond": "skill_beyond_9", "30 frames beyond": "skill_beyond_30",
    }  # fmt: skip


def test_a_label_is_drawn_as_it_is_written(files):
    label = "<b> f_psi & 'a'"
    _, panels = draw(files, "*/[mt]*/*", labels={**LABELS, "loose": label})
    assert label in panels[0, 0].get_xlabel().replace("\n", " ")
