"""HDF5 files that say what they are, and in what versions they were made."""

import io
import json
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import scipy

import hgnpipe


@contextmanager
def created(path: str | Path) -> Iterator[h5py.File]:
    """New HDF5 file at ``path``.

    HDF5 does not survive a write that fails while it closes a file: the process
    crashes. So it is told that all went well, and what went wrong is raised in the end.

    Raises:
        OSError: If the file could not be written.
    """
    with _Patient(path, "w+") as disk:
        try:
            with h5py.File(disk, "w") as file:
                yield file
        finally:
            if disk.error is not None:
                raise disk.error


class _Patient(io.FileIO):
    """File on disk that takes whatever is written, and remembers what went wrong."""

    error: BaseException | None = None

    def write(self, data: Any) -> int:
        left = memoryview(data).cast("B")
        try:
            while left:
                left = left[super().write(left) :]
        except BaseException as error:  # Ctrl-C as well must not end HDF5's own write
            self.error = self.error or error
        return len(data)


@contextmanager
def opened(path: str | Path, expected: str) -> Iterator[h5py.File]:
    """HDF5 file of the expected format, or an error that says what is wrong with it."""
    if not Path(path).is_file():
        raise ValueError(f"{path} does not exist.")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise ValueError(f"{path} is damaged or not HDF5: {error}") from error
    with file:
        found = file.attrs.get("format")
        if found != expected:
            raise ValueError(
                f"{path} is a file of format {found!r}; expected {expected!r}. Delete "
                f"it, and Snakemake makes it again."
            )
        try:
            yield file
        except KeyError as error:
            raise ValueError(f"{path} lacks a part: {error.args[0]}.") from error


def versions() -> str:
    """Versions of what data files depend on, as JSON."""
    return json.dumps(
        {
            "hgnpipe": hgnpipe.__version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "h5py": h5py.__version__,
        }
    )
