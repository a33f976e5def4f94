"""Rule benchmarks: all measurements of speed in one table."""

from pathlib import Path

import pandas as pd

from hgnpipe.files.csv import write_csv
from hgnpipe.runtime.command import run


def main(tables: list[Path], output: Path) -> None:
    """Put tables below each other; N/A in columns that one of them lacks.

    Args:
        tables: CSV files of the benchmark rules.
        output: Table to write, CSV; the column ``benchmark`` names the file.
    """
    parts = [pd.read_csv(path).assign(benchmark=path.stem) for path in tables]
    table = pd.concat(parts, ignore_index=True)
    table.insert(0, "benchmark", table.pop("benchmark"))
    write_csv(table, output)


if __name__ == "__main__":
    run(main)
