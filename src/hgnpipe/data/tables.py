"""Tables of points of one's own: CSV with a header, or arrays of NumPy."""

import re
import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float

from hgnpipe.collection import require
from hgnpipe.files.whole import check_there

SEPARATORS = (",", ";", "\t")
BLANKS = r"\s+"


def read_rows(
    path: str | Path, columns: Sequence[str | int] = ()
) -> Float[np.ndarray, "N d"]:
    """Rows of a table of numbers.

    Args:
        path: The table: ``.npy``, ``.npz`` with one array, or else text with a header,
            separated by commas, semicolons, tabs or blanks.
        columns: Names of the columns to take, of arrays their numbers from 0 on; by
            default all.

    Raises:
        ValueError: If the file is missing or no table, its columns have no names, one
            is named twice, or a value is not a finite number; the message names column
            and line.
    """
    path, names = Path(path), [str(name) for name in columns]
    check_there(path)
    is_array = path.suffix.lower() in (".npy", ".npz")
    try:
        table = _of_array(path) if is_array else _of_text(path, bool(names))
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        why = " ".join(str(error).split()).rstrip(".")  # damaged, empty, not text
        raise ValueError(f"{path} is not a table of points: {why}.") from error
    require(len(set(names)) == len(names), "columns", names, "named once each")
    for name in names:
        if name not in table.columns:
            known = ", ".join(table.columns)
            raise ValueError(f"{path} has no column {name!r}. Known: {known}.")
    table = table[names] if names else table
    for name, values in table.items():
        _check_numbers(path, name, values)
    return table.to_numpy(float)


def _of_array(path: Path) -> pd.DataFrame:
    """An array, its columns called by their numbers."""
    found = np.load(path, allow_pickle=False)
    if not isinstance(found, np.ndarray):
        with found:
            if len(found.files) != 1:
                names = ", ".join(found.files) or "none"
                raise ValueError(f"it must hold one array, and its arrays are: {names}")
            found = found[found.files[0]]
    if found.ndim != 2 or found.dtype.kind not in "iuf":
        raise ValueError(f"it holds {found.dtype} {found.shape}, not numbers (N, d)")
    return pd.DataFrame(found).rename(columns=str)


def _of_text(path: Path, columns_are_named: bool) -> pd.DataFrame:
    """A table of text; what would be lost or misread in silence is refused."""
    names, separator = _header(path)
    if not columns_are_named:
        if not all(names):
            number = names.index("") + 1
            raise ValueError(
                f"column {number} has no name; an index, which pandas writes unless "
                f"told index=False, is no data. Give it a name, or list those to use "
                f"in `columns`"
            )
        if all(map(_is_number, names)):
            raise ValueError(
                f"its first line, {' '.join(names)!r}, must be names of columns, and "
                f"is numbers. Put names above it; if these are names, list those to "
                f"use in `columns`"
            )
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        how = {"sep": separator, "index_col": False, "skipinitialspace": True}
        try:
            return pd.read_csv(path, header=0, names=names, **how)
        except pd.errors.ParserWarning:
            raise ValueError("its rows have more fields than its header") from None


def _header(path: Path) -> tuple[list[str], str]:
    """Names of the columns, and what separates them."""
    for separator in SEPARATORS:
        (names,) = _first_lines(path, separator, 1)
        if len(names) > 1:
            return names, separator
    try:  # a blank may also be part of the name of an only column
        split, *row = _first_lines(path, BLANKS, 2)
    except pd.errors.ParserError:
        return names, ","
    named = split[1:] if split[0] == "" else split  # for people and NumPy, # x y
    if len(named) > 1 and row and len([text for text in row[0] if text]) == len(named):
        return named, BLANKS
    return names, ","


def _first_lines(path: Path, separator: str, num: int) -> list[list[str]]:
    """Fields of the first lines, without the # that NumPy begins a header with."""
    how = {"sep": separator, "header": None, "dtype": str, "skipinitialspace": True}
    lines = pd.read_csv(path, nrows=num, keep_default_na=False, **how).fillna("")
    first, *others = lines.to_numpy().tolist()
    first[0] = first[0].lstrip("# ")
    return [[name.strip() for name in first], *others]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _check_numbers(path: Path, name: str, values: pd.Series) -> None:
    """Check that a column holds finite numbers.

    Raises:
        ValueError: If it does not; the message names column and line.
    """
    texts = values.astype(str) if values.dtype == bool else values
    numbers = pd.to_numeric(texts, errors="coerce").to_numpy(float)
    wrong = np.flatnonzero(~np.isfinite(numbers))
    if len(wrong):
        found = str(values.iloc[wrong[0]])
        comma = re.fullmatch(r"[-+]?\d*,\d+([eE][-+]?\d+)?", found.strip())
        raise ValueError(
            f"{path}: column {name!r}, row {wrong[0] + 1} of the data is '{found}'; it "
            f"must be a finite number. "
            + ("Write decimals with a point. " if comma else "")
            + "Name the columns to use with `columns`."
        )
