"""Which run a file of the results belongs to, and where the runs came from."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

REFERENCE_LABELS = {
    "mean_image": "mean image",
    "noise_floor": "noise floor",
    "true_video": "true video",
    "target": "target",
    "gaussian": "Gaussian",
}
"""How the rows are called that no model makes: what flows are compared with is the true
density, called target, and a Gaussian."""
VERSIONS = ("hgnpipe", "python", "torch", "numpy")
RECORDED = (
    *("started", "wall_s", "peak_memory_mb", "resumed_at"),
    *("device", "precision", "threads", "commit", "code", *VERSIONS),
)
"""What `read_runs` takes from the record of a run."""


class Run(NamedTuple):
    """One training: a model on a system, or a flow on a density, with a seed."""

    system: str
    model: str
    seed: int


def run_of(path: str | Path) -> Run:
    """Run of a file ``.../{system}/{model}/seed{seed}/{file}``.

    Raises:
        ValueError: If the path does not end like that.
    """
    try:
        system, model, seed = Path(path).parts[-4:-1]
        if not seed.startswith("seed"):
            raise ValueError
        return Run(system, model, int(seed.removeprefix("seed")))
    except ValueError:
        raise ValueError(
            f"{path} does not say which run it belongs to; its path must end in "
            f"system/model/seed0/file, with any seed."
        ) from None


def by_run(paths: Iterable[str | Path]) -> dict[Run, Path]:
    """Files of several runs, by run."""
    return {run_of(path): Path(path) for path in paths}


def label_of(name: str, labels: Mapping[str, str]) -> str:
    """How a model or a reference is called; by its name if nothing is said."""
    return labels.get(name, REFERENCE_LABELS.get(name, name))


def system_label(name: str) -> str:
    """What tables and figures call a system or density: ``two_body`` is two-body."""
    return name.replace("_", "-")


def preset_of(path: str | Path) -> str:
    """Preset of a file ``results/{preset}/figures/{file}``; empty for any other."""
    parts = Path(path).parts
    found = len(parts) > 3 and parts[-4] == "results" and parts[-2] == "figures"
    return parts[-3] if found else ""


def system_of(path: str | Path) -> str:
    """System of a file ``.../{system}/{file}``: data of one system."""
    return Path(path).parent.name


def read_history(path: str | Path, columns: Sequence[str]) -> pd.DataFrame:
    """Course of a training: some columns of its history, by iteration.

    Raises:
        ValueError: If the file is missing, damaged or something else.
    """
    try:
        table = pd.read_csv(path).set_index("iteration")
        return table[list(columns)].astype(float)
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(f"{path} is not the course of a training: {error}") from error


def read_runs(paths: Iterable[str | Path], families: Mapping[str, str]) -> pd.DataFrame:
    """What runs recorded about themselves, a row each.

    Args:
        paths: Their ``run.json`` files.
        families: Family of every model.

    Returns:
        A row for each, in the order of the paths.

    Raises:
        ValueError: If a file is missing or damaged, or its model has no family.
    """
    rows = []
    for path in paths:
        run = run_of(path)
        if run.model not in families:
            raise ValueError(
                f"{path} is a run of {run.model!r}, whose family is not known. "
                f"Known: {', '.join(families)}."
            )
        try:
            origin = json.loads(Path(path).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise ValueError(f"{path} is not the record of a run: {error}") from error
        known = isinstance(origin, dict)
        missing = [key for key in RECORDED if not known or key not in origin]
        if missing:
            raise ValueError(f"{path} does not record {', '.join(missing)}.")
        rows.append({**run._asdict(), "family": families[run.model], **origin})
    columns = [*Run._fields, "family", *RECORDED]
    return pd.DataFrame(rows, columns=columns)


def inconsistencies(runs: pd.DataFrame) -> list[str]:
    """Why runs might not be comparable, a sentence each; empty if all is well.

    Fingerprints of the code are compared within a family on a system, or density, as
    each of them has code of its own. A commit with a plus sign was changed before it
    ran.
    """
    found = []
    for (family, system), group in runs.groupby(["family", "system"]):
        if group.code.nunique(dropna=False) > 1:
            found.append(
                f"Models of family {family} were trained on {system} by different "
                f"code: {_counted(group, 'code')}."
            )
    # With equal fingerprints, commits that differ are the usual case: only what changed
    # is run again.
    for column in (*(["commit"] if found else []), *VERSIONS):
        if runs[column].nunique(dropna=False) > 1:
            found.append(f"{column} differs: {_counted(runs, column)}.")
    changed = int(runs.commit.fillna("").str.endswith("+").sum())
    if changed:
        found.append(
            f"{changed} of {len(runs)} runs used files that differed from their commit "
            "(+), so that the commit alone does not say what ran."
        )
    return found


def _counted(runs: pd.DataFrame, column: str) -> str:
    """Values of a column, with the runs that have them."""
    names = runs.system + "/" + runs.model + "/seed" + runs.seed.astype(str)
    groups = names.groupby(runs[column].fillna("unknown"), sort=False)
    return ", ".join(
        f"{value} ({len(group)} runs, {group.iloc[0]} first)"
        if len(group) > 1
        else f"{value} ({group.iloc[0]})"
        for value, group in groups
    )
