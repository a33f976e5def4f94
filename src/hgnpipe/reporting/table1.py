"""Table 1: the errors of all models on all systems."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from hgnpipe.reporting.pages import across, in_order, read_table
from hgnpipe.reporting.runs import label_of, system_label

KEYS = ["system", "split", "model"]
REFERENCES = ("mean_image", "noise_floor")
"""Rows that have the skills 0 and 1."""
SPLITS = ("train", "test")
TRUTH = "true_video"
"""Row of the truth: no model either, but it has a skill."""
SCALE = 1e4
"""All errors of Table 1 are multiplied by this."""

Number = float | pd.Series


def read_errors(paths: Iterable[str | Path]) -> pd.DataFrame:
    """All tables of errors by trajectory below each other; without any, no rows.

    Raises:
        ValueError: If a file is missing, empty or lacks a column.
    """
    names = ("system", "model", "seed", "split", "trajectory", "mse", "mse_clean", "kl")
    tables = [read_table(path, "errors", names) for path in paths]
    if not tables:
        return pd.DataFrame(columns=list(names))
    return pd.concat(tables, ignore_index=True)


def read_published(path: str | Path) -> pd.DataFrame:
    """The paper's Table 1; lines that start with ``#`` are comments.

    Raises:
        ValueError: If the file is missing, empty or lacks a column.
    """
    needed = {"model", "system", "split", "mse_x1e4", "std_x1e4"}
    return read_table(path, "published figures", needed, comment="#")


def table1(
    errors: pd.DataFrame,
    published: pd.DataFrame,
    labels: Mapping[str, str],
    systems: Iterable[str] = (),
) -> pd.DataFrame:
    """Table 1: error per system, split and model, beside the published one.

    Args:
        errors: A row per trajectory, from `read_errors`, references included.
        published: Columns model, system, split, mse_x1e4, std_x1e4.
        labels: How the models are called, in the order of the table's rows.
        systems: In the order of the table's columns; others follow.

    Returns:
        A row per system, split and model. ``std`` is over the trajectories (mean over
        the seeds), ``seed_std`` over the means of the seeds: the paper does not say
        what its spread is; its size fits the first. Errors are multiplied by 1e4.
    """
    table = _means(errors)
    table["skill"] = skill(table.mse, table.noise_floor, table.mean_image)
    table["label"] = [label_of(model, labels) for model in table.model]
    for column in ("mse", "std", "seed_std", "mse_clean", *REFERENCES):
        table[f"{column}_x1e4"] = table.pop(column) * SCALE
    known = published.rename(
        columns={"mse_x1e4": "published_mse_x1e4", "std_x1e4": "published_std_x1e4"}
    )
    table = table.merge(known, on=KEYS, how="left", indicator="published")
    table["published"] = table.published == "both"
    orders = {"system": systems, "split": ["train", "test"]}
    table = in_order(table, model=labels, **orders)
    first = ["model", "label", "system", "split", "num_seeds", "mse_x1e4", "std_x1e4"]
    return table[first + [c for c in table.columns if c not in first]]


def skill(mse: Number, floor: Number, mean_image: Number) -> Number:
    """1 - (MSE - floor) / (mean image - floor).

    0 is collapsed. 1 is the best prediction without knowledge of the noise, which is
    blurred: the true video has less, and what has seen the noise may have more.
    """
    return 1 - (mse - floor) / (mean_image - floor)


def skill_text(value: float) -> str:
    """A skill in words."""
    return f"skill {round(value, 2) + 0.0:.2f}"  # no -0.00


def layout1(table: pd.DataFrame, systems: Iterable[str] = ()) -> pd.DataFrame:
    """Table 1 laid out like the paper's: models down, systems and splits across.

    Each cell says our error and its spread, the skill, and what the paper printed;
    those of references also say the error against frames without noise. N/A are
    references that nobody knows, see `without_truth`.
    """
    cells = {}
    for row in table.itertuples():
        lines = [f"{row.mse_x1e4:.2f} ± {row.std_x1e4:.2f}"]
        if not np.isfinite(row.mse_x1e4):
            lines = ["not finite: a rollout diverged"]
        if np.isfinite(row.seed_std_x1e4):
            lines.append(f"seeds ± {row.seed_std_x1e4:.2f}")
        if row.model not in REFERENCES and np.isfinite(row.skill):
            lines.append(skill_text(row.skill))
        if row.model in (*REFERENCES, TRUTH) and np.isfinite(row.mse_clean_x1e4):
            lines.append(f"clean {row.mse_clean_x1e4:.2f}")
        if np.isfinite(row.published_mse_x1e4):
            lines.append(
                f"paper {row.published_mse_x1e4:g} ± {row.published_std_x1e4:g}"
            )
        elif row.published:
            lines.append("paper: not legible")
        cells[row.label, (system_label(row.system), row.split)] = "\n".join(lines)
    unknown = [
        (system_label(s), split) for s in without_truth(table) for split in SPLITS
    ]
    for label in table[table.model.isin([*REFERENCES[1:], TRUTH])].label.unique():
        cells |= {(label, column): "N/A" for column in unknown}
    first = [(system_label(s), split) for s in systems for split in SPLITS]
    return across(cells, "model", "not run", first)


def without_truth(table: pd.DataFrame) -> list[str]:
    """Systems of which nobody knows the noise floor: there are only videos of them."""
    known = table.groupby("system", sort=False).noise_floor_x1e4.count()
    return [str(system) for system, num in known.items() if num == 0]


def _means(errors: pd.DataFrame) -> pd.DataFrame:
    """Means and spreads of every model, beside the errors of the references.

    An error that is no number, of a rollout that diverged, is infinite. Where that
    against the frames without noise alone is none, nobody knows these frames.
    """
    clean = errors.mse_clean.where(errors.mse.notna(), np.inf)
    errors = errors.assign(mse=errors.mse.fillna(np.inf), mse_clean=clean)
    by_seed = errors.groupby([*KEYS, "seed"], sort=False).agg(
        mse=("mse", "mean"),
        std=("mse", _spread),
        mse_clean=("mse_clean", "mean"),
        kl=("kl", "mean"),
    )
    seeds = by_seed.groupby(level=KEYS, sort=False)
    table = seeds.mean()
    # One seed has no spread: ddof=1 leaves it empty.
    table["seed_std"] = seeds["mse"].std(ddof=1)
    table["num_seeds"] = seeds.size()
    table = table.reset_index()
    for reference in REFERENCES:
        rows = table[table.model == reference].set_index(["system", "split"])["mse"]
        index = pd.MultiIndex.from_frame(table[["system", "split"]])
        table[reference] = rows.reindex(index).to_numpy()
    return table


def _spread(values: pd.Series) -> float:
    """Standard deviation over the trajectories; none where one is infinite."""
    return values.std(ddof=0) if np.isfinite(values).all() else np.nan
