"""What a call of Snakemake says last: one line of what went wrong, or what was made.

Snakemake itself goes on to talk after its handlers and after its errors; so words are
kept until the process ends.
"""

import atexit
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SHOWN = 10
"""Failed jobs, or files, that are told one by one."""
STARTED = time.time()
LAST_WORDS: list[str] = []


@atexit.register
def _say_them() -> None:
    for words in LAST_WORDS:
        print(words, file=sys.stderr, flush=True)


def say_last(lines: Iterable[str]) -> None:
    """Show lines when everything else has been said."""
    LAST_WORDS.extend(lines)


@contextmanager
def one_line() -> Iterator[None]:
    """End the process with the message of a `ValueError`, without where it was raised.

    Snakemake would wrap it in lines about itself.
    """
    try:
        yield
    except ValueError as error:
        say_last([f"Error: {error}"])
        sys.exit(1)


def failures(jobs: Iterable[Any]) -> list[str]:
    """A line for each failed job: its rule, wildcards, last words, and its log."""
    told = sorted({_failure(part) for job in jobs for part in _parts(job)})
    more = [f"... and {len(told) - SHOWN} more failed."] if len(told) > SHOWN else []
    return told[:SHOWN] + more


def made(jobs: Iterable[Any], tables: Iterable[str]) -> list[str]:
    """Where the report, tables, figures and other files are that jobs made in the end.

    Args:
        jobs: Those that have run; what other ones go on from is not told.
        tables: Names of the tables.
    """
    jobs = [part for job in jobs for part in _parts(job)]
    used = {str(file) for job in jobs if job.output for file in job.input}
    finals = [
        Path(str(file))
        for job in jobs
        if used.isdisjoint(map(str, job.output))
        for file in job.output
    ]
    tables = {*tables}
    found: dict[str, list[str]] = {
        "Report": [],
        "Tables": [],
        "Figures": [],
        "Made": [],
    }
    figures: Counter[str] = Counter()
    for path in sorted({*finals}):
        if path.name == "report.html":
            found["Report"].append(str(path))
        elif path.stem in tables:
            found["Tables"] += [str(path)] if path.suffix == ".csv" else []
        elif path.parent.name == "figures":
            figures[str(path.parent)] += path.suffix == ".pdf"
        else:
            found["Made"].append(str(path))
    found["Figures"] = [f"{num} in {folder}/" for folder, num in figures.items()]
    return [
        f"{kind}: {', '.join(files[:SHOWN])}"
        + (f" and {len(files) - SHOWN} more" if len(files) > SHOWN else "")
        for kind, files in found.items()
        if files
    ]


def _parts(job: Any) -> list[Any]:
    """Jobs of a group; of a job itself."""
    return list(job.jobs) if hasattr(job, "jobs") else [job]


def _failure(job: Any) -> str:
    name = " ".join([job.rule.name, *map(str, job.wildcards)])
    logs = [Path(str(log)) for log in job.log]
    words = next(filter(None, map(_last_words, logs)), "it left no words")
    return f"{name} failed: {words}" + (f" ({logs[0]})" if logs else "")


def _last_words(log: Path) -> str:
    """The last error in a log of this call, or else its last line."""
    try:
        if log.stat().st_mtime < STARTED:  # of an earlier attempt
            return ""
        lines = log.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    lines = [line.strip() for line in lines if line.strip()]
    errors = [line for line in lines if line.startswith("Error: ")]
    return (errors or lines or [""])[-1]
