"""Rule fig09: a density that NHF has learned, its energies, and its motion."""

from collections.abc import Iterable
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from sklearn.neighbors import KernelDensity

from hgnpipe.data.points import PointSets, load_points
from hgnpipe.evaluation.kept import Portrait, grid_of, load_portrait
from hgnpipe.reporting.plotting import (
    WIDTH,
    add_legend,
    figure_style,
    message,
    save_figure,
)
from hgnpipe.runtime.command import run

BANDWIDTH, NUM_SAMPLES, GRID = 0.3, 1000, 80
"""Kernel density estimates of A.2: isotropic Gaussian kernel, and how many samples."""
NUM_PATHS = 250
MINIMUM = {
    **{"marker": "o", "linestyle": "none", "color": "white", "markersize": 3.5},
    **{"markeredgecolor": "black", "markeredgewidth": 0.5},
}
MODE = {
    **{"marker": "x", "linestyle": "none", "color": "#56B4E9", "markersize": 4},
    "markeredgewidth": 1,
}
PATH = {"linestyle": "-", "linewidth": 0.5}


def main(points: Path, portrait: list[Path], label: str, output: list[Path]) -> None:
    """Draw Fig. 9 for one density.

    Args:
        points: Points of the density.
        portrait: Portrait of the flow; none if it was not trained.
        label: Name of the flow.
        output: Files to write, in the formats that their names ask for.
    """
    data, _ = load_points(points)
    shown = load_portrait(portrait[0]) if portrait else None
    with figure_style():
        save_figure(draw(data, shown, label), output)


def draw(data: PointSets, portrait: Portrait | None, label: str) -> Figure:
    """Densities, energies, one step and the whole flow; a row per flow step."""
    if portrait is None:
        return message(f"{label}: not in this preset or not trained yet")
    rows = max(2, len(portrait.steps))
    size = (WIDTH, 0.3 + 1.9 * rows)
    figure, axes = plt.subplots(rows, 5, figsize=size, squeeze=False)
    reach = portrait.position_range
    samples = {"target": data.test, label: portrait.samples}
    draw_densities(axes[:2, 0], samples, reach)
    draw_energies(axes[:, 1:3], portrait, data.modes)
    ends = portrait.paths[:, -1]
    color = plt.get_cmap("hsv")((np.arctan2(ends[:, 1], ends[:, 0]) / (2 * np.pi)) % 1)
    for number, ax in enumerate(axes[: len(portrait.steps), 3]):
        moves(ax, portrait.paths[:, number : number + 2], color, reach)
        ax.set_title(f"leapfrog step {number + 1}")
    starts = portrait.paths[:NUM_SAMPLES, 0]
    axes[0, 4].scatter(*starts.T, s=2, lw=0, c=color[:NUM_SAMPLES])
    axes[0, 4].set_title("prior")
    frame(axes[0, 4], reach, starts)
    moves(axes[1, 4], portrait.paths, color, reach)
    axes[1, 4].set_title("integrated flow")
    for ax in axes.flat:
        if not ax.has_data():
            ax.axis("off")
    if portrait.steps:
        add_legend(figure, explained(len(data.modes) > 0))
    return figure


def draw_densities(
    panels: Iterable[Axes], samples: dict[str, np.ndarray], reach: float
) -> None:
    """Kernel density estimates as images, by title, with the same colours."""
    panels = list(panels)
    grid, extent = grid_of(reach, GRID), (-reach, reach, -reach, reach)
    estimates = []
    for points in samples.values():
        estimate = KernelDensity(bandwidth=BANDWIDTH).fit(points[:NUM_SAMPLES])
        density = np.exp(estimate.score_samples(grid))
        estimates.append(density.reshape(GRID, GRID))
    limits = {"vmin": 0, "vmax": np.max(estimates)}
    for axes, density, title in zip(panels, estimates, samples, strict=True):
        image = axes.imshow(density, origin="lower", extent=extent, **limits)
        axes.set_title(title)
        frame(axes, reach)
        colour_bar(axes, image, [0, limits["vmax"]], "density")


