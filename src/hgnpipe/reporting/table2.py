"""Table 2: how well the learned Hamiltonian is conserved along a rollout."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from hgnpipe.collection import require
from hgnpipe.evaluation.kept import Errors
from hgnpipe.reporting.pages import across, in_order, read_table, short
from hgnpipe.reporting.runs import Run, label_of, system_label
from hgnpipe.reporting.table1 import SCALE

STILL = 0.01
"""Motion of the predicted frames, relative to that of the true ones, below which a
model stands still and has nothing to conserve."""


def read_published_variances(path: str | Path) -> pd.DataFrame:
    """The paper's Table 2; lines that start with ``#`` are comments.

    Raises:
        ValueError: If the file is missing, empty or lacks a column.
    """
    needed = {"model", "system", "split", "variance_x1e4"}
    table = read_table(path, "published figures", needed, comment="#", as_text=True)
    return table.rename(columns={"variance_x1e4": "published_variance_x1e4"})


def table2(
    errors: Mapping[Run, Mapping[str, Errors]],
    published: pd.DataFrame,
    labels: Mapping[str, str],
    example: int = 0,
    systems: Iterable[str] = (),
) -> pd.DataFrame:
    """Table 2: variance over time of the learned energy, per system, split and model.

    Args:
        errors: Errors and energies of the rollouts of every run, by split.
        published: From `read_published_variances`.
        labels: How the models are called, in the order of the table's rows.
        example: Index of the single rollout, that of Fig. 6, of the lowest seed.
        systems: In the order of the table's columns; others follow.

    Returns:
        A row per system, split and model, variances times 1e4. ``variance`` is that of
        the single rollout, ``mean_variance`` and ``std_variance`` are over all rollouts
        of all seeds. ``relative_variance`` has no scale: the mean variance over time
        divided by the variance of the energy across trajectories, median over seeds
        that move, NaN where all trajectories have the same energy. ``relative_motion``
        has none either: how much the predicted frames move, see
        `hgnpipe.evaluation.errors.displacement`, divided by how much the true ones do,
        means over the rollouts, median over seeds. ``num_still`` counts the seeds where
        it is below `STILL`; they have no variances. Infinite are variances of a model
        of which a rollout diverged; a model that has no energy has none.

    Raises:
        ValueError: If there is no run, or one has no rollout ``example``.
    """
    require(len(errors) > 0, "number of runs", 0, "1 or more")
    rows = [
        {**run._asdict(), "split": split, **_variances(one, example)}
        for run, splits in sorted(errors.items(), key=lambda item: item[0].seed)
        for split, one in splits.items()
    ]
    keys = ["model", "system", "split"]
    groups = pd.DataFrame(rows).groupby(keys, sort=False)
    table = pd.DataFrame([_summary(group) for _, group in groups])
    table.insert(1, "label", [label_of(model, labels) for model in table.model])
    table = table.merge(published, on=keys, how="left")
    return in_order(table, model=labels, system=systems, split=["train", "test"])


def layout2(table: pd.DataFrame, systems: Iterable[str] = ()) -> pd.DataFrame:
    """Table 2 laid out like the paper's: models down, systems and splits across."""
    cells = {}
    for row in table.itertuples():
        lines = ["N/A"]
        if row.num_still < row.num_seeds and np.isnan(row.mean_variance_x1e4):
            lines = ["no energy"]
        elif row.num_still < row.num_seeds:
            mean, std = short(row.mean_variance_x1e4), short(row.std_variance_x1e4)
            lines = [
                short(row.variance_x1e4),
                f"all {mean} ± {std}",
                f"relative {short(row.relative_variance)}",
            ]
        if 0 < row.num_still < row.num_seeds:
            lines.append(f"{row.num_still} of {row.num_seeds} seeds stand still")
        if isinstance(row.published_variance_x1e4, str):
            printed = row.published_variance_x1e4
            lines.append(f"paper {printed}" if printed else "paper: not legible")
        cells[row.label, (system_label(row.system), row.split)] = "\n".join(lines)
    first = [(system_label(s), split) for s in systems for split in ("train", "test")]
    return across(cells, "model", "not run", first)


def _variances(errors: Errors, example: int) -> dict[str, object]:
    """Variances over time and across rollouts, infinite after diverging; motion."""
    energy = errors.energy.astype(np.float64)
    legal = f"between 0 and {len(energy) - 1}"
    require(0 <= example < len(energy), "example", example, legal)
    motion = errors.moved.mean(dtype=float) / errors.moved_true.mean(dtype=float)
    over_time, between = np.full(len(energy), np.inf), np.inf
    finite = bool(np.isfinite(energy).all())
    none = bool(np.isnan(energy).all() and np.isfinite(errors.mse).all())
    if finite or none:
        over_time, between = energy.var(axis=1), float(energy.mean(axis=1).var())
    relative = np.nan if none else np.inf
    if finite:  # the variance of equal numbers need not be zero: their mean is rounded
        relative = (
            over_time.mean() / between if np.ptp(energy) > 0 < between else np.nan
        )
    return {
        "variance_x1e4": SCALE * over_time[example],
        "over_time": SCALE * over_time,
        "across": between,
        "relative": relative,
        "motion": motion,
        "still": finite and motion < STILL,
    }


def _summary(group: pd.DataFrame) -> dict[str, object]:
    """One row of Table 2 from the rows of its seeds."""
    single, whole = group.iloc[0], group[~group.still]
    over_time = np.concatenate(list(whole.over_time) or [[np.nan]])
    return {
        **single[["model", "system", "split"]],
        "num_seeds": len(group),
        "num_still": int(group.still.sum()),
        "variance_x1e4": np.nan if single.still else single.variance_x1e4,
        "mean_variance_x1e4": over_time.mean(),
        "std_variance_x1e4": np.inf if np.isinf(over_time).any() else over_time.std(),
        "relative_variance": whole.relative.median(),
        "across_variance": group.across.median(),
        "relative_motion": group.motion.median(),
    }
