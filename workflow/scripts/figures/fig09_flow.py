"""Rule fig09: a density that NHF has learned, its energies, and its motion."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from sklearn.neighbors import KernelDensity

from hgnpipe.data.points import PointSets, load_points
from hgnpipe.evaluation.portraits import Portrait, grid_of, load_portrait
from hgnpipe.reporting.plotting import WIDTH, figure_style, message, save_figure
from hgnpipe.runtime.command import run

BANDWIDTH, NUM_SAMPLES, GRID = 0.3, 1000, 80
"""Kernel density estimates of A.2: isotropic Gaussian kernel, and how many samples."""
NUM_PATHS = 250


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
    num_steps = len(portrait.steps)
    rows = max(2, num_steps)
    size = (WIDTH, 0.25 + 1.45 * rows)
    figure, axes = plt.subplots(rows, 5, figsize=size, squeeze=False)
    reach = portrait.position_range
    for ax, samples, title in (
        (axes[0, 0], data.test, "target"),
        (axes[1, 0], portrait.samples, label),
    ):
        draw_kde(ax, samples[:NUM_SAMPLES], reach)
        ax.set_title(title)
    ends = portrait.paths[:, -1]
    color = plt.get_cmap("hsv")((np.arctan2(ends[:, 1], ends[:, 0]) / (2 * np.pi)) % 1)
    for number, step in enumerate(portrait.steps):
        extra = f" of step {number + 1}" if num_steps > 1 else ""
        contours(axes[number, 1], step.kinetic, step.momentum_range)
        axes[number, 1].set_title(f"$K(p)${extra}")
        contours(axes[number, 2], step.potential, reach)
        mark(axes[number, 2], step.minima, data.modes)
        axes[number, 2].set_title(f"$V(q)${extra}")
        moves(axes[number, 3], portrait.paths[:, number : number + 2], color, reach)
        axes[number, 3].set_title(f"leapfrog step {number + 1}")
    style = {"s": 2, "lw": 0, "c": color[:NUM_SAMPLES]}
    axes[0, 4].scatter(*portrait.paths[:NUM_SAMPLES, 0].T, **style)
    axes[0, 4].set_title("prior")
    frame(axes[0, 4], max(reach, float(np.abs(portrait.paths[:, 0]).max())))
    moves(axes[1, 4], portrait.paths, color, reach)
    axes[1, 4].set_title("integrated flow")
    for ax in axes.flat:
        if not ax.has_data():
            ax.axis("off")
    return figure


def draw_kde(axes: Axes, samples: np.ndarray, reach: float) -> None:
    """Kernel density estimate as an image."""
    estimate = KernelDensity(bandwidth=BANDWIDTH).fit(samples)
    density = np.exp(estimate.score_samples(grid_of(reach, GRID)))
    extent = (-reach, reach, -reach, reach)
    axes.imshow(density.reshape(GRID, GRID), origin="lower", extent=extent)
    frame(axes, reach)


def contours(axes: Axes, energy: np.ndarray, reach: float) -> None:
    """Energy as filled contours, from its lowest value to its median square."""
    extent = (-reach, reach, -reach, reach)
    low, high = energy.min(), np.quantile(energy, 0.9)
    levels = np.linspace(low, max(high, low + 1e-9), 15)
    style = {"origin": "lower", "extent": extent, "extend": "max"}
    axes.contourf(energy, levels, cmap="magma", **style)
    frame(axes, reach)


def mark(axes: Axes, minima: np.ndarray, modes: np.ndarray) -> None:
    """Minima of the potential as dots, modes of the density as crosses."""
    axes.plot(*minima.T, "o", color="white", mec="black", mew=0.5, ms=3.5)
    axes.plot(*modes.T, "x", color="#56B4E9", ms=4, mew=1)


def moves(axes: Axes, paths: np.ndarray, color: np.ndarray, reach: float) -> None:
    """Straight lines from where positions start to where they end, marked by a dot."""
    lines = LineCollection(
        paths[:NUM_PATHS], colors=color[:NUM_PATHS], lw=0.3, alpha=0.6
    )
    axes.add_collection(lines)
    axes.scatter(*paths[:NUM_PATHS, -1].T, s=2, lw=0, c=color[:NUM_PATHS], zorder=3)
    frame(axes, reach)


def frame(axes: Axes, reach: float) -> None:
    """Square axes around the origin, with few ticks."""
    ticks = [-round(0.7 * reach), 0, round(0.7 * reach)]
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), box_aspect=1)
    axes.set(xticks=ticks, yticks=ticks)


if __name__ == "__main__":
    run(main)
