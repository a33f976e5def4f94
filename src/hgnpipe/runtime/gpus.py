"""Which GPU of a machine a job takes, when nothing else says so."""

import fcntl
import os
import tempfile
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import IO

TAKEN: list[IO[str]] = []
"""Places of this process; the kernel gives them back however it ends."""


def take_gpu(names: Sequence[str], folder: Path | None = None) -> int:
    """Take a place on the GPU that has the fewest jobs, until the process ends.

    Snakemake says how many jobs may run at once, but not which GPU is whose: with as
    many jobs as GPUs each has its own, with more they are spread evenly.

    Args:
        names: What the GPUs are called, the same in all jobs.
        folder: Where the places are noted; by default one of this user and machine.

    Returns:
        Index of the GPU in ``names``.
    """
    if folder is None:
        folder = Path(tempfile.gettempdir()) / f"hgnpipe-gpus-{os.getuid()}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for place in count():
        for index, name in enumerate(names):
            file = open(folder / f"{name}.{place}", "a")  # noqa: SIM115
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.close()
            except OSError:  # a disk without locks
                file.close()
                return os.getpid() % len(names)
            else:
                TAKEN.append(file)
                return index
    raise AssertionError  # there is always a next place


def visible_gpus(num: int) -> list[str]:
    """Names of the GPUs that torch counts, by which other jobs know them as well."""
    shown = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = [n.strip() for n in shown.split(",")] if shown else []
    return names[:num] if len(names) >= num else [str(index) for index in range(num)]
