"""Rule fig13: what a symplectic integrator keeps, and one leapfrog step."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hgnpipe.hamiltonian import State, force
from hgnpipe.integrators import INTEGRATORS, leapfrog, rollout
from hgnpipe.reporting.plotting import COLORS, WIDTH, figure_style, save_figure
from hgnpipe.runtime.command import run
from hgnpipe.systems.mass_spring import MassSpring

OSCILLATOR = MassSpring(k=1.0, m=1.0)
COMPARED = {"leapfrog": "leapfrog", "euler": "Euler"}
CORNERS = [[1.0, -0.2], [1.4, -0.2], [1.4, 0.2], [1.0, 0.2]]
"""The volume of phase space at the start: (q, p) of its corners."""
DT, NUM_STEPS, EVERY = 0.4, 12, 4
"""Time step, number of steps, and which of them are drawn."""
START, LONG_DT = (-0.9, 0.5), 1.4
"""State and time step in B: a step long enough to see its parts."""
STEP_REACH = 1.6
ON_WHITE = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
UPDATES = (
    r"$p \leftarrow p - \frac{dt}{2}\,\partial V / \partial q$   (Eq. 24)",
    r"$q \leftarrow q + dt\,p$   (Eq. 25)",
    r"$p \leftarrow p - \frac{dt}{2}\,\partial V / \partial q$   (Eq. 24)",
)


def main(output: list[Path]) -> None:
    """Draw Fig. 13.

    Args:
        output: Files to write, in the formats that their names ask for.
    """
    with figure_style():
        save_figure(draw(), output)


def draw() -> Figure:
    """A: a volume carried by two integrators. B: one step of leapfrog."""
    figure, panels = plt.subplots(1, 3, figsize=(WIDTH, 2.5))
    volumes = {name: transported(name) for name in COMPARED}
    reach = max(np.abs(volume).max() for volume in volumes.values()) * 1.08
    for letter, axes, name in zip(("A   ", ""), panels, COMPARED, strict=False):
        energy_contours(axes, reach)
        draw_volume(axes, volumes[name], reach)
        axes.set_title(f"{letter}{COMPARED[name]}, $dt={DT}$", loc="left")
        limits_of(axes, reach, np.arange(-3, 4))
    draw_step(panels[2])
    limits_of(panels[2], STEP_REACH, np.arange(-1, 1.1, 0.5))
    return figure


def limits_of(axes: Axes, reach: float, ticks: np.ndarray) -> None:
    """A square panel around the origin, the same along both axes."""
    axes.set(xlabel="position $q$", ylabel="momentum $p$", box_aspect=1)
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), xticks=ticks, yticks=ticks)


def transported(integrator: str) -> np.ndarray:
    """Corners of the volume after 0, EVERY, 2 EVERY ... steps: ``(times, 4, 2)``."""
    corners = torch.tensor(CORNERS, dtype=torch.float64)
    start = State(corners[:, :1], corners[:, 1:])
    step = INTEGRATORS[integrator]
    path = rollout(step, OSCILLATOR.hamiltonian, start, DT, NUM_STEPS)
    return torch.cat(path, dim=-1)[:, ::EVERY].transpose(0, 1).numpy()


def area(corners: np.ndarray) -> float:
    """Area of a polygon whose corners are given in order."""
    x, y = corners.T
    return abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def energy_contours(axes: Axes, reach: float) -> None:
    """Lines of equal energy, evenly spaced in radius."""
    x = np.linspace(-reach, reach, 201)
    q, p = (torch.from_numpy(values[..., None]) for values in np.meshgrid(x, x))
    energy = OSCILLATOR.hamiltonian(q, p).numpy()
    levels = np.linspace(0, reach, 7)[1:] ** 2 / 2
    axes.contour(x, x, energy, levels, colors="0.8", linewidths=0.6, zorder=0.5)


def draw_volume(axes: Axes, volume: np.ndarray, reach: float) -> None:
    """The volume at its times, each with its area relative to the first."""
    for number, corners in enumerate(volume):
        shade = 0.2 + 0.5 * number / (len(volume) - 1)
        axes.fill(*corners.T, facecolor=COLORS[0], alpha=shade, lw=0)
        axes.fill(*corners.T, facecolor="none", edgecolor=COLORS[0], lw=0.8)
        centre = corners.mean(axis=0)
        size = np.linalg.norm(corners - centre, axis=1).max()
        radius = np.linalg.norm(centre)
        gap = 0.22 + 0.06 * abs(centre[0]) / radius  # words are wider than high
        away = (size + gap * reach) * (-1 if radius > reach / 2 else 1)
        steps = f"{number * EVERY} steps" if number else "start"
        text = f"{steps}\narea × {area(corners) / area(volume[0]):.2f}"
        style = {"ha": "center", "va": "center", "fontsize": 6, "bbox": ON_WHITE}
        axes.text(*centre * (1 + away / radius), text, zorder=0.9, **style)


def draw_step(axes: Axes) -> None:
    """Half kick, drift, half kick as arrows from one state to the next."""
    start = State(*torch.tensor(START, dtype=torch.float64).reshape(2, 1, 1))
    half = start.p + LONG_DT / 2 * force(OSCILLATOR.hamiltonian, *start)
    end = leapfrog(OSCILLATOR.hamiltonian, start, LONG_DT)
    points = [start, State(start.q, half), State(end.q, half), end]
    points = np.array([[state.q.item(), state.p.item()] for state in points])
    energy_contours(axes, STEP_REACH)
    axes.set_title(f"B   one leapfrog step, $dt={LONG_DT}$", loc="left")
    beside = [(-0.13, 0), (0, 0.12), (0.13, 0)]
    for number, (offset, text) in enumerate(zip(beside, UPDATES, strict=True)):
        style = {"color": COLORS[number], "va": "center", "fontsize": 7}
        tail, head = points[number : number + 2]
        arrow = {"arrowstyle": "-|>", "color": COLORS[number], "lw": 1.6}
        axes.annotate("", head, tail, arrowprops={**arrow, "shrinkA": 0, "shrinkB": 0})
        axes.text(*(tail + head) / 2 + offset, number + 1, ha="center", **style)
        formula = f"{number + 1}:  {text}"
        axes.text(-1.4, -0.5 - 0.4 * number, formula, bbox=ON_WHITE, **style)
    axes.plot(*points[[0, -1]].T, "o", color="black", markersize=4)
    for point, name in zip(points[[0, -1]], ("t", "{t+dt}"), strict=True):
        place = {"ha": "center", "va": "top", "fontsize": 7, "bbox": ON_WHITE}
        axes.text(*point - (0, 0.16), f"$(q_{name},\\,p_{name})$", **place)


if __name__ == "__main__":
    run(main)
