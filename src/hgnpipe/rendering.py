"""Pictures of the systems: soft discs on a grey background (paper, Sec. 4 and A.4)."""

import numpy as np
from jaxtyping import Float, UInt8
from scipy.special import expit

from hgnpipe.registry import require
from hgnpipe.systems import System

# CHOICE (A.4, Fig. 7): colours and softness are those of the authors' sample images;
# they report that training fails on a black background.
BACKGROUND = (81, 88, 93)
"""RGB behind the bodies."""
SHARPNESS = 16.0
"""Slope of the sigmoid across a disc's edge, per unit of length."""
BLOCK = 256
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
    bodies = system.bodies(q).astype(np.float32)
    step = 2 * system.view / image_size
    centres = ((np.arange(image_size) + 0.5) * step - system.view).astype(np.float32)
    picture = np.empty((len(q), image_size, image_size, 3), np.float32)
    picture[:] = BACKGROUND
    for body, color in enumerate(system.colors):
        dx2 = np.square(centres - bodies[:, body, 0, None])[:, None, :]
        dy2 = np.square(centres[::-1] - bodies[:, body, 1, None])[:, :, None]
        inside = np.float32(system.disc_radius) - np.sqrt(dx2 + dy2)
        cover = expit(np.float32(SHARPNESS) * inside)
        for channel, value in enumerate(color):
            layer = picture[..., channel]
            layer += cover * (value - layer)
    return (picture + 0.5).astype(np.uint8)
