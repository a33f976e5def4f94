"""The tables of the flows: held-out likelihood, structure of the map, and cost."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from hgnpipe.reporting.pages import across, in_order, read_table
from hgnpipe.reporting.runs import label_of, system_label

STRUCTURE = {
    "num_modes": "modes of the density",
    "num_minima": "minima of V",
    "modes_with_minimum": "share of modes with a minimum",
    "log_volume_change": "change of log-volume",
    "inversion_error_float32": "inverse, float32",
    "inversion_error_float64": "inverse, float64",
}
"""Rows of the table of the structure; those of every step end in its number."""
UNJUDGED = {
    "num_unjudged": "points not judged",
    "num_unjudged_bound": "not by the bound",
}
"""How many points the means of a cell leave out, and what a cell calls them."""
EXPLANATION = (
    "{preset} preset. Held-out -ln p: mean over the test points ± its standard error, "
    "in nats; exact for RNVP, for NHF importance-weighted with K samples of the "
    "momentum (on average an upper bound, tight for large K). Bound: minus the ELBO "
    "(Eq. 6). Target: the true density at the same points; excess: what a flow has "
    "more than that. Seeds ±: standard deviation of the excess over the seeds. Points "
    "not judged: so far from what a flow has learned that it gives them no number; the "
    "means leave them out (their number is a mean over the seeds). "
    "Gaussian: mean and covariance of the training points. Tables of one's own are "
    "standardised; their true density is not known.",
    "Minima of V: local minima of the potential energy of every step, reached by "
    "descent from test points; a mode has one if a minimum is nearer to it than half "
    "of the way to the next mode. Change of log-volume: largest absolute ln |det J| of "
    "the whole flow at 100 draws of the prior, by autodiff in float64. "
    "Inverse: largest distance of a coordinate from itself after the flow and its "
    "inverse. Means over the seeds.",
    "Cost: medians of rounds in which all flows took turns, so that the ratios hold "
    "even on a machine that does other work.",
)
"""What the measures are, in the words that stand below their tables."""


def read_likelihood(
    paths: Iterable[str | Path], labels: Mapping[str, str]
) -> pd.DataFrame:
    """Measures of all flows on all densities, averaged over the seeds.

    Args:
        paths: Tables of rules evaluate_flow and evaluate_flow_references.
        labels: How the flows are called, in the order of the rows.

    Returns:
        A row per density, model and measure: ``label``, ``num_seeds``, ``value`` (mean
        over the seeds), ``error`` (standard error over the points, mean over the
        seeds) and ``seed_std``; empty where there is one seed or none.

    Raises:
        ValueError: If a file is missing, empty or lacks a column.
    """
    needed = {"density", "model", "seed", "measure", "value", "error"}
    rows = pd.concat([read_table(path, "measures of a flow", needed) for path in paths])
    groups = rows.groupby(["density", "model", "measure"], sort=False)
    table = groups.agg(
        num_seeds=("seed", "count"),
        value=("value", "mean"),
        error=("error", "mean"),
        seed_std=("value", lambda values: values.std(ddof=1)),
    ).reset_index()
    table.insert(2, "label", [label_of(model, labels) for model in table.model])
    return in_order(table, density=rows.density, model=labels)


def layout_flows(
    table: pd.DataFrame, costs: pd.DataFrame, labels: Mapping[str, str]
) -> dict[str, pd.DataFrame]:
    """All three tables, by what they are about."""
    return {
        "Likelihood": layout_likelihood(table),
        "Structure of the map": layout_structure(table),
        "Cost": layout_cost(costs, labels),
    }


def layout_likelihood(table: pd.DataFrame) -> pd.DataFrame:
    """Held-out negative log-likelihood, in nats: flows down, densities across.

    Each cell says the best figure that there is (exact, or importance-weighted with K
    samples), its standard error, what it has more than the entropy of the density, and
    the bound (minus the ELBO).
    """
    cells = {
        (label, system_label(density)): _likelihood(rows.set_index("measure"))
        for (density, label), rows in table.groupby(["density", "label"], sort=False)
    }
    return across(cells, "held-out -ln p (nats)", "—")


def layout_structure(table: pd.DataFrame) -> pd.DataFrame:
    """What is true of the maps of the flows that have Hamiltonians."""
    cells = {}
    with_steps = table[table.measure == "log_volume_change"]
    for density, model in with_steps[["density", "model"]].itertuples(index=False):
        rows = table[(table.density == density) & (table.model == model)]
        values = rows.set_index("measure").value
        for start, name in STRUCTURE.items():
            found = [v for m, v in values.items() if m == start or _is_step(m, start)]
            if found:
                column = (rows.label.iloc[0], system_label(density))
                texts = [f"{v:.2g}" if np.isfinite(v) else "not finite" for v in found]
                cells[name, " on ".join(column)] = ", ".join(texts)
    return across(cells, "of the map (steps in order)", "—")


def layout_cost(costs: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Medians of the times of all flows, and their ratios to one of them."""
    (ratio,) = [name for name in costs.columns if name.startswith("ratio_to_")]
    cells = {}
    for row in costs.itertuples():
        relative = getattr(row, ratio)
        text = f"{row.milliseconds:.3g} ms"
        if np.isfinite(relative):
            text += f" (x {relative:.2g})"
        cells[label_of(row.model, labels), row.task] = text
    reference = label_of(ratio.removeprefix("ratio_to_"), labels)
    return across(cells, f"median (x that of {reference})", "—")


def read_costs(path: str | Path) -> pd.DataFrame:
    """Table of rule flow_costs.

    Raises:
        ValueError: If the file is missing, empty or lacks a column.
    """
    return read_table(path, "costs of flows", {"model", "task", "milliseconds"})


def _likelihood(rows: pd.DataFrame) -> str:
    nll = rows.loc["nll"]
    lines = [_with_error(nll)]
    samples = rows.value.get("num_importance_samples", 0)
    lines[0] += f" (K = {samples:.0f})" if samples else ""
    if "excess" in rows.index:
        excess = rows.loc["excess"]
        lines.append(f"excess {_with_error(excess)}")
        if np.isfinite(excess.seed_std):
            lines.append(f"seeds ± {excess.seed_std:.3f}")
    if samples:
        lines.append(f"bound {_with_error(rows.loc['nll_bound']).partition(' ±')[0]}")
    for name, words in UNJUDGED.items():
        if rows.value.get(name, 0) > 0:
            lines.append(f"{words}: {rows.value[name]:.3g}")
    return "\n".join(lines)


def _with_error(row: pd.Series) -> str:
    """A mean and its standard error; in words where no point could be judged."""
    if not np.isfinite(row.value):
        return "not finite at any point"
    error = f" ± {row.error:.3f}" if np.isfinite(row.error) else " (one point)"
    return f"{row.value:.3f}{error}"


def _is_step(measure: str, start: str) -> bool:
    return measure.startswith(start + "_") and measure.rpartition("_")[2].isdigit()
