"""Records of DeepMind's Hamiltonian dynamics suite: videos and true states.

``features.txt`` has a line for each key: its name, shape and type. Of these are used
``image``, ``(T, S, S, 3)``, stored as one PNG in which the frames stand below each
other, and ``x``, ``(T, 2 n)``, positions and then momenta, of which the bits are stored
as integers.
"""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from PIL import Image, UnidentifiedImageError

from hgnpipe.data.footage import Footage
from hgnpipe.data.tfrecord import Example, read_examples

LINE = re.compile(r"([^,\s]+),\s*\(([\d,\s]*)\),\s*(\w+)")
FLOATS = {"float32": "<f4", "float64": "<f8"}


class Feature(NamedTuple):
    """Shape and type of what a record has under one key."""

    shape: tuple[int, ...]
    dtype: str


class Trajectory(NamedTuple):
    """One record.

    Attributes:
        frames: RGB values, ``(T, H, W, 3)``.
        states: Positions and momenta side by side, ``(T, 2 n)``.
    """

    frames: Footage
    states: Float[np.ndarray, "T m"]


def read_suite(records: str | Path, features: str | Path) -> Iterator[Trajectory]:
    """All trajectories of a data set of the suite.

    Args:
        records: ``train.tfrecord`` or ``test.tfrecord``.
        features: ``features.txt``.

    Raises:
        ValueError: If a file is missing, damaged, or of another layout.
    """
    known = read_features(features)
    for key, legal in {"image": ["uint8"], "x": [*FLOATS]}.items():
        if key not in known or known[key].dtype not in legal:
            raise ValueError(f"{features} has no {key!r} of {' or '.join(legal)}.")
    if len(known["image"].shape) != 4 or len(known["x"].shape) != 2:
        raise ValueError(
            f"{features}: image is {known['image'].shape} and x {known['x'].shape}; "
            f"they must be (T, S, S, 3) and (T, 2 n)."
        )
    for number, example in enumerate(read_examples(records)):
        try:
            yield Trajectory(
                _picture(example, known["image"]), _numbers(example, known["x"])
            )
        except (KeyError, IndexError, ValueError, OSError) as error:
            raise ValueError(
                f"{records}: record {number} is not as {features} says."
            ) from error


def read_features(path: str | Path) -> dict[str, Feature]:
    """Shapes and types by key.

    Raises:
        ValueError: If the file cannot be read or has another line.
    """
    try:
        lines = Path(path).read_text("utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} cannot be read: {error}.") from error
    found = {}
    for line in filter(str.strip, lines):
        if (match := LINE.fullmatch(line.strip())) is None:
            raise ValueError(
                f"{path} has the line {line!r}; expected a key, (its shape), its type."
            )
        key, shape, dtype = match.groups()
        found[key] = Feature(tuple(map(int, re.findall(r"\d+", shape))), dtype)
    return found


def _picture(example: Example, feature: Feature) -> Footage:
    """Frames from the one PNG of all."""
    try:
        with Image.open(io.BytesIO(example["image"][0])) as image:
            pixels = np.array(image.convert("RGB"))
    except UnidentifiedImageError as error:
        raise ValueError("no picture") from error
    return pixels.reshape(feature.shape)


def _numbers(example: Example, feature: Feature) -> Float[np.ndarray, "T m"]:
    """Floats from integers that have their bits; those of four bytes come in pairs."""
    bits = np.asarray(example["x"]).astype("<i8")
    return bits.view(FLOATS[feature.dtype]).reshape(feature.shape).astype(np.float64)
