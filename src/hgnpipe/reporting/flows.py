"""The tables of the flows: held-out likelihood, structure of the map, and cost."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from hgnpipe.reporting.table1 import read_table

STRUCTURE = {
    "num_modes": "modes of the target",
    "num_minima": "minima of V",
    "modes_with_minimum": "share of modes with a minimum",
    "log_volume_change": "change of log-volume",
    "inversion_error_float32": "inverse, float32",
    "inversion_error_float64": "inverse, float64",
}
"""Rows of the table of the structure; those of every step end in its number."""


def read_flow_metrics(
    paths: Iterable[str | Path], labels: Mapping[str, str]
) -> pd.DataFrame:
    """Measures of all flows on all targets, averaged over the seeds.

    Args:
        paths: Tables of rules evaluate_flow and evaluate_flow_references.
        labels: How the flows are called, in the order of the rows.

    Returns:
        A row per target, model and measure: ``label``, ``num_seeds``, ``value`` (mean
        over the seeds), ``error`` (standard error over the points, mean over the
        seeds) and ``seed_std``; empty where there is one seed or none.

    Raises:
        ValueError: If a file is missing, empty or lacks a column.
    """
    needed = {"target", "model", "seed", "measure", "value", "error"}
    rows = pd.concat([read_table(path, "measures of a flow", needed) for path in paths])
    groups = rows.groupby(["target", "model", "measure"], sort=False)
    table = groups.agg(
        num_seeds=("seed", "count"),
        value=("value", "mean"),
        error=("error", "mean"),
        seed_std=("value", lambda values: values.std(ddof=1)),
    ).reset_index()
    table.insert(2, "label", [labels.get(model, model) for model in table.model])
    order = {name: number for number, name in enumerate(labels)}
    table["order"] = [order.get(model, len(order)) for model in table.model]
    table["first"] = table.target.map(
        {t: n for n, t in enumerate(rows.target.unique())}
    )
    table = table.sort_values(["first", "order"], kind="stable")
    return table.drop(columns=["order", "first"]).reset_index(drop=True)


def layout_likelihood(table: pd.DataFrame) -> pd.DataFrame:
    """Held-out negative log-likelihood, in nats: flows down, targets across.

    Each cell says the best figure that there is (exact, or importance-weighted with K
    samples), its standard error, what it has more than the target's entropy, and the
    bound (minus the ELBO).
    """
    cells = {
        (label, target): _likelihood(rows.set_index("measure"))
        for (target, label), rows in table.groupby(["target", "label"], sort=False)
    }
    return _across(cells, "held-out -ln p (nats)")


def layout_structure(table: pd.DataFrame) -> pd.DataFrame:
    """What is true of the maps of the flows that have Hamiltonians."""
    cells = {}
    with_steps = table[table.measure == "log_volume_change"]
    for target, model in with_steps[["target", "model"]].itertuples(index=False):
        rows = table[(table.target == target) & (table.model == model)]
        values = rows.set_index("measure").value
        for start, name in STRUCTURE.items():
            found = [v for m, v in values.items() if m == start or _is_step(m, start)]
            if found:
                column = (rows.label.iloc[0], target)
                cells[name, " on ".join(column)] = ", ".join(f"{v:.2g}" for v in found)
    return _across(cells, "of the map (steps in order)")


def layout_cost(costs: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Medians of the times of all flows, and their ratios to one of them."""
    (ratio,) = [name for name in costs.columns if name.startswith("ratio_to_")]
    cells = {}
    for row in costs.itertuples():
        relative = getattr(row, ratio)
        text = f"{row.milliseconds:.3g} ms"
        if np.isfinite(relative):
            text += f" (x {relative:.2g})"
        cells[labels.get(row.model, row.model), row.task] = text
    return _across(cells, "median (x that of " + ratio.removeprefix("ratio_to_") + ")")


def read_costs(path: str | Path) -> pd.DataFrame:
    """Table of rule benchmark_flows.

    Raises:
        ValueError: If the file is missing, empty or lacks a column.
    """
    return read_table(path, "costs of flows", {"model", "task", "milliseconds"})


def _likelihood(rows: pd.DataFrame) -> str:
    nll = rows.loc["nll"]
    lines = [f"{nll.value:.3f} ± {nll.error:.3f}"]
    samples = rows.value.get("num_importance_samples", 0)
    lines[0] += f" (K = {samples:.0f})" if samples else ""
    if "excess" in rows.index:
        excess = rows.loc["excess"]
        lines.append(f"excess {excess.value:.3f} ± {excess.error:.3f}")
        if np.isfinite(excess.seed_std):
            lines.append(f"seeds ± {excess.seed_std:.3f}")
    if samples:
        lines.append(f"bound {rows.value['nll_bound']:.3f}")
    return "<br>".join(lines)


def _is_step(measure: str, start: str) -> bool:
    return measure.startswith(start + "_") and measure.rpartition("_")[2].isdigit()


def _across(cells: Mapping[tuple[str, str], str], name: str) -> pd.DataFrame:
    rows = list(dict.fromkeys(row for row, _ in cells))
    columns = list(dict.fromkeys(column for _, column in cells))
    body = [[cells.get((row, column), "—") for column in columns] for row in rows]
    return pd.DataFrame(body, pd.Index(rows, name=name), columns)
