"""Rule draw_benchmarks: measurements of speed, and how time grows, as two figures."""

import re
import textwrap
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from hgnpipe.reporting.plotting import (
    COLORS,
    WIDTH,
    figure_style,
    model_styles,
    save_figure,
)
from hgnpipe.reporting.runs import system_label
from hgnpipe.runtime.command import run

STEPS = {
    "naive": "as first written",
    "naive_tuned": "the same, memory\nlaid out better",
    "fast": "as it trains",
}
PLANS = "plan of the "
IDEAL = {"cores": -1, "parallel jobs": 0, "image size": 2}
"""Exponent of growth that one hopes for; 1, time in proportion, where not listed."""
SLOPES = {
    -1: "inversely proportional", 0: "constant", 1: "proportional", 2: "as the square",
}  # fmt: skip
REFERENCE = {"color": "0.7", "linewidth": 0.8, "zorder": 1}
LEGEND = {"fontsize": 6, "handlelength": 1.8}
COLUMNS = 3
MOST_NAMED = 6
"""Curves whose names have room in their own panel."""


def main(
    step: Path,
    data: Path,
    workflow: Path,
    scaling: Path,
    speed_figure: list[Path],
    scaling_figure: list[Path],
) -> None:
    """Draw the tables of the benchmark rules.

    Args:
        step: Table of rule benchmark_step.
        data: Table of rule benchmark_data.
        workflow: Table of rule benchmark_workflow.
        scaling: Table of rule benchmark_scaling.
        speed_figure: Files to write: steps, data, starts of scripts.
        scaling_figure: Files to write: growth of time, one thing at a time.
    """
    with figure_style():
        figure = draw_speed(*map(pd.read_csv, (step, data, workflow)))
        save_figure(figure, speed_figure)
        save_figure(draw_scaling(pd.read_csv(scaling)), scaling_figure)


def draw_speed(
    step: pd.DataFrame, data: pd.DataFrame, workflow: pd.DataFrame
) -> Figure:
    """Bars of everything that is measured at one size."""
    starts = workflow[workflow.what.str.startswith("start of ")]
    plans = workflow.drop(starts.index)
    figure = plt.figure(figsize=(WIDTH, max(6.6, 0.13 * len(starts) + 1.2)))
    left, right = figure.subfigures(1, 2)
    axes = left.subplots(4, 1, gridspec_kw={"height_ratios": [3, 2, 4, 4]})
    draw_steps(axes[0], step)
    names = [
        textwrap.fill(f"{row.what.removeprefix(PLANS)} ({row.jobs:.0f} jobs)", 20)
        for row in plans.itertuples()
    ]
    bars(axes[1], names, plans.seconds)
    axes[1].set(title="planning what to run (snakemake -n)", xlabel="seconds")
    simulated = data[data.stage == "simulate"]
    bars(axes[2], simulated.system.map(system_label), simulated.per_second)
    axes[2].set(title="simulation", xlabel="trajectories per second, on one core")
    drawn = data[data.stage == "render"]
    for number, (size, part) in enumerate(drawn.groupby("image_size")):
        place = {"shift": 0.4 * number - 0.2, "height": 0.38, "color": COLORS[number]}
        names = part.system.map(system_label)
        bars(
            axes[3],
            names,
            part.ms_each,
            label=f"{size:.0f} × {size:.0f} pixels",
            **place,
        )
    axes[3].set(title="rendering", xlabel="milliseconds per video, on one core")
    axes[3].set_xlim(0, 1.6 * drawn.ms_each.max())  # room for the legend
    axes[3].legend()
    ordered = starts.sort_values("seconds", ascending=False)
    panel = right.subplots()
    bars(panel, ordered.what.map(script_label), ordered.seconds)
    panel.set(title="what each script takes to start", xlabel="seconds")
    panel.tick_params(axis="y", labelsize=5.5)
    return figure


def draw_steps(axes: Axes, step: pd.DataFrame) -> None:
    """Bars of what a training step costs, with their numbers beside them."""
    shown = step.set_index("variant").loc[list(STEPS)]
    bars(axes, list(STEPS.values()), shown.seconds)
    for y, row in enumerate(shown.itertuples()):
        cost = f"  {row.seconds:.2f} s, {row.peak_memory_mb:.0f} MB"
        axes.text(row.seconds, y, cost, va="center", fontsize=6.5)
    axes.set(title="training step of HGN: time, most memory")
    axes.set(xlabel="seconds", xlim=(0, 1.6 * shown.seconds.max()))


def script_label(what: str) -> str:
    """What a script does, in words: ``start of fig05_systems`` is Fig. 5: systems."""
    name = what.removeprefix("start of ")
    if number := re.match(r"fig(\d+)_", name):
        name = f"Fig. {int(number[1])}: {name[number.end() :]}"
    name = re.sub(r"^table(\d+)", r"Table \1", name)
    return name.replace("_", " ").replace("mse", "MSE")


def bars(
    axes: Axes,
    names: list[str] | pd.Series,
    values: pd.Series,
    shift: float = 0.0,
    height: float = 0.7,
    color: str = COLORS[0],
    label: str | None = None,
) -> None:
    """Horizontal bars from top to bottom."""
    places = np.arange(len(values))
    axes.barh(places + shift, values, height=height, color=color, label=label)
    axes.set_yticks(places, names)
    axes.set_ylim(len(values) - 0.5, -0.5)


def draw_scaling(table: pd.DataFrame) -> Figure:
    """A panel for each thing that grows; both axes logarithmic."""
    groups = list(table.groupby("grows", sort=False))
    crowded = table.groupby("grows").what.nunique().max() > MOST_NAMED
    rows = -(-(len(groups) + crowded) // COLUMNS)  # the last place is for names
    figure, axes = plt.subplots(
        rows, COLUMNS, figsize=(WIDTH, 2.2 * rows), squeeze=False
    )
    names = {}
    for panel, (grows, group) in zip(axes.flat, groups, strict=False):
        styles = model_styles(group.what)
        for what, curve in group.groupby("what", sort=False):
            factor = curve.value / curve.value.iloc[0]
            grown = curve.seconds / curve.seconds.iloc[0]
            style = {"marker": "o", "markersize": 2.5, **styles[what]}
            panel.plot(factor, grown, label=system_label(what), **style)
        ends, power = np.array([1.0, max(factor)]), IDEAL.get(grows, 1)
        panel.plot(ends, ends**power, label=SLOPES[power], **REFERENCE)
        first = group.value.iloc[0] if group.what.nunique() == 1 else None
        panel.set(xscale="log", yscale="log", title=grows)
        value = "" if first is None else f" ({first:g})"
        panel.set_xlabel(f"relative to the first{value}")
        for axis in (panel.xaxis, panel.yaxis):
            axis.set_major_locator(FixedLocator([2.0**i for i in range(-4, 9)]))
            axis.set_minor_locator(NullLocator())
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        if group.what.nunique() <= MOST_NAMED:
            panel.legend(**LEGEND)
            continue
        lines, labels = panel.get_legend_handles_labels()
        names |= dict(zip(labels, lines, strict=True))
    for panel in axes[:, 0]:
        panel.set_ylabel("time, relative to the first")
    free = [*axes.flat[len(groups) :]]
    if names:
        last, title = free.pop(), "where no names are given"
        last.axis("off")
        last.legend(names.values(), names.keys(), loc="center", title=title, **LEGEND)
    for panel in free:
        panel.remove()
    return figure


if __name__ == "__main__":
    run(main)
