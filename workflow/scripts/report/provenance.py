"""Rule provenance: where every run of a preset came from, and whether that differs."""

from pathlib import Path

import pandas as pd

from hgnpipe.reporting.pages import html_table, page, write_texts
from hgnpipe.reporting.runs import (
    VERSIONS,
    inconsistencies,
    label_of,
    read_runs,
    system_label,
)
from hgnpipe.runtime.command import run

SHARED = ("device", "precision", "threads", "commit", "resumed_at", *VERSIONS)
"""What is said once if it is the same for all runs."""
BODY = """
{% if found %}
<div class="warning"><strong>WARNING: not all runs can be traced to one and the same
code.</strong><ul>{% for one in found %}<li>{{ one }}</li>{% endfor %}</ul></div>
{% else %}
<p class="good">All {{ num }} runs come from the same code.</p>
{% endif %}
<p>{{ num }} runs, {{ hours }} hours of training. The same for all: {{ shared }}.</p>
{{ rows | safe }}
<p>One row per training of the {{ preset }} preset. started: in UTC. wall_s: seconds of
the training alone; of a run that was resumed, since then. peak_memory_mb: of the
process, not of the GPU. resumed_at: iteration from which an interrupted training went
on. commit: + where files differed from it; unknown where there was no git. code:
fingerprint of the training script and of all that it imports for this family and this
system or density; comments and formatting do not count.</p>
"""


def main(
    runs: list[Path], families: dict, labels: dict, preset: str, output: list[Path]
) -> None:
    """Write the provenance of all runs as data and as a page.

    Args:
        runs: Records of rules train and train_flow, ``run.json``.
        families: Family of every model and flow.
        labels: How they are called.
        preset: Name of the preset, for the caption.
        output: Files to write: .csv, a row per run; .html, a verdict, then the table.
    """
    table = read_runs(runs, families)
    names = [
        f"{system_label(one.system)}: {label_of(one.model, labels)}, seed {one.seed}"
        for one in table.itertuples()
    ]
    rows = table.drop(columns=["system", "model", "seed"]).set_index(pd.Index(names))
    started = pd.to_datetime(rows.started, utc=True)
    rows["started"] = started.dt.strftime("%Y-%m-%d %H:%M")
    rows = rows.astype(object).fillna("unknown")
    same = [column for column in SHARED if rows[column].nunique() == 1]
    shared = [f"{column} {rows[column].iloc[0]}" for column in same]
    text = page(
        f"Provenance of the {preset} preset",
        BODY,
        found=inconsistencies(table),
        num=len(table),
        hours=f"{table.wall_s.sum() / 3600:.2f}",
        shared=", ".join(shared) or "nothing",
        rows=html_table(rows.drop(columns=same)),
        preset=preset,
    )
    write_texts(
        {".csv": table.to_csv(index=False, na_rep="N/A"), ".html": text}, output
    )


if __name__ == "__main__":
    run(main)
