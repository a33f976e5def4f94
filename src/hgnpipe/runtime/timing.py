"""How long things take, measured in turn, and how many operations they are.

A machine that is busy for a while then slows all of them alike, and medians and ratios
of what was measured in one run can be compared.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

import pandas as pd
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from hgnpipe.runtime.provenance import provenance

Name = tuple[object, ...]
"""What was measured, in as many words as a table has columns for it."""

PLACE = ("device", "threads", "python", "torch", "numpy")
"""What a table of measurements says of where they were made."""


def measure_in_turn(
    works: Mapping[Name, Callable[[], object]],
    rounds: int,
    *,
    device: torch.device | None = None,
    done: Callable[[], None] | None = None,
) -> list[tuple[Name, float]]:
    """Do all works in turn, A B C A B C, ``rounds`` times and once before.

    Args:
        works: What to measure, by name.
        rounds: Measurements of each.
        device: A GPU that has to be done before the clock is read.
        done: Called after every round.

    Returns:
        Name and seconds of every measurement.
    """
    measured = []
    for number in range(-1, rounds):
        for name, work in works.items():
            seconds = seconds_of(work, device)
            if number >= 0:  # the first round reads files and fills caches
                measured.append((name, seconds))
        if done is not None:
            done()
    return measured


def median_seconds(
    measured: Iterable[tuple[Name, float]], columns: Sequence[str]
) -> pd.DataFrame:
    """Median of each work in the order of the first round.

    Args:
        measured: What `measure_in_turn` returns.
        columns: Names of the parts of a name.

    Returns:
        A row per work: its ``columns``, and ``seconds``.
    """
    columns = list(columns)
    table = pd.DataFrame([(*name, seconds) for name, seconds in measured])
    table.columns = [*columns, "seconds"]
    return table.groupby(columns, sort=False).seconds.median().reset_index()


def seconds_of(work: Callable[[], object], device: torch.device | None = None) -> float:
    """Seconds that one call takes."""
    on_gpu = device is not None and device.type == "cuda"
    start = time.perf_counter()
    work()
    if on_gpu:
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


def with_place(table: pd.DataFrame, device: torch.device, threads: int) -> pd.DataFrame:
    """Measurements, and where they were made: hardware and versions."""
    place = provenance(device, threads)
    return table.assign(**{key: place[key] for key in PLACE})


class Operations(TorchDispatchMode):
    """Counts floating-point operations with torch's own formulas.

    `FlopCounterMode` also follows the modules, and fails where a gradient is taken
    inside the loss.

    Attributes:
        total: Operations so far.
    """

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if formula := flop_registry.get(function.overloadpacket):
            self.total += formula(*args, **(kwargs or {}), out_val=result)
        return result