def draw_energies(panels: np.ndarray, portrait: Portrait, modes: np.ndarray) -> None:
    """K and V of every step; the panels of K have the same limits."""
    reach, steps = portrait.position_range, portrait.steps
    widest = max([step.momentum_range for step in steps], default=0.0)
    for number, (step, (left, right)) in enumerate(zip(steps, panels, strict=False)):
        extra = f" of step {number + 1}" if len(steps) > 1 else ""
        contours(left, step.kinetic, step.momentum_range, "energy $K$")
        left.set_title(f"$K(p)${extra}")
        frame(left, widest, name="p")
        contours(right, step.potential, reach, "energy $V$")
        mark(right, step.minima, modes)
        right.set_title(f"$V(q)${extra}")
        frame(right, reach)


def contours(axes: Axes, energy: np.ndarray, reach: float, name: str) -> None:
    """Energy as filled contours, from its lowest value to what nine tenths are below.

    The arrow at the end of the colour bar says that it goes beyond.
    """
    x = np.linspace(-reach, reach, len(energy))
    low, high = energy.min(), np.quantile(energy, 0.9)
    levels = np.linspace(low, max(high, low + 1e-9), 15)
    filled = axes.contourf(x, x, energy, levels, cmap="magma", extend="max")
    filled.set_edgecolor("face")
    colour_bar(axes, filled, levels[[0, -1]], name)


def colour_bar(
    axes: Axes, drawn: ScalarMappable, ends: Iterable[float], name: str
) -> None:
    """Below a panel, with the name of what it shows and its ends."""
    ends = [float(end) for end in ends]
    place = axes.inset_axes((0, -0.4, 1, 0.06))  # all panels of a row stay in line
    bar = axes.figure.colorbar(drawn, cax=place, orientation="horizontal")
    texts = [f"{end:.2g}".replace("-", "\N{MINUS SIGN}") for end in ends]
    bar.set_ticks(ends, labels=texts)
    bar.ax.set_xlabel(name, fontsize=7, labelpad=-7)


def mark(axes: Axes, minima: np.ndarray, modes: np.ndarray) -> None:
    """Minima of the potential as dots, modes of the density as crosses."""
    axes.plot(*minima.T, **MINIMUM)
    axes.plot(*modes.T, **MODE)


def explained(with_modes: bool) -> dict[str, Artist]:
    """Entries of the legend."""
    entries = {
        "minimum of $V$": MINIMUM,
        "mode of the target": MODE,
        "a path, and where it ends": {**PATH, "color": "0.4", "marker": "."},
    }
    if not with_modes:
        del entries["mode of the target"]
    handles = {}
    for name, style in entries.items():
        handles[name] = plt.Line2D([], [], **{"linestyle": "none", **style})
    return handles


def moves(axes: Axes, paths: np.ndarray, color: np.ndarray, reach: float) -> None:
    """Straight lines from where positions start to where they end, marked by a dot."""
    paths, color = paths[:NUM_PATHS], color[:NUM_PATHS]
    axes.add_collection(LineCollection(paths, colors=color, alpha=0.6, **PATH))
    axes.scatter(*paths[:, -1].T, s=2, lw=0, c=color, zorder=3)
    frame(axes, reach, paths[:, -1])


def frame(
    axes: Axes, reach: float, dots: np.ndarray | None = None, name: str = "q"
) -> None:
    """Square axes around the origin with few ticks; says how many dots lie outside."""
    ticks = [-round(0.7 * reach), 0, round(0.7 * reach)]
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), box_aspect=1)
    axes.set(xticks=ticks, yticks=ticks)
    axes.set_xlabel(f"${name}_1$", labelpad=0)
    axes.set_ylabel(f"${name}_2$", labelpad=-2)
    if dots is not None and (outside := (np.abs(dots) > reach).any(axis=1).sum()):
        axes.set_xlabel(f"$q_1$\n{outside} of {len(dots)} outside", fontsize=7)


if __name__ == "__main__":
    run(main)
