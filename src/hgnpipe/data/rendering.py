"""Pictures of the systems: soft discs on a grey background (paper, Sec. 4 and A.4)."""

import numpy as np
from jaxtyping import Float, UInt8
from numpy.lib.stride_tricks import sliding_window_view
from scipy.special import expit

from hgnpipe.collection import require
from hgnpipe.systems.base import System

# CHOICE (A.4, Fig. 7): colours and softness are those of the authors' sample images;
# they report that training fails on a black background.
BACKGROUND = (81, 88, 93)
"""RGB behind the bodies."""
SHARPNESS = 16.0
"""Slope of the sigmoid across a disc's edge, per unit of length."""
REACH = 0.45
"""Distance from a disc at which it is not seen: it covers less than 1/1000 there."""
ROUND = np.float32(0.5)
"""What makes cutting off a fraction round to the nearest level."""
BLOCK = 128
"""Pictures drawn at a time: few enough to stay in the cache."""


def render(
    system: System, q: Float[np.ndarray, "*b n"], image_size: int
) -> UInt8[np.ndarray, "*b S S 3"]:
    """Draw each position as a small picture.

    Every body is a disc with a soft edge, exact to a fraction of a pixel; where two
    discs overlap, the later body covers the earlier one.

    Args:
        system: Where its bodies are, how large, and in which colours.
        q: Positions.
        image_size: S, height and width in pixels.

    Returns:
        RGB values; row 0 is the top of the picture.
    """
    require(image_size >= 8, "image_size", image_size, "8 or more")
    flat = q.reshape(-1, q.shape[-1])
    pictures = np.empty((len(flat), image_size, image_size, 3), np.uint8)
    for first in range(0, len(flat), BLOCK):
        block = slice(first, first + BLOCK)
        pictures[block] = _draw(system, flat[block], image_size)
    return pictures.reshape(*q.shape[:-1], image_size, image_size, 3)


def _draw(
    system: System, q: Float[np.ndarray, "N n"], image_size: int
) -> UInt8[np.ndarray, "N S S 3"]:
    """Pictures of a few positions; each disc is drawn in a window around its body."""
    bodies = system.bodies(q).astype(np.float32)
    step = 2 * system.view / image_size
    centres = ((np.arange(image_size) + 0.5) * step - system.view).astype(np.float32)
    empty = np.full((image_size, image_size, 3), BACKGROUND, np.float32) + ROUND
    picture = np.repeat(empty[None], len(q), axis=0)
    reach = system.disc_radius + REACH
    side = min(image_size, int(2 * reach / step) + 2)
    windows = sliding_window_view(picture, (side, side), (1, 2), writeable=True)
    colors = system.colors_of(q).astype(np.float32)[..., None, None]
    radius = system.disc_radius_of(q).astype(np.float32)[:, None, None]
    for body in range(colors.shape[1]):
        x, y = bodies[:, body].T
        corners = [
            np.floor((start - reach + system.view) / step).clip(0, image_size - side)
            for start in (x, -y)
        ]
        left, top = (corner.astype(int)[:, None] for corner in corners)
        pixel = np.arange(side)
        dx2 = np.square(centres[left + pixel] - x[:, None])[:, None, :]
        dy2 = np.square(centres[::-1][top + pixel] - y[:, None])[:, :, None]
        inside = radius - np.sqrt(dx2 + dy2)
        cover = expit(np.float32(SHARPNESS) * inside)[:, None]
        place = np.arange(len(q)), top[:, 0], left[:, 0]
        part = windows[place]  # (N, 3, side, side)
        part += cover * (colors[:, body] + ROUND - part)
        windows[place] = part
    return picture.astype(np.uint8)
