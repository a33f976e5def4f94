"""How long things take, measured in turn.

A machine that is busy for a while then slows all of them alike, and medians and ratios
of what was measured in one run can be compared.
"""

import time
from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

import pandas as pd
import torch

from hgnpipe.provenance import provenance

K = TypeVar("K", bound=Hashable)

PLACE = ("device", "threads", "python", "torch", "numpy")
"""What a table of measurements says of where they were made."""


def measure_in_turn(
    works: Mapping[K, Callable[[], object]],
    rounds: int,
    *,
    device: torch.device | None = None,
    done: Callable[[], None] | None = None,
) -> list[tuple[K, int, float]]:
    """Do all works in turn, A B C A B C, ``rounds`` times and once before.

    Args:
        works: What to measure, by name.
        rounds: Measurements of each.
        device: A GPU that has to be done before the clock is read.
        done: Called after every round.

    Returns:
        Name, round (from 0) and seconds of every measurement.
    """
    measured = []
    for number in range(-1, rounds):
        for name, work in works.items():
            seconds = seconds_of(work, device)
            if number >= 0:  # the first round reads files and fills caches
                measured.append((name, number, seconds))
        if done is not None:
            done()
    return measured


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
