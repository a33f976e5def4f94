"""Rule flows: held-out likelihood, structure and cost of all flows."""

from pathlib import Path

from hgnpipe.files.whole import written_whole
from hgnpipe.reporting.flows import (
    layout_cost,
    layout_likelihood,
    layout_structure,
    read_costs,
    read_flow_metrics,
)
from hgnpipe.reporting.table1 import html_table, page, to_markdown
from hgnpipe.runtime.command import run

TITLE = "Flows"
EXPLANATION = (
    "{preset} preset. Held-out -ln p: mean over the test points ± its standard error, "
    "in nats; exact for RNVP, for NHF importance-weighted with K samples of the "
    "momentum (on average an upper bound, tight for large K). Bound: minus the ELBO "
    "(Eq. 6). Target: the true density at the same points; excess: what a flow has "
    "more than that. Seeds ±: standard deviation of the excess over the seeds. "
    "Gaussian: mean and covariance of the training points. Tables of one's own are "
    "standardised; their true density is not known.",
    "Minima of V: local minima of the potential energy of every step, reached by "
    "descent from test points; a mode has one if a minimum is nearer to it than half "
    "of the way to the next mode. Change of log-volume: largest absolute ln |det J| of "
    "the whole flow at 100 draws of the prior, by autodiff in float64. "
    "Inverse: largest distance of a coordinate from itself after the flow and its "
    "inverse. Means over the seeds.",
    "Cost: medians of rounds in which all flows took turns, so that the ratios hold "
    "even on a machine that does other work.",
)


def main(
    metrics: list[Path],
    costs: Path,
    labels: dict,
    preset: str,
    csv: Path,
    markdown: Path,
    html: Path,
) -> None:
    """Write the measures of the flows as data, Markdown and HTML.

    Args:
        metrics: Tables of rules evaluate_flow_references and evaluate_flow.
        costs: Table of rule benchmark_flows.
        labels: Names of the flows, in the order of the rows.
        preset: Name of the preset, for the explanation.
        csv: Tidy table to write.
        markdown: Laid-out tables to write.
        html: Laid-out tables to write.
    """
    table = read_flow_metrics(metrics, labels)
    tables = [
        layout_likelihood(table),
        layout_structure(table),
        layout_cost(read_costs(costs), labels),
    ]
    words = [text.format(preset=preset) for text in EXPLANATION]
    with written_whole(csv) as path:
        table.to_csv(path, index=False, float_format="%.6g")
    parts = [*map(to_markdown, tables, words)]
    with written_whole(markdown) as path:
        path.write_text("\n".join([f"# {TITLE}\n", *parts]), encoding="utf-8")
    parts = [
        html_table(laid_out) + f"<p>{text}</p>"
        for laid_out, text in zip(tables, words, strict=True)
    ]
    with written_whole(html) as path:
        path.write_text(page(TITLE, *parts), encoding="utf-8")


if __name__ == "__main__":
    run(main)
