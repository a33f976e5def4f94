"""Rule fig10: NHF and RNVP on one density: what they learned, and how fast."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure

from hgnpipe.data.points import PointSets, load_points
from hgnpipe.densities import build_density
from hgnpipe.evaluation.portraits import Portrait, grid_of, load_portrait
from hgnpipe.reporting.flows import read_costs, read_likelihood
from hgnpipe.reporting.plotting import (
    REFERENCES,
    WIDTH,
    add_legend,
    draw_seeds,
    figure_style,
    model_styles,
    save_figure,
    say,
)
from hgnpipe.reporting.runs import by_run, label_of, read_history
from hgnpipe.runtime.command import run

LIMIT = REFERENCES["noise_floor"]
"""Style of the line of the true density."""


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
        points: Points of the density.
        portraits: Portrait of every flow, of one seed.
        history: Course of the training of every flow with every seed, CSV.
        likelihood: Measures of every flow with every seed, CSV.
        costs: What a training step of every flow costs, CSV.
        num_importance_samples: Samples per point behind the courses of NHF.
        labels: Names of the flows.
        output: Files to write, in the formats that their names ask for.
    """
    data, origin = load_points(points)
    shown = {one.model: load_portrait(path) for one, path in by_run(portraits).items()}
    courses: dict[str, dict[int, pd.DataFrame]] = {}
    for one, path in by_run(history).items():
        course = -read_history(path, ["held_out", "held_out_bound"])
        courses.setdefault(one.model, {})[one.seed] = course
    titles = {model: label_of(model, labels) for model in shown}
    if likelihood:
        found = read_likelihood(likelihood, labels).query("measure == 'excess'")
        for model, excess in found.groupby("model").value.mean().items():
            titles[model] = f"{label_of(model, labels)}\nexcess {excess:.3f}"
    steps = read_costs(costs)
    steps = steps[steps.task.str.startswith("training step")].set_index("model")
    seconds = (steps.milliseconds / 1000).to_dict()
    with figure_style():
        rows = 1 if len(shown) < 5 else 2
        figure = plt.figure(figsize=(WIDTH, 2.6 + 1.9 * rows))
        top, bottom = figure.subfigures(2, 1, height_ratios=[1.9 * rows, 2.6])
        panels = top.subplots(rows, -(-max(2, 1 + len(shown)) // rows)).flat
        draw_densities(list(panels), data, origin, shown, titles)
        left = draw_courses(bottom, data, courses, seconds, labels)
        watched = f"NHF: $K = {num_importance_samples}$"
        left.set_ylabel(f"held-out $\\ln p$ (nats)\n{watched}")
        save_figure(figure, output)


def draw_densities(
    panels: list[Axes],
    data: PointSets,
    origin: dict,
    portraits: dict[str, Portrait],
    titles: dict[str, str],
) -> None:
    """The true density and that of every flow, with the same colours."""
    for axes in panels:
        axes.axis("off")
    if not portraits:
        say(panels[1], "no flow of this target\nis trained yet")
        return
    first = next(iter(portraits.values()))
    num, reach = len(first.density), first.position_range
    density = build_density(origin["kind"], **origin["options"])
    truth = np.exp(density.log_density(grid_of(reach, num))).reshape(num, num)
    extent = (-reach, reach, -reach, reach)
    style = {"origin": "lower", "extent": extent, "vmin": 0, "vmax": truth.max()}
    panels[0].imshow(truth, **style)
    panels[0].set_title(f"target\nentropy {-data.log_density.mean():.3f}")
    for axes, (model, portrait) in zip(panels[1:], portraits.items(), strict=False):
        axes.imshow(portrait.density, **style)
        axes.set_title(titles[model])


def draw_courses(
    figure: SubFigure,
    data: PointSets,
    courses: dict[str, dict[int, pd.DataFrame]],
    seconds: dict[str, float],
    labels: dict[str, str],
) -> Axes:
    """Held-out log-likelihood against steps and time; answers the left panel.

    The mean over the seeds and their range; dashed, the bound where it is another.
    """
    left, right = figure.subplots(1, 2, sharey=True)
    styles = model_styles(courses)
    limit = data.validation_log_density.mean()
    handles = {}
    for axes, x in ((left, "training step"), (right, "seconds of training")):
        handles["target"] = axes.axhline(limit, label="target", **LIMIT)
        axes.set(xlabel=x, xmargin=0)
        for model, seeds in courses.items():
            scale = seconds.get(model, np.nan) if axes is right else 1.0
            both = pd.concat(seeds, axis=1).swaplevel(axis=1)
            both.index = both.index * scale
            color, label = styles[model]["color"], label_of(model, labels)
            style = {"color": color, "label": label}
            handles[label], *_ = draw_seeds(axes, both.held_out, 0.2, **style)
            if not np.allclose(both.held_out, both.held_out_bound):
                bound = both.held_out_bound.mean(axis=1)
                axes.plot(bound, color=color, ls=(0, (4, 1.5)), lw=0.7)
        axes.set_xlim(left=0)
    ends = [
        one.held_out.iloc[-1] for seeds in courses.values() for one in seeds.values()
    ]
    worst = min(filter(np.isfinite, ends), default=limit - 1)
    left.set_ylim(limit - 2.5 * max(limit - worst, 0.1), limit + 0.05)
    add_legend(figure, handles, ncols=min(4, len(handles)), handlelength=None)
    return left


if __name__ == "__main__":
    run(main)
