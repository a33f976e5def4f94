"""Rule hnn_check: does HNN learn where it is known to work?"""

from pathlib import Path

from hgnpipe.reporting.hnn_check import EXPLANATION, LABELS
from hgnpipe.reporting.measures import layout_measures, read_measures
from hgnpipe.reporting.pages import write_table
from hgnpipe.reporting.runs import system_label
from hgnpipe.runtime.command import run


def main(measures: list[Path], preset: str, output: list[Path]) -> None:
    """Write the check of HNN as data and as pages.

    Args:
        measures: Tables of rules check_hnn and check_pixelhnn.
        preset: Name of the preset, for the explanation.
        output: Files to write, told apart by what they end in: .csv, .md, .html.
    """
    table = read_measures(measures, LABELS)
    tables = {
        system_label(system): part for system, part in layout_measures(table).items()
    }
    words = [text.format(preset=preset) for text in EXPLANATION]
    write_table(table, tables, words, "Check of HNN", output)


if __name__ == "__main__":
    run(main)
