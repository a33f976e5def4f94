"""Rule fig10: NHF and RNVP on one target: densities, and likelihood during training."""

from collections.abc import Iterable
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure

from hgnpipe.data.points import PointSets, load_points
from hgnpipe.densities import build_density
from hgnpipe.evaluation.portraits import grid_of, load_portrait
from hgnpipe.reporting.flows import read_costs, read_likelihood
from hgnpipe.reporting.pages import read_table
from hgnpipe.reporting.plotting import (
    WIDTH,
    figure_style,
    model_styles,
    save_figure,
    say,
)
from hgnpipe.reporting.runs import by_run
from hgnpipe.runtime.command import run

LIMIT = {"color": "0.45", "linestyle": (0, (1, 1.5)), "linewidth": 1.2}


def main(
    points: Path,
    portraits: list[Path],
    history: list[Path],
    likelihood: list[Path],
    costs: Path,
    num_importance_samples: int,
    labels: dict,
    output: list[Path],
) -> None:
    """Draw Fig. 10.

    Args:
        points: Points of the target.
        portraits: Portrait of every flow, of one seed.
        history: Course of the training of every flow with every seed, CSV.
        likelihood: Measures of every flow with every seed, CSV.
        costs: What a training step of every flow costs, CSV.
        num_importance_samples: Samples per point behind the courses of NHF.
        labels: Names of the flows.
        output: Files to write, in the formats that their names ask for.
    """
    data, origin = load_points(points)
    densities = {
        run.model: load_portrait(path) for run, path in by_run(portraits).items()
    }
    needed = {"iteration", "held_out", "held_out_bound"}
    courses: dict[str, list[pd.DataFrame]] = {}
    for one, path in by_run(history).items():
        course = read_table(path, "the course of a training", needed)
        courses.setdefault(one.model, []).append(course.set_index("iteration"))
    found = read_likelihood(likelihood, labels) if likelihood else None
    with figure_style():
        rows = 1 if len(densities) < 5 else 2
        figure = plt.figure(figsize=(WIDTH, 2.6 + 1.9 * rows))
        top, bottom = figure.subfigures(2, 1, height_ratios=[1.9 * rows, 2.6])
        panels = top.subplots(rows, -(-max(2, 1 + len(densities)) // rows)).flat
        draw_densities(panels, data, origin, densities, found, labels)
        axes = draw_courses(bottom, data, courses, step_times(costs), labels)
        axes.set_ylabel(
            f"held-out $\\ln p$ (nats)\nNHF: $K = {num_importance_samples}$"
        )
        save_figure(figure, output)


def step_times(path: Path) -> dict[str, float]:
    """Seconds that a training step of every flow takes."""
    costs = read_costs(path)
    steps = costs[costs.task.str.startswith("training step")]
    return dict(zip(steps.model, steps.milliseconds / 1000, strict=True))


def draw_densities(
    panels: Iterable[Axes],
    data: PointSets,
    origin: dict,
    portraits: dict,
    found: pd.DataFrame | None,
    labels: dict[str, str],
) -> None:
    """The true density and that of every flow, with the same colours."""
    panels = list(panels)
    for axes in panels:
        axes.axis("off")
    if not portraits:
        say(panels[1], "no flow of this target\nis trained yet")
        return
    first = next(iter(portraits.values()))
    num, reach = len(first.density), first.position_range
    target = build_density(origin["kind"], **origin["options"])
    truth = np.exp(target.log_density(grid_of(reach, num))).reshape(num, num)
    extent = (-reach, reach, -reach, reach)
    style = {"origin": "lower", "extent": extent, "vmin": 0, "vmax": truth.max()}
    panels[0].imshow(truth, **style)
    entropy = -data.log_density.mean()
    panels[0].set_title(f"target\nentropy {entropy:.3f}")
    for axes, (model, portrait) in zip(panels[1:], portraits.items(), strict=False):
        axes.imshow(portrait.density, **style)
        excess = found.query("model == @model and measure == 'excess'").value.mean()
        axes.set_title(f"{labels.get(model, model)}\nexcess {excess:.3f}")


def draw_courses(
    figure: SubFigure,
    data: PointSets,
    courses: dict[str, list[pd.DataFrame]],
    seconds: dict[str, float],
    labels: dict[str, str],
) -> Axes:
    """Held-out log-likelihood against steps and time; answers the left panel."""
    left, right = figure.subplots(1, 2, sharey=True)
    styles = model_styles(courses)
    limit = data.validation_log_density.mean()
    for axes, x in ((left, "training step"), (right, "seconds of training")):
        axes.axhline(limit, label="target", **LIMIT)
        axes.set(xlabel=x, xmargin=0)
    for model, seeds in courses.items():
        text = labels.get(model, model)
        for axes, scale in ((left, 1.0), (right, seconds.get(model, np.nan))):
            draw_course(axes, seeds, scale, styles[model]["color"], text)
    for axes in (left, right):
        axes.set_xlim(left=0)
    ends = [-one.held_out.iloc[-1] for seeds in courses.values() for one in seeds]
    worst = min(filter(np.isfinite, ends), default=limit - 1)
    left.set_ylim(limit - 2.5 * max(limit - worst, 0.1), limit + 0.05)
    handles, names = left.get_legend_handles_labels()
    place = {"loc": "outside lower center", "ncols": min(4, len(names))}
    figure.legend(handles, names, **place)
    return left


def draw_course(
    axes: Axes, seeds: list[pd.DataFrame], scale: float, color: str, label: str
) -> None:
    """Mean over the seeds and their range; dashed, the bound where it is another."""
    table = -pd.concat([course.held_out for course in seeds], axis=1)
    bound = -pd.concat([course.held_out_bound for course in seeds], axis=1)
    x = table.index * scale
    axes.plot(x, table.mean(axis=1), color=color, label=label)
    axes.fill_between(
        x, table.min(axis=1), table.max(axis=1), color=color, alpha=0.2, lw=0
    )
    if not np.allclose(table, bound):
        axes.plot(x, bound.mean(axis=1), color=color, ls=(0, (4, 1.5)), lw=0.7)


if __name__ == "__main__":
    run(main)
