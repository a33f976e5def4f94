"""Progress that reads well on a terminal shared by several jobs, and in a log file.

A bar that redraws itself needs a line of its own; several jobs on one terminal, or one
in a file, do not have it. So every few seconds the bar is printed as a whole line.
"""

import sys
from collections.abc import Mapping

from tqdm import tqdm


class Progress:
    """Bar with rate and remaining time, one line every few seconds.

    Use as a context manager, so that the last state is shown however the block ends.

    Args:
        label: What is going on, at the start of every line.
        total: Number of things to do.
        unit: What is counted.
        every: Seconds between two lines.
    """

    def __init__(self, label: str, total: int, unit: str, every: float = 10.0) -> None:
        self._bar = tqdm(
            desc=label,
            total=total,
            unit=unit,
            file=_Lines(),
            mininterval=every,
            miniters=1,
            maxinterval=float("inf"),
            ascii=True,
            bar_format="{desc} {percentage:3.0f}% |{bar:20}| {n_fmt}/{total_fmt} "
            "[{elapsed}<{remaining}, {rate_fmt}]{postfix}",
        )

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.leave = self._bar.n > self._bar.last_print_n  # not said yet
        self._bar.close()

    def advance(self, count: int = 1) -> None:
        """Count ``count`` more things as done."""
        self._bar.update(count)

    def resume(self, done: int) -> None:
        """Start from ``done`` things that an earlier attempt has done."""
        bar = self._bar
        sys.stderr.write(f"{bar.desc} resumes after {done} of {bar.total}\n")
        bar.initial = bar.n = bar.last_print_n = done  # no part of the rate
        bar.unpause()
        bar.refresh()

    def show(self, done: int, values: Mapping[str, float]) -> None:
        """Count up to ``done`` and show ``values`` behind the bar."""
        shown = {k: f"{v:.4g}" for k, v in values.items() if k != "iteration"}
        self._bar.set_postfix(shown, refresh=False)
        self._bar.update(done - self._bar.n)


class _Lines:
    """Standard error, with every change of a bar on a line of its own."""

    last = ""

    def write(self, text: str) -> None:
        text = text.strip()
        if text and text != self.last:
            sys.stderr.write(text + "\n")
            self.last = text

    def flush(self) -> None:
        sys.stderr.flush()
