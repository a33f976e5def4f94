"""Rule metrics: the measures of the dynamics of all models on all systems."""

import html as escaping
from pathlib import Path

from hgnpipe.files.whole import written_whole
from hgnpipe.reporting.measures import layout_measures, read_measures
from hgnpipe.reporting.plotting import system_label
from hgnpipe.reporting.table1 import html_table, page, to_markdown
from hgnpipe.runtime.command import run

TITLE = "Measures of the dynamics"
EXPLANATION = [
    "{preset} preset, test trajectories, mean ± standard deviation over them. Models "
    "infer a state from the frames shown (HNN from the first two), and are then "
    "followed beyond and before them. Errors are against frames without noise, unlike "
    "those of Table 1. Where bodies leave the picture, as three do, it empties, and "
    "all errors fall. Motions that could not be solved exactly are left out.",
    "Valid steps: frames beyond those shown until the error first passes 0.025 of the "
    "frame's mean square (in the literature the median over both directions; here the "
    "mean, forward, at most all frames); on a grey background the mean image passes "
    "late or never, so compare with its column. Skilful steps: until the error first "
    "passes half of the mean image's. Reversibility error: distance from the first "
    "state after rolling out over the frames shown and back, relative to the spread of "
    "first states. Energy drift: largest change of the learned energy in a rollout, "
    "relative to the standard deviation of the energy over rollouts. R² of the energy: "
    "how much of the true energy over held-out rollouts a line or any monotone "
    "function of the learned energy explains. Collapsed: posterior variance of 0.5 or "
    "more, where the prior's is 1.",
    "SyMetric (Higgins et al., 2021): share of batches of five rollouts, of up to 60 "
    "steps, in which a polynomial from latent to true states has R² > 0.9 and "
    "deviates from a symplectic map by less than 0.05. Moving pairs: a symplectic "
    "projection of the latent pairs to at most as many as move in truth. All pairs: "
    "every latent pair, which for more than 32 dimensions means a linear map; with "
    "more dimensions than points it fits anything: its R² says little for HGN. With "
    "one true pair, a linear map always passes the second condition.",
]


def main(
    measures: list[Path],
    labels: dict,
    preset: str,
    csv: Path,
    markdown: Path,
    html: Path,
) -> None:
    """Write the measures as data, Markdown and HTML.

    Args:
        measures: Tables of rules measure and measure_references.
        labels: Names of the models, in the order of the columns.
        preset: Name of the preset, for the explanation.
        csv: Tidy table to write.
        markdown: Laid-out tables to write.
        html: Laid-out tables to write.
    """
    table = read_measures(measures, labels)
    tables = layout_measures(table)
    words = [text.format(preset=preset) for text in EXPLANATION]
    with written_whole(csv) as path:
        table.to_csv(path, index=False, float_format="%.6g")
    with written_whole(markdown) as path:
        parts = [
            f"## {system_label(system)}\n\n{to_markdown(laid_out, '')}"
            for system, laid_out in tables.items()
        ]
        text = "\n".join([f"# {TITLE}\n", *parts, "\n\n".join(words), ""])
        path.write_text(text, encoding="utf-8")
    with written_whole(html) as path:
        parts = [
            f"<h2>{escaping.escape(system_label(system))}</h2>{html_table(laid_out)}"
            for system, laid_out in tables.items()
        ]
        parts += [f"<p>{text}</p>" for text in words]
        path.write_text(page(TITLE, *parts), encoding="utf-8")


if __name__ == "__main__":
    run(main)
