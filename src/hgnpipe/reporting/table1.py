"""Tables of results, as data and as pages that people read."""

import html
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from hgnpipe.files.whole import written_whole

REFERENCES = ("mean_image", "noise_floor")
SCALE = 1e4
"""All errors of Table 1 are multiplied by this."""

Number = float | pd.Series


def read_metrics(paths: Iterable[str | Path]) -> pd.DataFrame:
    """All tables of trajectories below each other.

    Raises:
        ValueError: If a file is missing, empty or lacks a column.
    """
    needed = {
        "system",
        "model",
        "seed",
        "split",
        "trajectory",
        "mse",
        "mse_clean",
        "kl",
    }
    tables = [read_table(path, "metrics", needed) for path in paths]
    return pd.concat(tables, ignore_index=True)


def read_published(path: str | Path) -> pd.DataFrame:
    """The paper's Table 1; lines that start with ``#`` are comments.

    Raises:
        ValueError: If the file is missing, empty or lacks a column.
    """
    needed = {"model", "system", "split", "mse_x1e4", "std_x1e4"}
    return read_table(path, "published figures", needed, comment="#")


def table1(
    metrics: pd.DataFrame, published: pd.DataFrame, labels: Mapping[str, str]
) -> pd.DataFrame:
    """Table 1: error per system, split and model, beside the published one.

    Args:
        metrics: A row per trajectory, from `read_metrics`, references included.
        published: Columns model, system, split, mse_x1e4, std_x1e4.
        labels: How the models are called, in the order of the table's rows.

    Returns:
        A row per system, split and model. ``std`` is over the trajectories (mean over
        the seeds), ``seed_std`` over the means of the seeds: the paper does not say
        what its spread is; its size fits the first. Errors are multiplied by 1e4.
    """
    keys = ["system", "split", "model"]
    by_seed = metrics.groupby([*keys, "seed"], sort=False).agg(
        mse=("mse", "mean"),
        std=("mse", lambda values: values.std(ddof=0)),
        mse_clean=("mse_clean", "mean"),
        kl=("kl", "mean"),
    )
    seeds = by_seed.groupby(level=keys, sort=False)
    table = seeds.mean()
    # One seed has no spread: ddof=1 leaves it empty.
    table["seed_std"] = seeds["mse"].std(ddof=1)
    table["num_seeds"] = seeds.size()
    table = table.reset_index()
    for reference in REFERENCES:
        rows = table[table.model == reference].set_index(["system", "split"])["mse"]
        index = pd.MultiIndex.from_frame(table[["system", "split"]])
        table[reference] = rows.reindex(index).to_numpy()
    table["skill"] = skill(table.mse, table.noise_floor, table.mean_image)
    table["label"] = [labels.get(model, model) for model in table.model]
    for column in ("mse", "std", "seed_std", "mse_clean", *REFERENCES):
        table[f"{column}_x1e4"] = table.pop(column) * SCALE
    known = published.rename(
        columns={"mse_x1e4": "published_mse_x1e4", "std_x1e4": "published_std_x1e4"}
    )
    table = table.merge(known, on=keys, how="left", indicator="published")
    table["published"] = table.published == "both"
    table["split"] = pd.Categorical(table.split, ["train", "test"])
    table["order"] = [_position(labels, model) for model in table.model]
    systems = list(dict.fromkeys(metrics.system))
    table["system"] = pd.Categorical(table.system, systems)
    table = table.sort_values(["order", "system", "split"]).drop(columns="order")
    first = ["model", "label", "system", "split", "num_seeds", "mse_x1e4", "std_x1e4"]
    return table[first + [c for c in table.columns if c not in first]]


def skill(mse: Number, floor: Number, mean_image: Number) -> Number:
    """1 - (MSE - floor) / (mean image - floor): 0 is collapsed, 1 is perfect."""
    return 1 - (mse - floor) / (mean_image - floor)


def layout(table: pd.DataFrame, break_line: str = "<br>") -> pd.DataFrame:
    """Table 1 laid out like the paper's: models down, systems and splits across.

    Each cell says our error and its spread, the skill, and what the paper printed.
    """
    cells = {}
    for row in table.itertuples():
        lines = [f"{row.mse_x1e4:.2f} ± {row.std_x1e4:.2f}"]
        if np.isfinite(row.seed_std_x1e4):
            lines.append(f"seeds ± {row.seed_std_x1e4:.2f}")
        if row.model not in REFERENCES:
            lines.append(f"skill {round(row.skill, 2) + 0.0:.2f}")  # no -0.00
        if np.isfinite(row.published_mse_x1e4):
            lines.append(
                f"paper {row.published_mse_x1e4:g} ± {row.published_std_x1e4:g}"
            )
        elif row.published:
            lines.append("paper: not legible")
        cells[row.label, (row.system, row.split)] = break_line.join(lines)
    return across(cells)


