"""What a trained model moves in: latent states of videos, and their portrait."""

from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import torch
from jaxtyping import UInt8
from matplotlib.axes import Axes

from hgnpipe.collection import require
from hgnpipe.models.base import PhaseSpaceModel, energy_of
from hgnpipe.reporting.plotting import COLORS, draw_energy, figure_style
from hgnpipe.training.batches import to_pixels

GRID, MARGIN = 80, 0.15
"""Points of a side at which the energy is taken, and how far beyond the motions."""


class LatentMotion(NamedTuple):
    """Motions by the learned law, in the latent phase space.

    Attributes:
        q: Positions, ``(N, T, k)``; latent images are flattened.
        p: Momenta, likewise.
        energy: Learned energy along each motion, ``(N, T)``; None without one.
    """

    q: np.ndarray
    p: np.ndarray
    energy: np.ndarray | None


@torch.no_grad()
def latent_motion(
    model: PhaseSpaceModel,
    videos: UInt8[np.ndarray, "N T S S 3"],
    *,
    num_steps: int | None = None,
) -> LatentMotion:
    """Infer the state of each video at its first frame, and let it move.

    Args:
        model: Trained.
        videos: At least as many frames as the model looks at.
        num_steps: Length of the motion; by default as long as the videos.

    Raises:
        ValueError: If the videos are too short or of another size than the model's, or
            the model has no phase space.
    """
    if not isinstance(model, PhaseSpaceModel):
        raise ValueError(f"{type(model).__name__} has no phase space to move in.")
    steps = videos.shape[1] - 1 if num_steps is None else num_steps
    require(steps >= 0, "num_steps", num_steps, "zero or positive")
    frames = to_pixels(videos, next(model.parameters()).device)
    path = model.rollout(model.infer(frames).state, model.dt, steps)
    q, p = (part.flatten(2).cpu().numpy() for part in path)
    energy = energy_of(model, path)
    return LatentMotion(q, p, None if energy is None else energy.cpu().numpy())


@torch.no_grad()
def phase_portrait(
    model: PhaseSpaceModel,
    videos: UInt8[np.ndarray, "N T S S 3"],
    *,
    num_steps: int | None = None,
) -> plt.Figure:
    """Latent phase portrait: motions of videos and, in a plane, the learned energy.

    Of several pairs (q, p) the one that moves most is drawn. Only of a single pair is
    there an energy to draw: that of more is no function of two of them.

    Args:
        model: Trained.
        videos: At least as many frames as the model looks at.
        num_steps: Length of the motions; by default as long as the videos.

    Raises:
        ValueError: See `latent_motion`.
    """
    motion = latent_motion(model, videos, num_steps=num_steps)
    pair = int((motion.q.var((0, 1)) + motion.p.var((0, 1))).argmax())
    q, p = motion.q[..., pair], motion.p[..., pair]
    num_pairs = motion.q.shape[-1]
    with figure_style():
        figure, axes = plt.subplots(figsize=(3.6, 4.0))
        drawn = num_pairs == 1 and hasattr(model, "hamiltonian")
        if drawn:
            _draw_learned(axes, model, q, p)
        style = {"color": "white" if drawn else COLORS[0], "linewidth": 0.8}
        axes.plot(q.T, p.T, **style)
        axes.plot(q[:, 0], p[:, 0], "o", markersize=2.5, color=COLORS[1])
        words = f"pair {pair + 1} of {num_pairs}" if num_pairs > 1 else "latent states"
        axes.set(xlabel="q", ylabel="p", title=f"{words}; a dot is a first frame")
        figure.canvas.draw()  # now: whoever shows it has another style
    plt.close(figure)  # a notebook shows what a cell ends with; once is enough
    return figure


def _draw_learned(
    axes: Axes, model: PhaseSpaceModel, q: np.ndarray, p: np.ndarray
) -> None:
    """Learned energy in the plane of the only pair, around the motions."""
    sides = []
    for values in (q, p):
        low, high = values.min(), values.max()
        beyond = MARGIN * (high - low)
        sides.append(np.linspace(low - beyond, high + beyond, GRID))
    weight = next(model.parameters())
    grid = [
        torch.from_numpy(one).to(weight).reshape(-1, 1) for one in np.meshgrid(*sides)
    ]
    energy = model.hamiltonian(*grid).reshape(GRID, GRID).cpu().numpy()
    draw_energy(axes, *sides, energy, "learned energy $H$")
