"""How every figure looks: fonts, colours and names come from here.

Colours are those of Okabe and Ito, which people with any colour vision can tell apart;
models differ in dashes too, so that they survive a black and white printer.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from hgnpipe.files.whole import written_whole

REFERENCES = {
    "mean_image": {"color": "0.45", "linestyle": (0, (6, 2)), "linewidth": 1.0},
    "noise_floor": {"color": "0.45", "linestyle": (0, (1, 1.5)), "linewidth": 1.2},
}
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", (0, (4, 1.5)), (0, (5, 1, 1, 1)), (0, (2, 1)), (0, (7, 1, 1, 1, 1, 1)))

WIDTH = 7.0
"""Width of a figure in inches: a page of text."""

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
    """Draw in the style of this project; no window is opened."""
    matplotlib.use("agg")
    with matplotlib.rc_context(STYLE):
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


def system_label(name: str) -> str:
    """How figures call a system: ``two_body`` is two-body, as in the paper."""
    return name.replace("_", "-")


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


def save_figure(figure: Figure, paths: Iterable[str | Path]) -> None:
    """Write a figure in the formats that the names ask for; equal input, equal bytes.

    Raises:
        ValueError: If a file cannot be written or its format is unknown.
    """
    dates = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}
    for path in map(Path, paths):
        kind = path.suffix.removeprefix(".")
        with written_whole(path) as temporary:
            figure.savefig(
                temporary, format=kind, metadata=dates.get(kind, {"Software": None})
            )
    plt.close(figure)
