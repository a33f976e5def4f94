"""Rule fig15: what GECO's kappa trades: errors, KL and samples."""

import re
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from hgnpipe.reporting.pages import read_table
from hgnpipe.reporting.plotting import (
    COLORS,
    DASHES,
    REFERENCES,
    WIDTH,
    add_legend,
    figure_style,
    log_scale,
    message,
    save_figure,
    say,
)
from hgnpipe.reporting.runs import Run, label_of, system_label
from hgnpipe.reporting.table1 import SCALE, read_errors
from hgnpipe.runtime.command import run

KEYS = [*Run._fields]
PARTS = ("window", "before", "beyond")
ROLLOUTS = "rollouts"


class Panel(NamedTuple):
    """A column of the figure: its lines are measures, by how the legend calls them."""

    title: str
    unit: str
    lines: dict[str, str]


KL, SAMPLES, TRUTH = "KL", "samples", "true videos"
BLACK = {"color": COLORS[6]}
STYLES = {KL: BLACK, SAMPLES: BLACK, TRUTH: REFERENCES["mean_image"]}
PANELS = (
    Panel("posterior", "KL divergence (nats)", {KL: "kl"}),
    Panel(
        "energies of samples",
        "distance from the data's,\nin standard deviations",
        {SAMPLES: "sample_energy_distance", TRUTH: "inferred_energy_distance"},
    ),
    Panel(
        "sharpness of samples",
        "MSE $\\times\\,10^4$ to the\nnearest true picture",
        {SAMPLES: "sample_nearest_x1e4", TRUTH: "true_nearest_x1e4"},
    ),
)


def main(
    measures: list[Path],
    errors: list[Path],
    kappas: dict,
    labels: dict,
    output: list[Path],
) -> None:
    """Draw Fig. 15.

    Args:
        measures: Measures of the dynamics of every run, CSV; none if nothing was run.
        errors: Errors of every run by trajectory, CSV; likewise.
        kappas: Kappa by system and model, of models that differ in nothing else.
        labels: Names of the models.
        output: Files to write, in the formats that their names ask for.
    """
    with figure_style():
        save_figure(draw(read(measures, errors), kappas, labels), output)


def read(measures: list[Path], errors: list[Path]) -> pd.DataFrame:
    """A row per run: its measures, and ``kl``, mean over the test trajectories."""
    needed = [*KEYS, "measure", "value"]
    none = pd.DataFrame(columns=needed).astype({"value": float})
    tables = [read_table(path, "measures", needed)[needed] for path in measures]
    rows = pd.concat(tables or [none])
    kl = read_errors(errors).query("split == 'test'").groupby(KEYS).kl.mean()
    found = rows.pivot(index=KEYS, columns="measure", values="value")
    return found.join(kl, how="outer").reset_index()


def draw(
    runs: pd.DataFrame, kappas: dict[str, dict[str, float]], labels: dict[str, str]
) -> Figure:
    """A row for each system; columns: rollouts, posterior, and two about samples."""
    if not kappas:
        return message("no models of this preset differ in kappa alone")
    columns = (rollouts(runs.columns), *PANELS)
    figure, panels = plt.subplots(
        len(kappas), len(columns), figsize=(WIDTH, 2.4 * len(kappas)), squeeze=False
    )
    handles: dict[str, Artist] = {}
    for row, (system, models) in zip(panels, kappas.items(), strict=True):
        here = runs[(runs.system == system) & runs.model.isin([*models])]
        here = here.assign(kappa=SCALE * here.model.map(models).astype(float))
        absent = [label_of(m, labels) for m in models if m not in {*here.model}]
        for axes, panel in zip(row, columns, strict=True):
            handles |= draw_panel(axes, here, panel)
            mark_kappas(axes, [SCALE * kappa for kappa in models.values()])
        if absent and not here.empty:
            remark(row[0], f"not run: {', '.join(absent)}")
        row[0].set_ylabel(f"{system_label(system)}\n{columns[0].unit}")
    for axes, panel in zip(panels[0], columns, strict=True):
        axes.set_title(panel.title)
    add_legend(figure, handles)
    return figure


def rollouts(measures: Iterable[str]) -> Panel:
    """The first column: a line for each part of a rollout whose skill was measured."""
    found = [re.fullmatch(r"skill_(\w+?)_?(\d*)", name) for name in measures]
    parts = [(m[1], int(m[2] or 0), m[0]) for m in found if m and m[1] in PARTS]
    parts.sort(key=lambda part: (PARTS.index(part[0]), part[1]))
    lines = {f"{n} frames {p}" if n else "frames shown": key for p, n, key in parts}
    return Panel(ROLLOUTS, "MSE / mean image's", lines)


def draw_panel(axes: Axes, runs: pd.DataFrame, panel: Panel) -> dict[str, Artist]:
    """Points for the runs and a line for their mean; entries for the legend."""
    axes.set(xlabel="$\\kappa\\times\\,10^4$", ylabel=panel.unit)
    table = runs.set_index("kappa").reindex(columns=[*panel.lines.values()])
    table = table.astype(float).where(np.isfinite)
    if table.isna().all(axis=None):
        say(axes, "not run" if runs.empty else "not defined")
        axes.set_yticks([])
        return {}
    if bad := int(table.isna().any(axis=1).sum()):
        remark(axes, f"not defined: {bad} of {len(table)} runs")
    handles = {}
    for number, (name, measure) in enumerate(panel.lines.items()):
        # Relative to the error of the mean image, an error is 1 - its skill.
        skill = measure.startswith("skill")
        values = (1 - table[measure] if skill else table[measure]).dropna()
        usual = {"color": COLORS[number % 6], "linestyle": DASHES[number % len(DASHES)]}
        style: dict[str, Any] = STYLES.get(name, usual)
        mean = values.groupby(level=0).mean()
        (handles[name],) = axes.plot(mean, label=name, **style)
        if name != TRUTH:
            axes.plot(values, "o", color=style["color"], markersize=2.5, alpha=0.6)
    if panel.title == ROLLOUTS:
        log_scale(axes)
    else:
        axes.set_ylim(0, 1.08 * table.max(axis=None) or 1)
    return handles if len(handles) > 1 else {}


def remark(axes: Axes, text: str) -> None:
    """Say below a panel what its lines do not show."""
    lines = [axes.get_xlabel(), textwrap.fill(text, 24, break_on_hyphens=False)]
    axes.set_xlabel("\n".join(lines))


def mark_kappas(axes: Axes, kappas: list[float]) -> None:
    """Logarithmic x, with a tick at every kappa."""
    axes.set(xscale="log", xlim=(min(kappas) / 1.1, max(kappas) * 1.1))
    axes.set_xticks(sorted({*kappas}), [f"{kappa:g}" for kappa in sorted({*kappas})])
    axes.xaxis.set_minor_locator(NullLocator())


if __name__ == "__main__":
    run(main)
