"""How every figure looks: fonts, colours and names come from here.

Colours are those of Okabe and Ito, which people with any colour vision can tell apart;
models differ in dashes too, so that they survive a black and white printer.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from hgnpipe.files.whole import written_whole
from hgnpipe.reporting.runs import preset_of, system_label

REFERENCES = {
    "mean_image": {"color": "0.45", "linestyle": (0, (6, 2)), "linewidth": 1.0},
    "noise_floor": {"color": "0.45", "linestyle": (0, (1, 1.5)), "linewidth": 1.2},
    "true_video": {"color": "0.45", "linestyle": "-", "linewidth": 0.7},
}
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", (0, (4, 1.5)), (0, (5, 1, 1, 1)), (0, (2, 1)), (0, (7, 1, 1, 1, 1, 1)))

WIDTH = 7.0
"""Width of a figure in inches: a page of text."""
LEGEND_COLUMNS = 5
"""Most entries of a legend that fit on a line."""

STYLE = {
    "figure.constrained_layout.use": True,
    "figure.figsize": (WIDTH, 2.4),
    "savefig.dpi": 200,
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "lines.linewidth": 1.3,
    "pdf.fonttype": 42,
    "svg.hashsalt": "hgnpipe",
}


@contextmanager
def figure_style() -> Iterator[None]:
    """Draw in the style of this project, whatever the user's own; open no window."""
    matplotlib.use("agg")
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


def model_styles(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Line style of every model, the same in all figures.

    Args:
        names: Names of the models in the order of the tables; the order decides.
    """
    models = dict.fromkeys(name for name in names if name not in REFERENCES)
    styles = {
        name: {
            "color": COLORS[number % len(COLORS)],
            "linestyle": DASHES[number % len(DASHES)],
        }
        for number, name in enumerate(models)
    }
    return styles | REFERENCES


def columns_width(num: int) -> float:
    """Width in inches of a figure with ``num`` columns, of which four fill a page."""
    return WIDTH * max(num, 4) / 4


def log_scale(axes: Axes) -> None:
    """Make y logarithmic, with a few ticks that read as plain numbers.

    Call it when everything is drawn: where the ticks go depends on the range.
    """
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    if high < 8 * low:
        locator = MaxNLocator(5, steps=[1, 2, 5, 10])
    elif high < 80 * low:
        locator = LogLocator(subs=(1, 2, 5))
    else:
        locator = LogLocator(subs=(1, 3) if high < 2000 * low else (1,), numticks=5)
    axes.yaxis.set_major_locator(locator)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_locator(NullLocator())


def say(axes: Axes, text: str) -> None:
    """Write in the middle of a panel why there is nothing to see."""
    style = {"ha": "center", "va": "center", "color": "0.4", "zorder": 4}
    paper = {"facecolor": "white", "edgecolor": "none", "pad": 2}
    axes.text(0.5, 0.5, text, transform=axes.transAxes, bbox=paper, **style)


def message(text: str) -> Figure:
    """A figure that only says why there is nothing to see."""
    figure, axes = plt.subplots(figsize=(WIDTH, 1))
    axes.axis("off")
    axes.text(0.5, 0.5, text, ha="center", va="center")
    return figure


def system_panels(
    figure: FigureBase, systems: Collection[str], rows: int = 1, **shared: str | bool
) -> np.ndarray:
    """Panels of shape ``(rows, systems)``; the name of the system is above each column.

    Args:
        figure: Where to draw.
        systems: Names of the systems.
        rows: Number of rows.
        shared: Which panels share their axes, as for `Figure.subplots`.
    """
    panels = figure.subplots(rows, len(systems), squeeze=False, **shared)
    for axes, system in zip(panels[0], systems, strict=True):
        axes.set_title(system_label(system))
    return panels


def add_legend(
    figure: FigureBase, handles: Mapping[str, Artist], side: str = "lower", **style: Any
) -> None:
    """Legend above or below all panels.

    Args:
        figure: Where to draw.
        handles: What is explained, by its text.
        side: upper or lower.
        style: What is to be different, as for `Figure.legend`.
    """
    rows = -(-len(handles) // LEGEND_COLUMNS)
    columns = -(-len(handles) // max(rows, 1))
    usual = {"loc": f"outside {side} center", "ncols": columns, "handlelength": 3}
    figure.legend(handles.values(), handles.keys(), **{**usual, **style})


def draw_seeds(
    axes: Axes, courses: pd.DataFrame, alpha: float = 0.25, **style: Any
) -> list[Artist]:
    """Mean over the seeds, and their range.

    Args:
        axes: Where to draw; its x axis is the index of the table.
        courses: A column for each seed.
        alpha: Opacity of the band.
        style: Style of the line.

    Returns:
        The line; and a band from the lowest to the highest, if there are several seeds.
    """
    (line,) = axes.plot(courses.mean(axis=1), **style)
    if len(courses.columns) == 1:
        return [line]
    ends, color = (courses.min(axis=1), courses.max(axis=1)), line.get_color()
    return [
        line,
        axes.fill_between(courses.index, *ends, color=color, alpha=alpha, lw=0),
    ]


def draw_energy(
    axes: Axes,
    x: Float[np.ndarray, " X"],
    y: Float[np.ndarray, " Y"],
    energy: Float[np.ndarray, "Y X"],
    name: str = "energy $H$",
) -> None:
    """Filled contours with a colour bar; what is extreme near a pole is clipped.

    Args:
        axes: Where to draw.
        x: Where the columns are.
        y: Where the rows are.
        energy: The energy there, dimensionless.
        name: What it is the energy of; stands above the colour bar.
    """
    finite = energy[np.isfinite(energy)]
    low, high = np.percentile(finite, [5, 95])
    margin = high - low
    ends = max(finite.min(), low - margin), min(finite.max(), high + margin)
    levels = MaxNLocator(12).tick_values(*ends)
    beyond = (finite.min() < levels[0]) + 2 * (finite.max() > levels[-1])
    extend = ("neither", "min", "max", "both")[beyond]
    filled = axes.contourf(x, y, energy, levels, cmap="viridis", extend=extend)
    filled.set_edgecolor("face")
    bar = axes.figure.colorbar(filled, ax=axes, location="bottom", aspect=15)
    bar.ax.set_title(name, fontsize=7, pad=2)
    ticks = MaxNLocator(3).tick_values(levels[0], levels[-1])
    bar.set_ticks(ticks[(ticks >= levels[0]) & (ticks <= levels[-1])])


def say_preset(figure: Figure, preset: str) -> None:
    """Name the preset below everything else."""
    if engine := figure.get_layout_engine():
        below = 0.1 / figure.get_figheight()
        engine.set(rect=(0, below, 1, 1 - below))
    style = {"fontsize": 5, "color": "0.5", "ha": "right", "va": "bottom"}
    figure.text(0.998, 0.002, f"{preset} preset", **style)


def save_figure(figure: Figure, paths: Iterable[str | Path]) -> None:
    """Write a figure in the formats that the names ask for; equal input, equal bytes.

    One that is written among the results of a preset says so in its lower right corner.

    Raises:
        ValueError: If a file cannot be written or its format is unknown.
    """
    paths = [*map(Path, paths)]
    if preset := preset_of(paths[0]):
        say_preset(figure, preset)
    dates = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}
    for path in paths:
        kind = path.suffix.removeprefix(".")
        with written_whole(path) as temporary:
            figure.savefig(
                temporary, format=kind, metadata=dates.get(kind, {"Software": None})
            )
    plt.close(figure)
