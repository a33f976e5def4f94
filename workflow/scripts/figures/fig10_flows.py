"""Rule fig10: NHF and RNVP on one density: what they learned, and how fast."""

from collections.abc import Iterable
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure

from hgnpipe.data.points import PointSets, load_points
from hgnpipe.densities import build_density
from hgnpipe.evaluation.kept import Portrait, grid_of, load_portrait
from hgnpipe.reporting.flows import read_costs, read_likelihood
from hgnpipe.reporting.plotting import (
    REFERENCES,
    WIDTH,
    add_legend,
    draw_seeds,
    figure_style,
    log_scale,
    model_styles,
    save_figure,
    say,
)
from hgnpipe.reporting.runs import by_run, label_of, read_history
from hgnpipe.runtime.command import run

LIMIT = REFERENCES["noise_floor"]
"""Style of the line of the true density."""
BOUND = {"linestyle": (0, (4, 1.5)), "linewidth": 1.0}
CUT = "_cut"
"""Name of the mark of an axis that does not show all."""


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
            titles[model] = f"{label_of(model, labels)}\nexcess {excess:.3f} nats"
    steps = read_costs(costs)
    steps = steps[steps.task.str.startswith("training step")].set_index("model")
    seconds = (steps.milliseconds / 1000).to_dict()
    with figure_style():
        rows = 1 if len(shown) < 5 else 2
        figure = plt.figure(figsize=(WIDTH, 4.0 + 2.1 * rows))
        top, bottom = figure.subfigures(2, 1, height_ratios=[2.1 * rows, 4.0])
        panels = top.subplots(rows, -(-max(2, 1 + len(shown)) // rows), squeeze=False)
        draw_densities(panels, data, origin, shown, titles)
        left = draw_courses(bottom, data, courses, seconds, labels)
        watched = f"NHF: $K = {num_importance_samples}$"
        left.set_ylabel(f"held-out $\\ln p$ (nats)\n{watched}")
        save_figure(figure, output)


def draw_densities(
    panels: np.ndarray,
    data: PointSets,
    origin: dict,
    portraits: dict[str, Portrait],
    titles: dict[str, str],
) -> None:
    """The true density and that of every flow, with the same colours."""
    for axes in panels.flat:
        axes.axis("off")
    if not portraits:
        say(panels.flat[1], "no flow of this target\nis trained yet")
        return
    first = next(iter(portraits.values()))
    num, reach = len(first.density), first.position_range
    density = build_density(origin["kind"], **origin["options"])
    truth = np.exp(density.log_density(grid_of(reach, num))).reshape(num, num)
    extent = (-reach, reach, -reach, reach)
    style = {"origin": "lower", "extent": extent, "vmin": 0, "vmax": truth.max()}
    shown = {f"target\nentropy {-data.log_density.mean():.3f} nats": truth}
    shown |= {titles[model]: one.density for model, one in portraits.items()}
    ticks = [-round(0.7 * reach), 0, round(0.7 * reach)]
    for axes, (title, values) in zip(panels.flat, shown.items(), strict=False):
        axes.axis("on")
        image = axes.imshow(values, **style)
        axes.set(title=title, xticks=ticks, yticks=ticks, xlabel="$q_1$")
    for axes in panels[:, 0]:
        axes.set_ylabel("$q_2$", labelpad=-2)
    beyond = any(one.density.max() > truth.max() for one in portraits.values())
    extend = "max" if beyond else "neither"
    bar = axes.figure.colorbar(image, ax=panels, extend=extend, aspect=25, pad=0.02)
    bar.set_label("density $p(q)$")


def draw_courses(
    figure: SubFigure,
    data: PointSets,
    courses: dict[str, dict[int, pd.DataFrame]],
    seconds: dict[str, float],
    labels: dict[str, str],
) -> Axes:
    """Held-out log-likelihood against steps and time; answers its left panel.

    The mean over the seeds and their range. Below, the bound where it is another: as
    what it has less than the target, on a logarithmic scale, for it can be far below.
    """
    panels = figure.subplots(2, 2, sharex="col", sharey="row", height_ratios=[3, 2])
    styles = model_styles(courses)
    limit = data.validation_log_density.mean()
    handles = {}
    words = ("training step", "time of training (s)")
    for (above, below), x in zip(panels.T, words, strict=True):
        handles["target"] = above.axhline(limit, label="target", **LIMIT)
        below.set(xlabel=x, xmargin=0)
        for model, seeds in courses.items():
            scale = seconds.get(model, np.nan) if below is panels[1, 1] else 1.0
            both = pd.concat(seeds, axis=1).swaplevel(axis=1)
            both.index = both.index * scale
            label = label_of(model, labels)
            style = {"color": styles[model]["color"], "label": label}
            handles[label], *_ = draw_seeds(above, both.held_out, 0.2, **style)
            if not np.allclose(both.held_out, both.held_out_bound):
                bound = both.held_out_bound.mean(axis=1)
                below.plot(limit - bound, **style, **BOUND)
        below.set_xlim(left=0)
    ends = [one.held_out.iloc[-1] for one in each(courses)]
    worst = min(filter(np.isfinite, ends), default=limit - 1)
    cut_below(panels[0], limit - 2.5 * max(limit - worst, 0.1), courses)
    panels[0, 0].set_ylim(top=limit + 0.05)
    scale_bounds(panels[1])
    handles["ELBO (below)"] = plt.Line2D([], [], color="0.3", **BOUND)
    add_legend(figure, handles, ncols=min(4, len(handles)), handlelength=None)
    return panels[0, 0]


def each(courses: dict[str, dict[int, pd.DataFrame]]) -> list[pd.DataFrame]:
    """Courses of all models with all seeds."""
    return [one for seeds in courses.values() for one in seeds.values()]


def cut_below(
    panels: Iterable[Axes], low: float, courses: dict[str, dict[int, pd.DataFrame]]
) -> None:
    """End the axis where the first steps would leave no room; marked if they do."""
    cut = any((one.held_out < low).any() for one in each(courses))
    for axes in panels:
        axes.set_ylim(bottom=low)
        if cut:
            style = {"marker": [(-1, -0.5), (1, 0.5)], "markersize": 6, "color": "k"}
            style |= {"linestyle": "none", "clip_on": False, "zorder": 5}
            where = axes.transAxes
            axes.plot([0, 0], [0.02, 0.05], label=CUT, transform=where, **style)
            words = {"fontsize": 6, "color": "0.3", "ha": "right", "transform": where}
            axes.text(0.99, 0.02, "axis cut: curves go on below", **words)


def scale_bounds(panels: Iterable[Axes]) -> None:
    """Scale the panels of the bounds, upside down so that better is above."""
    left, *_ = panels
    left.set_ylabel("target $-$ ELBO (nats),\nbetter is above")
    if not left.get_lines():
        for axes in panels:
            say(axes, "no flow has a bound\nthat differs")
            axes.set_yticks([])
        return
    log_scale(left)
    left.invert_yaxis()


if __name__ == "__main__":
    run(main)
