"""Sweeps: errors of rows that differ in a value, or in several."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from hgnpipe.reporting.runs import label_of
from hgnpipe.reporting.table1 import REFERENCES, layout1, table1

LEFT_OUT = ("published", "published_mse_x1e4", "published_std_x1e4")
NONE_PUBLISHED = ("model", "system", "split", "mse_x1e4", "std_x1e4")

Rows = Mapping[str, Mapping[str, Any]]
"""Value by option of every row."""


def value_text(value: object) -> str:
    """A value as in the configuration."""
    if isinstance(value, list):
        return f"[{', '.join(map(value_text, value))}]"
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def sweep_table(
    errors: pd.DataFrame,
    rows: Rows,
    labels: Mapping[str, str],
    systems: Iterable[str] = (),
) -> pd.DataFrame:
    """Table 1 of the rows of a sweep and the references, with a column per option.

    Args:
        errors: A row per trajectory, see `hgnpipe.reporting.table1.read_errors`.
        rows: What is swept.
        labels: How models are called.
        systems: In the order of the table; others follow.

    Returns:
        See `hgnpipe.reporting.table1.table1`; nothing is compared with the paper.
        Options have no value where the row is a reference.
    """
    wanted = [*rows, *REFERENCES]
    published = pd.DataFrame(columns=NONE_PUBLISHED)
    table = table1(
        errors[errors.model.isin(wanted)],
        published,
        {name: label_of(name, labels) for name in wanted},
        systems,
    ).drop(columns=[*LEFT_OUT])
    options = dict.fromkeys(option for values in rows.values() for option in values)
    for place, option in enumerate(options, start=2):
        texts = [
            value_text(rows[name][option]) if name in rows else ""
            for name in table.model
        ]
        table.insert(place, option, texts)
    return table


def layout_sweep(
    table: pd.DataFrame, rows: Rows, systems: Iterable[str] = ()
) -> pd.DataFrame:
    """A sweep laid out like Table 1: values down, systems and splits across."""
    nowhere = {column: float("nan") for column in LEFT_OUT[1:]}
    names = {
        row: "\n".join(f"{option} = {value_text(v)}" for option, v in values.items())
        for row, values in rows.items()
    }
    shown = table.assign(**nowhere, published=False)
    shown["label"] = [names.get(row.model, row.label) for row in table.itertuples()]
    return layout1(shown, systems).rename_axis(index="values")


def places(values: Sequence[Any]) -> tuple[list[float], bool]:
    """Where values stand on an axis, and whether it is logarithmic.

    Numbers stand at themselves, on a logarithmic axis if the largest is at least ten
    times the smallest and all are positive; anything else stands side by side.
    """
    if not all(isinstance(v, (int, float)) and type(v) is not bool for v in values):
        different = list(dict.fromkeys(map(value_text, values)))
        return [float(different.index(value_text(value))) for value in values], False
    return [*map(float, values)], min(values) > 0 and max(values) >= 10 * min(values)
