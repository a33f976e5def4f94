"""Points of a density: drawn from it or read from a table, and on disk.

Files are HDF5 that any other program can read, as those of `hgnpipe.data.videos`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from hgnpipe.collection import check_options, lookup, require
from hgnpipe.densities import DENSITIES, build_density
from hgnpipe.files.hdf5 import created, opened, read_arrays, write_arrays

POINTS = "hgnpipe points 2"
SPLITS = ("train", "validation", "test")
TABLE = "table"
"""Kind of what is not a density but points of a file; see `TableOptions`."""


class PointSets(NamedTuple):
    """Points of one density, split.

    Attributes:
        train: Points to train on, ``(N, d)``.
        validation: Held out, to watch the training.
        test: Held out, to judge the result.
        log_density: ln p at the test points, in nats; NaN where nobody knows it.
        validation_log_density: The same at the validation points.
        modes: Where the modes are, ``(num_modes, d)``; none for most densities.
    """

    train: Float[np.ndarray, "N d"]
    validation: Float[np.ndarray, "V d"]
    test: Float[np.ndarray, "T d"]
    log_density: Float[np.ndarray, " T"]
    validation_log_density: Float[np.ndarray, " V"]
    modes: Float[np.ndarray, "M d"]


@dataclass(frozen=True, kw_only=True)
class TableOptions:
    """A table of points of one's own.

    Attributes:
        file: See `hgnpipe.data.tables.read_rows`.
        columns: Columns to take, by name; of arrays by number; by default all.
        held_out: Share of the rows to judge by, and again to watch the training with.
    """

    file: str
    columns: list[str | int] | None = None
    held_out: float = 0.2

    def __post_init__(self) -> None:
        legal = "above 0 and below 0.5"
        require(0 < self.held_out < 0.5, "held_out", self.held_out, legal)


def read_table_options(options: Mapping[str, Any]) -> TableOptions:
    """Options of a table, as a user wrote them.

    Raises:
        ValueError: If an option is unknown, missing, of a wrong type or out of range.
    """
    return TableOptions(**check_options(f"density {TABLE!r}", TableOptions, options))


def check_density(kind: str, options: Mapping[str, Any]) -> None:
    """Check what a configuration says of a density; no file is opened.

    Raises:
        ValueError: If the kind or an option is unknown, or a value out of range.
    """
    if kind == TABLE:
        read_table_options(options)
    else:
        lookup("density", kind, dict.fromkeys([*DENSITIES.names(), TABLE]))
        build_density(kind, **options)


def draw_points(
    kind: str, options: Mapping[str, Any], sizes: Mapping[str, int], seed: int
) -> PointSets:
    """Draws from a density, independent for every split.

    Args:
        kind: Name in `hgnpipe.densities.DENSITIES`.
        options: Its options.
        sizes: Number of points of every one of `SPLITS`.
        seed: Seed of the draws.

    Raises:
        ValueError: If the density or an option is unknown, or a value out of range.
    """
    require(seed >= 0, "seed", seed, "zero or positive")
    for split in SPLITS:
        require(sizes[split] >= 1, f"num_{split}", sizes[split], "1 or more")
    density = build_density(kind, **options)
    sets = [
        density.sample(np.random.default_rng([seed, number]), sizes[split])
        for number, split in enumerate(SPLITS)
    ]
    modes = np.empty((0, density.num_dims)) if density.modes is None else density.modes
    logs = [density.log_density(points) for points in (sets[2], sets[1])]
    return PointSets(*sets, *logs, modes)


def split_points(
    points: Float[np.ndarray, "N d"], seed: int, *, held_out: float = 0.2
) -> tuple[PointSets, dict[str, list[float]]]:
    """Points of a table in random order, split and standardised.

    Args:
        points: Rows of the table.
        seed: Seed of the order.
        held_out: Share of the rows in the test split, and again for validation.

    Returns:
        The points, and the ``mean`` and ``std`` of the training split by which all
        splits are standardised. Log-densities are those of standardised points; those
        in the units of the table are lower by the sum of ln std.

    Raises:
        ValueError: If a split would be empty, a column is constant or its values are
            too far apart, or the seed negative.
    """
    num = int(len(points) * held_out)
    fewest = int(np.ceil(max(2 / held_out, 2 / (1 - 2 * held_out))))
    enough = len(points) >= fewest
    require(enough, "number of rows", len(points), f"{fewest} or more")
    require(seed >= 0, "seed", seed, "zero or positive")
    order = np.random.default_rng([seed, len(SPLITS)]).permutation(len(points))
    sets, mean, std = _standardised(*np.split(points[order], [num, 2 * num]))
    unknown, none = np.full(num, np.nan), np.empty((0, points.shape[1]))
    scaling = {"mean": mean.tolist(), "std": std.tolist()}
    return PointSets(*sets, unknown, unknown, none), scaling


def _standardised(
    test: np.ndarray, validation: np.ndarray, train: np.ndarray
) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Splits in the order of `PointSets`, and by what: see `split_points`."""
    size = np.abs(train).max(0)
    constant = train.max(0) / 4 - train.min(0) / 4 <= np.spacing(size)  # but rounding
    if constant.any():
        raise ValueError(
            f"Column {constant.argmax() + 1} has the same value everywhere in the "
            f"training split: it has no density. Leave it out with `columns`."
        )
    # Numbers such as 1e200 and 1e-200 have no squares: a power of two, which rounds
    # nothing, brings every column near 1 first.
    power = np.frexp(size)[1]
    with np.errstate(over="ignore"):
        parts = [np.ldexp(part, -power) for part in (train, validation, test)]
        mean, std = parts[0].mean(0), parts[0].std(0)
        sets = [(part - mean) / std for part in parts]
    quarters = np.quantile(train, [0.25, 0.75], axis=0, method="nearest")
    seen = np.float32((np.ldexp(quarters, -power) - mean) / std)  # as flows see them
    lost = (quarters[0] < quarters[1]) & (seen[0] == seen[1])
    lost |= ~np.isfinite(np.concatenate(sets)).all(0)
    if lost.any():
        farthest = np.abs(np.concatenate([train, validation, test])).max(0)
        raise ValueError(
            f"Column {lost.argmax() + 1} has a value, {farthest[lost.argmax()]:.3g} in "
            f"magnitude, so far from the others that these are the same in comparison. "
            f"Leave out its row, or the column with `columns`."
        )
    return sets, np.ldexp(mean, power), np.ldexp(std, power)


def save_points(
    path: str | Path, points: PointSets, attributes: Mapping[str, Any]
) -> None:
    """Write points and where they came from, JSON values, to ``path``."""
    origin = {key: json.dumps(value) for key, value in attributes.items()}
    with created(path, POINTS, origin) as file:
        write_arrays(file, points)


def load_points(path: str | Path) -> tuple[PointSets, dict[str, Any]]:
    """Read what `save_points` wrote: points, and where they came from.

    Raises:
        ValueError: If the file is missing, damaged, or something else.
    """
    with opened(path, POINTS) as file:
        points = read_arrays(file, PointSets)
        known = {k: v for k, v in file.attrs.items() if k not in ("format", "versions")}
        return points, {key: json.loads(value) for key, value in known.items()}
