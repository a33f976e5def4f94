"""Rule fig14: motions that HNN and a perceptron learned from states, and PixelHNN's."""

from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hgnpipe.evaluation.kept import Filmed, Followed, load_filmed, load_followed
from hgnpipe.reporting.hnn_check import LABELS
from hgnpipe.reporting.plotting import (
    COLORS,
    DASHES,
    REFERENCES,
    add_legend,
    columns_width,
    figure_style,
    log_scale,
    save_figure,
)
from hgnpipe.reporting.runs import system_label, system_of
from hgnpipe.reporting.strips import film_strips
from hgnpipe.runtime.command import run

STYLES = {
    "true": {"color": "0.6", "linewidth": 3.0, "zorder": 1},
    "mlp": {"color": COLORS[1], "linestyle": DASHES[1], "linewidth": 0.9},
    "hnn": {"color": COLORS[0], "linestyle": DASHES[0]},
    "pixelhnn": {"color": COLORS[2], "linestyle": DASHES[0]},
    "mean_image": REFERENCES["mean_image"],
}
NAMES = {**LABELS, "true": "true motion"}
PICTURES = 4


def main(states: list[Path], pixels: list[Path], output: list[Path]) -> None:
    """Draw Fig. 14.

    Args:
        states: Motions of every system, ``.../{system}/...``, from rule check_hnn.
        pixels: A video and its rollout, likewise, from rule check_pixelhnn.
        output: Files to write, in the formats that their names ask for.
    """
    followed = {system_of(path): load_followed(path) for path in states}
    filmed = {system_of(path): load_filmed(path) for path in pixels}
    with figure_style():
        save_figure(draw(followed, filmed), output)


def draw(
    states: dict[str, tuple[dict[str, Followed], np.ndarray]], films: dict[str, Filmed]
) -> Figure:
    """A column for each system: a motion above, what is conserved below."""
    num = len(states) + len(films)
    figure, panels = plt.subplots(
        2, num, figsize=(columns_width(num), 4.2), squeeze=False
    )
    handles: dict[str, Artist] = {}
    for (system, (motions, t)), column in zip(states.items(), panels.T, strict=False):
        column[0].set_title(f"{system_label(system)},\nfrom states")
        handles |= draw_motion(column[0], motions)
        draw_energy_change(column[1], motions, t)
    for (system, film), column in zip(
        films.items(), panels.T[len(states) :], strict=True
    ):
        column[0].set_title(f"{system_label(system)},\nfrom pixels")
        draw_film(column[0], film)
        handles |= draw_errors(column[1], film)
    panels[1, 0].set_ylabel("change of true energy\n/ its standard deviation")
    add_legend(figure, handles)
    return figure


def draw_motion(axes: Axes, motions: dict[str, Followed]) -> dict[str, Artist]:
    """The first motion: its phase portrait, or the paths of its bodies in the plane."""
    handles = {}
    for name, style in STYLES.items():
        if name in motions:
            for x, y in curves(motions[name].states[0]):
                (handles[NAMES[name]],) = axes.plot(x, y, **style)
                end = {"color": style["color"], "markersize": 3 + 2 * (name == "true")}
                axes.plot(x[-1], y[-1], "o", zorder=4, **end)
    one = motions["true"].states.shape[2] == 2
    words = ("position $q$", "momentum $p$") if one else ("$x$", "$y$")
    axes.set(xlabel=words[0], ylabel=words[1])
    axes.set_aspect("equal", adjustable="datalim")
    return handles


def curves(states: np.ndarray) -> list[np.ndarray]:
    """Curves ``(2, T)`` of one motion ``(T, 2n)``: q and p, or x and y of each body."""
    if states.shape[1] == 2:
        return [states.T]
    q = states[:, : states.shape[1] // 2].T
    return [*q.reshape(-1, 2, len(states))]


def draw_energy_change(axes: Axes, motions: dict[str, Followed], t: np.ndarray) -> None:
    """Change of the true energy along learned motions, mean over all, without scale."""
    scale = motions["true"].energy[:, 0].std()
    for name in ("hnn", "mlp"):
        energy = motions[name].energy
        change = np.abs(energy - energy[:, :1]).mean(axis=0) / scale
        axes.plot(t[1:], change[1:], **STYLES[name])
    axes.set_xlabel("time")
    log_scale(axes)


def draw_film(axes: Axes, film: Filmed) -> None:
    """A few frames of a video, and of the rollout below them."""
    num_frames, size = film.observed.shape[:2]
    every = max(1, (num_frames - 1) // (PICTURES - 1))
    strips = [("true", film.observed), ("PixelHNN", film.predicted)]
    film_strips(axes, strips, every, size, num_frames)
    axes.set_xlabel("frame")


def draw_errors(axes: Axes, film: Filmed) -> dict[str, Artist]:
    """Error of each frame, mean over the test videos."""
    handles = {}
    for name, course in {"pixelhnn": film.mse, "mean_image": film.mean_image}.items():
        (handles[NAMES[name]],) = axes.plot(1e4 * course, **STYLES[name])
    axes.set(xlabel="frame", ylabel=r"MSE $\times 10^4$")
    log_scale(axes)
    return handles


if __name__ == "__main__":
    run(main)
