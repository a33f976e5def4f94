"""Rule provenance: where every run of a preset came from, and whether that differs."""

import html
from pathlib import Path

import pandas as pd

from hgnpipe.files.whole import written_whole
from hgnpipe.reporting.runs import VERSIONS, doubts, read_runs
from hgnpipe.reporting.table1 import html_table, page
from hgnpipe.runtime.command import run

CAPTION = (
    "One row per training of the {preset} preset. started: in UTC. wall_s: seconds of "
    "the training alone; of a run that was resumed, since then. peak_memory_mb: of the "
    "process, not of the GPU. resumed_at: iteration from which an interrupted training "
    "went on. commit: + where files differed from it; unknown where there was no git. "
    "code: fingerprint of the training script and of all that it imports for this "
    "family; comments and formatting do not count."
)
SHARED = ("device", "precision", "threads", "commit", "resumed_at", *VERSIONS)
"""What is said once if it is the same for all runs."""
GOOD = '<p class="good">All {num} runs come from the same code: {code}.</p>'
WARNING = (
    '<div class="warning"><strong>WARNING: not all runs can be traced to one and the '
    "same code.</strong><ul>{items}</ul></div>"
)


def main(
    runs: list[Path], families: dict, preset: str, csv: Path, html_path: Path
) -> None:
    """Write the provenance of all runs as data and as a page.

    Args:
        runs: Records of rule train, ``run.json``.
        families: Family of every model.
        preset: Name of the preset, for the caption.
        csv: Table to write, a row per run.
        html_path: Page to write: a verdict, then the table.
    """
    table = read_runs(runs, families)
    found = doubts(table)
    if found:
        items = "".join(f"<li>{html.escape(doubt)}</li>" for doubt in found)
        verdict = WARNING.format(items=items)
    else:
        codes = table.groupby("family").code.first().items()
        code = ", ".join(f"{family} {code}" for family, code in codes)
        verdict = GOOD.format(num=len(table), code=html.escape(code))
    names = table.system + " " + table.model + " seed " + table.seed.astype(str)
    rows = table.drop(columns=["system", "model", "seed"]).set_index(names)
    rows["started"] = pd.to_datetime(rows.started, utc=True).dt.strftime(
        "%Y-%m-%d %H:%M"
    )
    rows = rows.astype(object).fillna("unknown")
    same = [column for column in SHARED if rows[column].nunique() == 1]
    shared = ", ".join(f"{column} {rows[column].iloc[0]}" for column in same)
    total = f"{len(table)} runs, {table.wall_s.sum() / 3600:.2f} hours of training."
    cells = rows.drop(columns=same).map(lambda cell: html.escape(str(cell)))
    text = page(
        f"Provenance of the {preset} preset",
        verdict,
        f"<p>{total} The same for all: {html.escape(shared) or 'nothing'}.</p>",
        html_table(cells),
        f"<p>{CAPTION.format(preset=preset)}</p>",
    )
    with written_whole(csv) as path:
        table.to_csv(path, index=False)
    with written_whole(html_path) as path:
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    run(main)
