"""Tables as CSV files."""

from pathlib import Path

import pandas as pd

from hgnpipe.files.whole import written_whole


def write_csv(
    table: pd.DataFrame, path: str | Path, *, float_format: str | None = None
) -> None:
    """Write a table without its index, whole or not at all; what is missing is N/A.

    Args:
        table: The rows.
        path: File to write.
        float_format: How numbers are written, such as ``%.4g``; by default with all
            their digits.

    Raises:
        ValueError: If it cannot be written, see `written_whole`.
    """
    with written_whole(path) as temporary:
        table.to_csv(temporary, index=False, float_format=float_format, na_rep="N/A")
