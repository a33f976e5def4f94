"""Rule hnn_check: does HNN learn where it is known to work?"""

from pathlib import Path

from hgnpipe.reporting.hnn_check import EXPLANATION, LABELS
from hgnpipe.reporting.measures import layout_measures, read_measures
from hgnpipe.reporting.pages import write_table
from hgnpipe.runtime.command import run


def main(measures: list[Path], preset: str, output: list[Path]) -> None:
    """Write the check of HNN as data and as pages.

    Args:
        measures: Tables of rules check_hnn and check_pixelhnn.
        preset: Name of the preset, said in all files.
        output: Files to write, told apart by what they end in: .csv, .md, .html.
    """
    table = read_measures(measures, LABELS)
    tables = layout_measures(table)
    words = [text.format(preset=preset) for text in EXPLANATION]
    write_table(table, tables, words, "Check of HNN", output, preset=preset)


if __name__ == "__main__":
    run(main)
