"""What stored data must be like before anything is made of them.

A number of the wrong kind or range is no error to a network: it learns from it, or
predicts, and both are garbage.
"""

from typing import Any

import numpy as np
from jaxtyping import Shaped

from hgnpipe.collection import require


def check_videos(frames: Shaped[np.ndarray, "N T S S 3"]) -> None:
    """Check that videos are as they are stored: RGB values.

    Raises:
        ValueError: If they are of another kind or shape.
    """
    shape = getattr(frames, "shape", ())
    stored = isinstance(frames, np.ndarray) and frames.dtype == np.uint8
    if not stored or len(shape) != 5 or shape[3:] != (shape[2], 3):
        raise ValueError(
            f"Videos are {_kind(frames)}; they must be an array of uint8, RGB values "
            f"from 0 to 255, (videos, frames, S, S, 3)."
        )


def check_points(points: Shaped[np.ndarray, "N d"], num_dims: int) -> None:
    """Check that points are numbers, of a size that single precision has.

    Args:
        points: The points.
        num_dims: Dimension that they must be of: that of the flow.

    Raises:
        ValueError: If they are not, or there are none.
    """
    numbers = isinstance(points, np.ndarray) and points.dtype.kind in "iuf"
    if not numbers or points.ndim != 2:
        legal = "an array of numbers, (points, dimension)"
        raise ValueError(f"Points are {_kind(points)}; they must be {legal}.")
    require(len(points) >= 1, "number of points", len(points), "1 or more")
    found, legal = points.shape[1], f"that of the flow, {num_dims}"
    require(found == num_dims, "dimension of the points", found, legal)
    with np.errstate(over="ignore"):
        wrong = ~np.isfinite(points.astype(np.float32)).all(1)
    if wrong.any():
        first = wrong.argmax()
        raise ValueError(
            f"Point {first} is {points[first].tolist()}; its coordinates must be "
            f"finite in single precision."
        )


def _kind(values: Any) -> str:
    """Type, and shape if there is one, of what was given."""
    if not hasattr(values, "shape"):
        return type(values).__name__
    return f"{type(values).__name__} of {values.dtype} {tuple(values.shape)}"