def across(cells: Mapping[tuple[str, tuple[str, str]], str]) -> pd.DataFrame:
    """Cells by label, and by system and split, laid out like the paper's tables."""
    labels = list(dict.fromkeys(label for label, _ in cells))
    systems = dict.fromkeys(system for _, (system, _) in cells)
    columns = [(system, split) for system in systems for split in ("train", "test")]
    body = [[cells.get((label, c), "not run") for c in columns] for label in labels]
    names = pd.MultiIndex.from_tuples(columns, names=["", ""])
    return pd.DataFrame(body, pd.Index(labels, name="model"), names)


def write_pages(
    table: pd.DataFrame, caption: str, title: str, markdown: Path, html: Path
) -> None:
    """Write a laid-out table in Markdown and in HTML."""
    with written_whole(markdown) as path:
        path.write_text(to_markdown(table, caption), encoding="utf-8")
    with written_whole(html) as path:
        path.write_text(to_html(table, caption, title), encoding="utf-8")


def to_markdown(table: pd.DataFrame, caption: str) -> str:
    """A laid-out table as Markdown."""
    columns = [c if isinstance(c, str) else " ".join(c) for c in table.columns]
    head = [str(table.index.name), *columns]
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for label, row in table.iterrows():
        lines.append("| " + " | ".join([label, *row]) + " |")
    return "\n".join([*lines, "", caption, ""])


def to_html(table: pd.DataFrame, caption: str, title: str) -> str:
    """A laid-out table as a page of its own; its cells may hold HTML."""
    return page(title, html_table(table), f"<p>{caption}</p>")


def html_table(table: pd.DataFrame) -> str:
    """A laid-out table as a part of a page; its cells may hold HTML."""
    names = [""] * table.columns.nlevels
    laid_out = table.rename(index=html.escape).rename_axis(index=None, columns=names)
    return laid_out.to_html(escape=False, border=0)


def page(title: str, *parts: str) -> str:
    """HTML of a page that needs no other file, from parts in HTML."""
    return PAGE.format(title=html.escape(title), body="\n".join(parts))


def read_table(
    path: str | Path,
    what: str,
    needed: set[str],
    comment: str | None = None,
    as_text: bool = False,
) -> pd.DataFrame:
    """Table in CSV with at least the columns ``needed``.

    Raises:
        ValueError: If the file is missing, empty or lacks a column.
    """
    dtype = str if as_text else None
    try:
        table = pd.read_csv(
            path, comment=comment, dtype=dtype, keep_default_na=not as_text
        )
    except (OSError, ValueError) as error:  # pandas: damaged, empty, not text
        why = str(error).strip()
        raise ValueError(f"{path} is not a table of {what}: {why}") from error
    missing = needed - set(table.columns)
    if missing:
        raise ValueError(f"{path} has no column {', '.join(sorted(missing))}.")
    return table


def _position(labels: Mapping[str, str], model: str) -> int:
    names = list(labels)
    return names.index(model) if model in names else len(names)


PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ font-family: sans-serif; margin: 2em; }}
table {{ border-collapse: collapse; font-size: 85%; }}
th, td {{ padding: 0.4em 0.8em; text-align: right; white-space: nowrap; }}
thead th {{ text-align: center; }}
tbody th {{ text-align: left; }}
tbody tr {{ border-top: 1px solid #ccc; }}
tbody td {{ color: #333; }}
table.words th, table.words td {{ text-align: left; vertical-align: top; }}
table.words td {{ white-space: normal; min-width: 8em; max-width: 35em; }}
p, ul {{ max-width: 60em; }}
.good, .warning {{ max-width: 60em; padding: 0.6em 1em; }}
.good {{ background: #e6f4ea; border-left: 0.4em solid #2e7d32; }}
.warning {{ background: #fdecea; border-left: 0.4em solid #c62828; }}
</style>
</head>
<body>
{body}
</body>
</html>
"""
