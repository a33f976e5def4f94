"""The measures of the dynamics, side by side: a table for each system."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from hgnpipe.reporting.table1 import read_table

MEASURES = {
    "mse_window_x1e4": "MSE of the frames shown",
    "mse_beyond": "MSE of the {} frames beyond",
    "mse_before": "MSE of the {} frames before",
    "valid_steps": "valid steps beyond",
    "skilful_steps": "skilful steps beyond",
    "reversibility_error": "reversibility error",
    "speed_mse_x1e4": "MSE between dt/2 and dt",
    "energy_drift": "energy drift, frames shown",
    "energy_drift_beyond": "energy drift, up to the last beyond",
    "energy_r2_linear": "R² of the energy, linear",
    "energy_r2_monotone": "R² of the energy, monotone",
    "latents": "latent dimensions",
    "latents_collapsed": "of these collapsed",
    "symetric": "SyMetric, moving pairs",
    "symetric_r2": "R² of its map",
    "symetric_deviation": "deviation of its map",
    "symetric_all": "SyMetric, all pairs",
    "symetric_all_r2": "R² of its map (all)",
    "symetric_all_deviation": "deviation of its map (all)",
}
"""Measures in the order of the table, and how it calls them."""


def read_measures(
    paths: Iterable[str | Path], labels: Mapping[str, str]
) -> pd.DataFrame:
    """All measures of all runs, from rules measure and measure_references.

    Returns:
        A row per system, model, seed and measure: ``value`` (mean), ``spread``
        (standard deviation over rollouts or batches) and ``num``, how many those are.

    Raises:
        ValueError: If a file is missing, empty or lacks a column.
    """
    needed = {"system", "model", "seed", "measure", "value", "spread", "num"}
    table = pd.concat(
        [read_table(path, "measures", needed) for path in paths], ignore_index=True
    )
    table["label"] = [labels.get(model, model) for model in table.model]
    order = [*labels, *table.model]
    table["order"] = table.model.map(order.index)
    systems = list(dict.fromkeys(table.system))
    table["at"] = table.system.map(systems.index)
    table = table.sort_values(["at", "order", "seed"], kind="stable")
    columns = ["system", "model", "label", "seed", "measure", "value", "spread", "num"]
    return table[columns].reset_index(drop=True)


def layout_measures(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """A table for each system: measures down, models across; means over the seeds."""
    return {
        system: _layout(rows) for system, rows in table.groupby("system", sort=False)
    }


def _layout(rows: pd.DataFrame) -> pd.DataFrame:
    models = list(dict.fromkeys(rows.label))
    measures = sorted(dict.fromkeys(rows.measure), key=_position)
    cells = {
        key: _cell(group)
        for key, group in rows.groupby(["measure", "label"], sort=False)
    }
    body = [
        [cells.get((measure, model), "") for model in models] for measure in measures
    ]
    names = [_name(measure) for measure in measures]
    return pd.DataFrame(body, pd.Index(names, name="measure"), pd.Index(models))


def _cell(group: pd.DataFrame) -> str:
    """Mean over seeds, and spread: over rollouts, and over seeds if there are more."""
    finite = group[np.isfinite(group.value)]
    if finite.empty:
        return "not defined"
    text, spread = _short(finite.value.mean()), finite.spread.mean()
    if np.isfinite(spread):
        text += f" ± {_short(spread)}"
    if len(finite) > 1:
        text += f" (seeds ± {_short(finite.value.std(ddof=1))})"
    if len(finite) < len(group):
        text += f" ({len(group) - len(finite)} of {len(group)} seeds not defined)"
    return text


def _short(value: float) -> str:
    """Two or three digits, without an exponent where people can do without."""
    if value == round(value) and abs(value) < 1e5:
        return f"{value:.0f}"
    if not 0.001 <= abs(value) < 1e5:
        return f"{value:.1e}"
    decimals = 3 if abs(value) < 0.1 else 2 if abs(value) < 10 else 1
    return f"{value:.{decimals}f}"


def _kind(measure: str) -> tuple[str, str]:
    """Entry of `MEASURES`, and number of frames in names such as mse_beyond_30_x1e4."""
    kind, _, digits = measure.removesuffix("_x1e4").rpartition("_")
    counted = kind in MEASURES and digits.isdigit() and "{}" in MEASURES[kind]
    return (kind, digits) if counted else (measure, "")


def _name(measure: str) -> str:
    kind, frames = _kind(measure)
    if kind not in MEASURES:
        return measure
    scale = " x1e4" if measure.endswith("_x1e4") else ""
    return MEASURES[kind].format(frames) + scale


def _position(measure: str) -> tuple[int, int]:
    kind, frames = _kind(measure)
    return [*MEASURES, kind].index(kind), int(frames or 0)
