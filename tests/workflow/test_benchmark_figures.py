"""The figures of the benchmarks say in words what is measured; nothing is timed."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from command_lines import load

from hgnpipe.reporting.plotting import figure_style

DRAW = load("draw")


@pytest.fixture(autouse=True)
def style():
    with figure_style():
        yield
    plt.close("all")


def growth(**powers):
    """Times that grow with these powers of what grows, from 8 on."""
    return pd.DataFrame(
        {"grows": grows.replace("_", " "), "what": "render mass_spring",
         "value": value, "seconds": 0.1 * value**power}
        for grows, power in powers.items()
        for value in (8.0, 16.0, 32.0)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("grows", "power", "said"),
    [
        ("frames", 1, "proportional"), ("image_size", 2, "as the square"),
        ("cores", -1, "inversely proportional"), ("parallel_jobs", 0, "constant"),
    ],
)  # fmt: skip
def test_the_line_to_compare_with_is_named(grows, power, said):
    (axes,) = DRAW.draw_scaling(growth(**{grows: power})).axes
    measured, reference = axes.get_lines()
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert names == ["render mass-spring", said]
    ends = measured.get_xydata()[[0, -1]]
    np.testing.assert_allclose(reference.get_xydata(), ends)
    assert axes.get_title() == grows.replace("_", " ")
    assert axes.get_xlabel() == "relative to the first (8)"


def test_many_curves_are_named_once_beside_the_panels():
    few = growth(frames=1, pairs=1, cores=-1)
    systems = [f"system_{number}" for number in range(DRAW.MOST_NAMED + 1)]
    many = pd.concat([growth(simulated=1).assign(what=name) for name in systems])
    *panels, names = DRAW.draw_scaling(pd.concat([many, few])).axes
    assert [panel.get_legend() is None for panel in panels] == [True, *[False] * 3]
    shown = [text.get_text() for text in names.get_legend().get_texts()]
    assert shown == [*(name.replace("_", "-") for name in systems), "proportional"]


@pytest.fixture
def speed():
    step = pd.DataFrame(
        {"variant": [*DRAW.STEPS, "batch"], "seconds": [4.0, 3.0, 2.0, 0.1],
         "peak_memory_mb": 100.0}
    )  # fmt: skip
    data = pd.DataFrame(
        {"system": "two_body", "stage": ["simulate", "render", "render"],
         "image_size": [0.0, 32.0, 64.0], "per_second": 10.0, "ms_each": [9, 0.2, 0.8]}
    )  # fmt: skip
    what = ["plan of the paper preset, 25 seeds", "start of fig06_mse_per_frame"]
    workflow = pd.DataFrame({"what": what, "jobs": [9.0, None], "seconds": [3.0, 1.0]})
    return DRAW.draw_speed(step, data, workflow)


def test_the_figure_of_speed_speaks_in_words(speed):
    labels = [text.get_text() for text in speed.findobj(plt.Text)]
    expected = {
        "as first written", "as it trains", "Fig. 6: MSE per frame", "two-body",
        "paper preset, 25\nseeds (9 jobs)", "32 × 32 pixels", "64 × 64 pixels",
    }  # fmt: skip
    assert expected <= {*labels}
    assert not any("_" in label for label in labels)


def test_every_panel_of_the_figure_of_speed_has_a_unit(speed):
    units = [axes.get_xlabel().split()[0] for axes in speed.findobj(plt.Axes)]
    assert units == ["seconds", "seconds", "trajectories", "milliseconds", "seconds"]


@pytest.mark.parametrize(
    ("what", "label"),
    [
        ("start of table1", "Table 1"), ("start of train_flow", "train flow"),
        ("start of fig13_integrators", "Fig. 13: integrators"),
    ],
)  # fmt: skip
def test_scripts_are_called_by_what_they_do(what, label):
    assert DRAW.script_label(what) == label
