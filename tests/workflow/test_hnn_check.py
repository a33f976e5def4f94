"""What Fig. 14 and the table of the check of HNN show."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from command_lines import load

from hgnpipe.evaluation.kept import Filmed, Followed
from hgnpipe.reporting.hnn_check import LABELS
from hgnpipe.reporting.measures import layout_measures, read_measures

matplotlib.use("agg")
DRAW = load("fig14_hnn_check").draw
T = np.arange(5.0)


def followed(seed, coordinates):
    rng = np.random.default_rng(seed)
    return Followed(rng.normal(size=(3, 5, 2 * coordinates)), rng.random((3, 5)))


@pytest.fixture
def states():
    return {
        name: ({m: followed(i, n) for i, m in enumerate(("true", "hnn", "mlp"))}, T)
        for name, n in {"spring": 1, "two_body": 4}.items()
    }


@pytest.fixture
def film():
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (2, 5, 8, 8, 3), np.uint8)
    return Filmed(*frames, np.linspace(1e-4, 2e-4, 5), np.full(5, 9e-4))


@pytest.fixture
def panels(states, film):
    figure = DRAW(states, {"small": film})
    yield np.array(figure.axes).reshape(2, 3)
    plt.close(figure)


def lines(axes):
    """Curves of a panel by their colour; dots at their ends are left out."""
    found = {}
    for line in axes.lines:
        if len(line.get_xdata()) > 1:
            found.setdefault(line.get_color(), []).append(line.get_xydata())
    return found


def test_a_motion_is_a_phase_portrait_or_the_paths_of_its_bodies(panels, states):
    portrait, paths = (lines(axes) for axes in panels[0, :2])
    for color, name in zip(portrait, ("true", "mlp", "hnn"), strict=True):
        motion = states["spring"][0][name].states[0]
        np.testing.assert_array_equal(portrait[color], [motion])
        q = states["two_body"][0][name].states[0, :, :4]
        np.testing.assert_array_equal(paths[color], [q[:, :2], q[:, 2:]])


def test_the_change_of_the_energy_is_relative_to_its_spread(panels, states):
    motions = states["spring"][0]
    found = [curve for curves in lines(panels[1, 0]).values() for curve in curves]
    for curve, name in zip(found, ("hnn", "mlp"), strict=True):
        energy = motions[name].energy
        change = np.abs(energy[:, 1:] - energy[:, :1]).mean(axis=0)
        expected = change / motions["true"].energy[:, 0].std()
        np.testing.assert_allclose(curve, np.stack([T[1:], expected], axis=1))


def test_errors_of_pixels_stand_beside_those_of_the_mean_image(panels):
    model, mean_image = (curves[0] for curves in lines(panels[1, 2]).values())
    np.testing.assert_allclose(model[:, 1], np.linspace(1, 2, 5))
    np.testing.assert_allclose(mean_image[:, 1], 9)


def test_the_table_has_its_measures_in_words_and_seeds_in_one_cell(tmp_path):
    rows = [
        ("spring", model, seed, measure, value, 0.5, 3)
        for model, seed, value in (("mlp", 0, 4.0), ("hnn", 0, 1.0), ("hnn", 1, 3.0))
        for measure in ("true_energy_drift_30", "state_mse_30", "rate_mse")
    ]
    names = ["system", "model", "seed", "measure", "value", "spread", "num"]
    pd.DataFrame(rows, columns=names).to_csv(tmp_path / "states.csv", index=False)
    table = layout_measures(read_measures([tmp_path / "states.csv"], LABELS))["spring"]
    assert list(table.columns) == ["HNN", "MLP"]
    assert list(table.index) == [
        "MSE of the time derivatives", "MSE of the states, 30 steps",
        "drift of the true energy, 30 steps",
    ]  # fmt: skip
    assert set(table.HNN) == {"2 ± 0.5 (seeds ± 1.41)"}
