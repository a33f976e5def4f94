"""Readings of the paper: rows that differ in one thing each, and what that is worth."""

import re

import numpy as np
import pandas as pd

from hgnpipe.reporting.pages import across, short
from hgnpipe.reporting.runs import system_label

COLUMNS = {
    r"mse_window_x1e4": "MSE shown x1e4",
    r"skill_window": "skill shown",
    r"skill_before_(\d+)": "skill, {} before",
    r"skill_beyond_(\d+)": "skill, {} beyond",
    r"reversibility_error": "reversibility error",
    r"energy_drift_beyond": "energy drift",
    r"energy_r2_monotone": "R\N{SUPERSCRIPT TWO} of the energy",
    r"symetric": "SyMetric",
    r"sample_energy_distance": "samples: distance of energies",
}
"""Measures that are shown, in the order of the columns, and what heads them."""
CAPTION = (
    "{preset} preset, test trajectories, means over them; seeds \N{PLUS-MINUS SIGN}: "
    "standard deviation over the training seeds, where there are several. Every row "
    "differs from the first, {baseline}, in what it names. What the "
    "measures are stands below the measures of the dynamics, which have more of them."
)
"""What stands below the table."""


def readings(measures: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """A row per system and model, a column per measure, mean over the seeds.

    Args:
        measures: From `hgnpipe.reporting.measures.read_measures`.
        baseline: The model that comes first.

    Returns:
        Beside each measure its standard deviation over the seeds, ``..._std``.
    """
    names = [name for name in dict.fromkeys(measures.measure) if _heading(name)]
    names.sort(key=lambda name: (_place(name), len(name), name))
    rows = []
    for (system, model), group in measures.groupby(["system", "model"], sort=False):
        values = group.groupby("measure").value
        mean, std = values.mean(), values.std(ddof=1)
        row = {"system": system, "model": model, "label": group.label.iloc[0]}
        row["num_seeds"] = group.seed.nunique()
        for name in names:
            row[name] = mean.get(name, np.nan)
            row[f"{name}_std"] = std.get(name, np.nan)
        rows.append(row)
    table = pd.DataFrame(rows)
    other = table.model != baseline
    first = table.system.map({s: n for n, s in enumerate(table.system.unique())})
    order = table.assign(first=first, other=other)
    order = order.sort_values(["first", "other"], kind="stable").index
    return table.loc[order].reset_index(drop=True)


def layout_readings(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """A table for each system: readings down, measures across."""
    groups = table.groupby("system", sort=False)
    return {system_label(system): _layout(rows) for system, rows in groups}


def _layout(rows: pd.DataFrame) -> pd.DataFrame:
    cells = {}
    for row in rows.to_dict("records"):
        for name in filter(_heading, row):
            text = short(row[name]) if np.isfinite(row[name]) else "N/A"
            if np.isfinite(spread := row[f"{name}_std"]):
                text += f"\nseeds \N{PLUS-MINUS SIGN} {short(spread)}"
            cells[row["label"], _heading(name)] = text
    return across(cells, "reading", "N/A")


def _place(name: str) -> int:
    """Position of a measure among the columns; their number if it has none."""
    found = (n for n, key in enumerate(COLUMNS) if re.fullmatch(key, name))
    return next(found, len(COLUMNS))


def _heading(name: str) -> str:
    """What heads the column of a measure; nothing if it is not shown."""
    for key, text in COLUMNS.items():
        if match := re.fullmatch(key, name):
            return text.format(*match.groups())
    return ""
