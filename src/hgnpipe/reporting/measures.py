"""The measures of the dynamics, side by side: a table for each system."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from hgnpipe.reporting.pages import across, in_order, read_table, short
from hgnpipe.reporting.runs import label_of, system_label

MEASURES = {
    "mse_window_x1e4": "MSE of the frames shown",
    "mse_beyond": "MSE of the {} frames beyond",
    "mse_before": "MSE of the {} frames before",
    "skill_window": "skill of the frames shown",
    "skill_beyond": "skill of the {} frames beyond",
    "skill_before": "skill of the {} frames before",
    "valid_steps": "valid steps beyond",
    "skilful_steps": "skilful steps beyond",
    "reversibility_error": "reversibility error",
    "speed_mse_x1e4": "MSE between dt/2 and dt",
    "rate_mse": "MSE of the time derivatives",
    "state_mse": "MSE of the states, {} steps",
    "true_energy_drift": "drift of the true energy, {} steps",
    "mse_x1e4": "MSE of the videos",
    "skill": "skill",
    "energy_drift": "energy drift, frames shown",
    "energy_drift_beyond": "energy drift, up to the last beyond",
    "energy_r2_linear": "R² of the energy, linear",
    "energy_r2_monotone": "R² of the energy, monotone",
    "latents": "latent dimensions",
    "latents_collapsed": "of these collapsed",
    "pairs_used": "used latent pairs",
    "symetric": "SyMetric, moving pairs",
    "symetric_r2": "R² of its map",
    "symetric_deviation": "deviation of its map",
    "symetric_all": "SyMetric, all pairs",
    "symetric_all_r2": "R² of its map (all)",
    "symetric_all_deviation": "deviation of its map (all)",
    "sample_energy_shift": "samples: shift of the mean energy",
    "sample_energy_std": "samples: spread of energies",
    "sample_energy_distance": "samples: distance of the energies",
    "inferred_energy_distance": "the same of videos, by the map",
    "state_map_r2": "R² of the map to true states",
    "sample_nearest_x1e4": "samples: MSE to the nearest true picture",
    "true_nearest_x1e4": "the same of true pictures",
    "sample_diversity": "samples: diversity, first frames",
    "sample_diversity_last": "samples: diversity, last frames",
    "sample_motion": "samples: motion",
}
"""Measures in the order of the table, and how it calls them."""
EXPLANATION = (
    "{preset} preset, test trajectories, mean ± standard deviation over them. Models "
    "infer a state from the frames shown (HNN from the first two), and are then "
    "followed beyond and before them. Errors are against frames without noise, unlike "
    "those of Table 1. Where bodies leave the picture, as three do, it empties, and "
    "all errors fall. Motions that could not be solved exactly are left out. A cell is "
    "empty where a model lacks what is measured: an energy, states, a posterior, a "
    "prior, or steps of half a frame.",
    "Skill: 1 - MSE / MSE of the mean image on the same frames, of mean errors; as "
    "there is no noise in them, 1 is the true video and 0 the mean image. It is not "
    "the skill of Table 1, which is against noisy frames.",
    "Valid steps: frames beyond those shown until the error first passes 0.025 of the "
    "frame's mean square (in the literature the median over both directions; here the "
    "mean, forward, at most all frames); on a grey background the mean image passes "
    "late or never, so compare with its column. Skilful steps: until the error first "
    "passes half of the mean image's. Reversibility error: distance from the first "
    "state after rolling out over the frames shown and back, relative to the spread of "
    "first states. Energy drift: largest change of the learned energy in a rollout, "
    "relative to the standard deviation of the energy over rollouts. R² of the energy: "
    "how much of the true energy over held-out rollouts a line or any monotone "
    "function of the learned energy explains. Collapsed: posterior variance of 0.5 or "
    "more, where the prior's is 1. Used latent pairs: half of the dimensions that have "
    "not collapsed, as a pair (q, p) takes two.",
    "SyMetric (Higgins et al., 2021): share of batches of five rollouts, of up to 60 "
    "steps, in which a polynomial from latent to true states has R² > 0.9 and "
    "deviates from a symplectic map by less than 0.05. Moving pairs: a symplectic "
    "projection of the latent pairs to at most as many as move in truth. All pairs: "
    "every latent pair, which for more than 32 dimensions means a linear map; with "
    "more dimensions than points it fits anything: its R² says little for HGN. With "
    "one true pair, a linear map always passes the second condition.",
    "Samples, of models with a prior: 300 motions drawn from it, of which 50 are "
    "looked at as videos. Their true energies come from a polynomial, up to degree 3, "
    "from latent to true states, fitted on test videos (latents drawn from the "
    "posterior; of many dimensions the 40 principal components); R² of the map is on "
    "held-out videos. Energies are in standard deviations of the data's: shift of the "
    "mean (0 is right), spread (1 is right) and Wasserstein distance (0 is right; 0.1 "
    "to 0.2 by chance). Where the map is bad, so is the distance of the test videos' "
    "own energies by the map, and the samples' says nothing. Nearest true picture: how "
    "sharp and how possible a frame is; compare with the same of other true pictures. "
    "Diversity (mean squared difference of two videos) and motion (of later frames "
    "from the first) are relative to true videos: 1 is right, a model on the mean "
    "image has 0.",
)
"""What the measures are, in the words that stand below their tables."""


def read_measures(
    paths: Iterable[str | Path],
    labels: Mapping[str, str],
    systems: Iterable[str] = (),
) -> pd.DataFrame:
    """All measures of all runs and references.

    Args:
        paths: Tables of rules that measure.
        labels: How the models are called, in the order of the columns.
        systems: In the order of the tables; others follow.

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
    table["label"] = [label_of(model, labels) for model in table.model]
    seeds = sorted(table.seed.unique())
    table = in_order(table, system=systems, model=labels, seed=seeds)
    columns = ["system", "model", "label", "seed", "measure", "value", "spread", "num"]
    return table[columns]


def layout_measures(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """A table for each system: measures down, models across; means over the seeds."""
    groups = table.groupby("system", sort=False)
    return {system_label(system): _layout(rows) for system, rows in groups}


def _layout(rows: pd.DataFrame) -> pd.DataFrame:
    models = list(dict.fromkeys(rows.label))
    cells = {
        (_name(measure), label): _cell(group)
        for (measure, label), group in rows.groupby(["measure", "label"], sort=False)
    }
    measures = map(_name, sorted(dict.fromkeys(rows.measure), key=_position))
    return across(cells, "measure", "").reindex(index=measures, columns=models)


def _cell(group: pd.DataFrame) -> str:
    """Mean over seeds, and spread: over rollouts, and over seeds if there are more."""
    finite = group[np.isfinite(group.value)]
    if finite.empty:
        return "not defined"
    text, spread = short(finite.value.mean()), finite.spread.mean()
    if np.isfinite(spread):
        text += f" ± {short(spread)}"
    if len(finite) > 1:
        text += f" (seeds ± {short(finite.value.std(ddof=1))})"
    if len(finite) < len(group):
        text += f" ({len(group) - len(finite)} of {len(group)} seeds not defined)"
    return text


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
