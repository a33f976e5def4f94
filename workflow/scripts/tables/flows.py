"""Rule flows: held-out likelihood, structure and cost of all flows."""

from pathlib import Path

from hgnpipe.reporting.flows import (
    EXPLANATION,
    layout_flows,
    read_costs,
    read_likelihood,
)
from hgnpipe.reporting.pages import write_table
from hgnpipe.runtime.command import run


def main(
    likelihood: list[Path], costs: Path, labels: dict, preset: str, output: list[Path]
) -> None:
    """Write the measures of the flows as data and as pages.

    Args:
        likelihood: Tables of rules evaluate_flow_references and evaluate_flow.
        costs: Table of rule flow_costs.
        labels: Names of the flows, in the order of the rows.
        preset: Name of the preset, said in all files.
        output: Files to write, told apart by what they end in: .csv, .md, .html.
    """
    table = read_likelihood(likelihood, labels)
    tables = layout_flows(table, read_costs(costs), labels)
    words = [text.format(preset=preset) for text in EXPLANATION]
    write_table(table, tables, words, "Flows", output, preset=preset)


if __name__ == "__main__":
    run(main)
