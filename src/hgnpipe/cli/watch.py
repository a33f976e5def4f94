"""How far the trainings of a preset are, from the lines that they write."""

import re
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pandas as pd

LINE = re.compile(
    r"train (?P<run>\S+) +(?P<percent>\d+)% .*? (?P<step>\d+)/(?P<of>\d+) "
    r"\[(?P<took>[\d:]+)<(?P<left>[\d:?]+), +(?P<speed>[\d.]+\S+|\?\S+)\]"
    r"(?:, (?P<values>.*))?"
)
"""A line of progress, as `hgnpipe.runtime.progress` writes it."""
SILENT = 120
"""Seconds without a line after which a training counts as stopped; or thrice as long as
its last line took, if that is more."""
SHOWN = ("loss", "mse", "kl")


def watch(folder: Path, every: float) -> None:
    """Print the table of `trainings`, once or again and again.

    Raises:
        ValueError: If the folder holds no logs of trainings.
    """
    while True:
        print(
            trainings(folder).astype(object).fillna("").to_string(index=False),
            flush=True,
        )
        if every <= 0:
            return
        time.sleep(every)
        print()


def trainings(folder: Path) -> pd.DataFrame:
    """A row for each training: steps, speed, time left, last losses, state.

    Args:
        folder: Results of a preset.

    Raises:
        ValueError: If the folder holds no logs of trainings.
    """
    rows = list(_rows(folder))
    if not rows:
        raise ValueError(
            f"{folder} has no logs of trainings; it must be the results of a preset, "
            f"for example results/laptop."
        )
    return pd.DataFrame(rows)


def _rows(folder: Path) -> Iterator[dict[str, object]]:
    for log in sorted(folder.glob("logs/train*/*.log")):
        lines = re.split(r"[\r\n]+", log.read_text("utf-8", errors="replace"))
        last = [*islice(filter(None, map(LINE.search, reversed(lines))), 2)]
        found = last[0] if last else None
        if found is None:
            yield {"training": log.stem, "state": _last(lines) or "begun"}
            continue
        values = dict(re.findall(r"(\w+)=([^,\s]+)", found["values"] or ""))
        yield {
            "training": log.stem,
            "step": f"{found['step']}/{found['of']}",
            "speed": found["speed"],
            "left": found["left"],
            **{name: values.get(name) for name in SHOWN},
            "state": _state(log, lines, last),
        }


def _state(log: Path, lines: list[str], last: list[re.Match[str]]) -> str:
    """Whether a training has finished, failed, runs, or does not go on."""
    if last[0]["step"] == last[0]["of"]:
        return "finished"
    if errors := [line for line in lines if line.startswith("Error: ")]:
        return errors[-1]
    took = _seconds(last[0]["took"]) - _seconds(last[-1]["took"])
    silent = time.time() - log.stat().st_mtime
    return "running" if silent < max(SILENT, 3 * took) else "stopped"


def _seconds(clock: str) -> int:
    """Seconds of hours, minutes and seconds."""
    total = 0
    for part in clock.split(":"):
        total = 60 * total + int(part)
    return total


def _last(lines: list[str]) -> str:
    return next((line for line in reversed(lines) if line.strip()), "")
