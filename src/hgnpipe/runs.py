"""Which run a file of the results belongs to: its path says so."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple


class Run(NamedTuple):
    """One training: a model on a system with a seed."""

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


def system_of(path: str | Path) -> str:
    """System of a file ``.../{system}/{file}``: data of one system."""
    return Path(path).parent.name
