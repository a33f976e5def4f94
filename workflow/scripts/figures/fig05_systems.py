"""Rule fig05: the energy of every system, motions on it, and samples of the videos."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import Normal, Stroke

from hgnpipe.collection import require
from hgnpipe.data.simulation import true_energy
from hgnpipe.data.videos import Simulated, Videos, load_trajectories, open_videos
from hgnpipe.reporting.plotting import (
    DASHES,
    WIDTH,
    draw_energy,
    figure_style,
    message,
    save_figure,
)
from hgnpipe.reporting.runs import system_label, system_of
from hgnpipe.runtime.command import run

NUM_MOTIONS, GRID = 6, 201
ROWS, COLUMNS = 2, 3
"""How the frames of one video are laid out."""
NUMBER = {"fontsize": 6, "ha": "center", "textcoords": "offset points", "zorder": 4}
"""Style of the number of a body, above its place."""
OUTLINED = [Stroke(linewidth=2.2, foreground="white"), Normal()]


def main(
    trajectories: list[Path], videos: list[Path], example: int, output: list[Path]
) -> None:
    """Draw Fig. 5.

    Args:
        trajectories: Trajectories of each system, HDF5.
        videos: Their videos, in the same order.
        example: Which of the videos to show.
        output: Files to write, in the formats that their names ask for.
    """
    data = {}
    for source, path in zip(trajectories, videos, strict=True):
        simulated = load_trajectories(source)
        num = len(simulated.trajectories.q)
        require(0 <= example < num, "example", example, f"less than {num}")
        shown = open_videos(path, example + 1)
        data[system_label(system_of(source))] = simulated, shown
    with figure_style():
        save_figure(draw(data, example), output)


def draw(data: dict[str, tuple[Simulated, Videos]], example: int) -> Figure:
    """A column per system: energy above, frames below."""
    if not data:
        return message("no system to show")
    figure = plt.figure(figsize=(WIDTH / 4 * len(data), 3.4))
    grid = figure.add_gridspec(2, len(data), height_ratios=[1.85, 1.55])
    for column, (name, (simulated, videos)) in enumerate(data.items()):
        axes = figure.add_subplot(grid[0, column], box_aspect=1, title=name)
        if simulated.system.num_moving == 1:
            phase_space(axes, simulated, example)
        else:
            plane(axes, simulated, example)
        gap = [0.3, *[1] * COLUMNS]  # between one system and the next
        cells = grid[1, column].subgridspec(ROWS, COLUMNS + 1, width_ratios=gap)
        places = [(row, 1 + c) for row in range(ROWS) for c in range(COLUMNS)]
        shown = [figure.add_subplot(cells[place]) for place in places]
        show_frames(shown, videos, example)
        number_bodies(shown[0], simulated, videos, example)
    return figure


def phase_space(axes: Axes, simulated: Simulated, example: int) -> None:
    """Energy over position and momentum, and the first motions.

    Where constants vary, every motion has an energy of its own: one motion is drawn.
    """
    system, (_, q, p, *_) = simulated.system, simulated.trajectories
    shown = slice(example, example + 1) if system.varies else slice(NUM_MOTIONS)
    q, p = q[shown], p[shown]
    x, y = (1.2 * np.abs(v[..., 0]).max() * np.linspace(-1, 1, GRID) for v in (q, p))
    states = [np.tile(v[0, 0], (GRID, GRID, 1)) for v in (q, p)]
    for values, grid in zip(states, np.meshgrid(x, y), strict=True):
        values[..., 0] = grid
    label = "energy $H$ of this motion" if system.varies else "energy $H$"
    draw_energy(axes, x, y, true_energy(system, *states), label)
    for one_q, one_p in zip(q, p, strict=True):
        (color,) = system.colors_of(one_q[0])
        draw_path(axes, one_q[:, 0], one_p[:, 0], color)
    axes.set(xlabel="position $q$", ylabel="momentum $p$")


def plane(axes: Axes, simulated: Simulated, example: int) -> None:
    """Energy over the first two coordinates, the others as they start; one motion.

    Where positions are points of the plane, that is the energy of moving the first
    body, and the paths are those of all bodies.
    """
    system = simulated.system
    q, p = simulated.trajectories.q[example], simulated.trajectories.p[example]
    seen = in_plane(simulated, example)
    paths = system.bodies(q).swapaxes(0, 1) if seen else q[None, :, :2]
    reach = 1.6 * np.abs(paths).max()
    x = np.linspace(-reach, reach, GRID)
    states = np.tile(q[0], (GRID, GRID, 1))
    states[..., 0], states[..., 1] = np.meshgrid(x, x)
    energy = true_energy(system, states, np.tile(p[0], (GRID, GRID, 1)))
    place = ", body 1 at $(x, y)$" if seen else " at $(q_1, q_2)$"
    draw_energy(axes, x, x, energy, f"energy $H${place}")
    colors = system.colors_of(q[0])
    for number, path in enumerate(paths):
        color = colors[number % len(colors)]
        # Orbits can coincide, and not everybody sees how their colours differ.
        draw_path(axes, *path.T, color, DASHES[number % len(DASHES)])
        if seen:
            style = {"color": "black", "path_effects": OUTLINED, **NUMBER}
            axes.annotate(f"{number + 1}", path[0], (0, 4.5), **style)
    axes.set(xlabel="$x$" if seen else "$q_1$", ylabel="$y$" if seen else "$q_2$")


def in_plane(simulated: Simulated, example: int) -> bool:
    """Whether the coordinates of a system are the places of its bodies."""
    system, q = simulated.system, simulated.trajectories.q[example]
    flat, moving = system.bodies(q).reshape(len(q), -1), system.moving(q)
    return flat.shape == moving.shape and np.allclose(flat, moving)


def draw_path(
    axes: Axes,
    x: np.ndarray,
    y: np.ndarray,
    color: tuple[int, int, int],
    dashes: str | tuple = "-",
) -> None:
    """One path; a dot where it starts."""
    rgb = tuple(part / 255 for part in color)
    axes.plot(x, y, linestyle=dashes, color=rgb, path_effects=OUTLINED)
    start = {"markersize": 4.5, "markeredgecolor": "white", "zorder": 3}
    axes.plot(x[:1], y[:1], "o", color=rgb, **start)


def show_frames(cells: list[Axes], videos: Videos, example: int) -> None:
    """Frames of one video from first to last, with their times."""
    frames = videos.frames[example]
    chosen = np.unique(np.linspace(0, len(frames) - 1, len(cells)).round().astype(int))
    for axes in cells:
        axes.axis("off")
    for axes, frame in zip(cells, chosen, strict=False):
        axes.imshow(frames[frame])
        text = f"$t={frame * videos.frame_dt:.3g}$"
        axes.set_title(text, fontsize=6, pad=1.5)


def number_bodies(
    axes: Axes, simulated: Simulated, videos: Videos, example: int
) -> None:
    """Number the bodies in the first frame; one alone needs no number."""
    system, size = simulated.system, videos.frames.shape[2]
    places = system.bodies(simulated.trajectories.q[example, :1])[0]
    if len(places) == 1:
        return
    for number, (x, y) in enumerate(places, start=1):
        column, row = ((value / system.view + 1) / 2 * size - 0.5 for value in (x, -y))
        axes.annotate(f"{number}", (column, row), (0, 2.5), color="white", **NUMBER)


if __name__ == "__main__":
    run(main)
