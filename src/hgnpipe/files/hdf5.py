"""HDF5 files that say what they are, and whether they are still as they were written.

The first bytes of a file, which HDF5 leaves to its users, are two lines of text: the
format, and a checksum of all that follows. They are read before the HDF5 library sees
the file, because a damaged one can make it fail in any way, or read wrong numbers.

No file is locked: it is there when it is whole, and is not changed any more.
"""

import hashlib
import io
import json
import platform
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import h5py
import numpy as np
import scipy

import hgnpipe
from hgnpipe.files.whole import AGAIN, check_format, check_there, refusal, written_whole

HEADER_SIZE = 512
"""Bytes that HDF5 leaves to its users; the smallest number that it allows."""
HEADER = re.compile(rb"([ -~]+)\nsha256 ([0-9a-f]{64}) but (\d{1,18}):(\d{1,18})\n\0*")
Arrays = TypeVar("Arrays", bound=tuple)
SIGNATURE = b"\x89HDF\r\n\x1a\n"


@contextmanager
def created(
    path: str | Path,
    format: str,
    attributes: Mapping[str, Any] | None = None,
    *,
    apart: str | None = None,
) -> Iterator[h5py.File]:
    """New HDF5 file to fill; it is there, and has its checksum, when the block ends.

    Args:
        path: Where it will be.
        format: What it is: kind and version.
        attributes: Other metadata.
        apart: Dataset in one piece that the checksum leaves out.

    Raises:
        ValueError: If it cannot be written.
    """
    with written_whole(path) as temporary:
        with _new_file(temporary) as file:
            own = {"format": format, "versions": versions()}
            file.attrs.update({**(attributes or {}), **own})
            yield file
            start = stop = HEADER_SIZE
            if apart is not None:
                start = file[apart].id.get_offset()
                stop = start + file[apart].id.get_storage_size()
        stamp(temporary, format, start, stop)


def stamp(
    path: str | Path, format: str, start: int = HEADER_SIZE, stop: int = HEADER_SIZE
) -> None:
    """Write format and checksum, of all but ``start:stop``, into the first bytes."""
    checksum = _checksum(Path(path), format, start, stop)
    header = f"{format}\nsha256 {checksum} but {start}:{stop}\n".encode()
    with open(path, "r+b") as file:
        file.write(header.ljust(HEADER_SIZE, b"\0"))


@contextmanager
def opened(path: str | Path, expected: str) -> Iterator[h5py.File]:
    """HDF5 file of the expected format, as it was written.

    Raises:
        ValueError: If it is missing, damaged or something else; one line says what to
            do.
    """
    path = Path(path)
    check_there(path)
    try:
        check_whole(path, expected)
        with h5py.File(path, "r", locking=False) as file:
            yield file
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error}.") from error
    except KeyError as error:
        raise ValueError(f"{path} lacks a part: {error.args[0]}.") from error


def check_whole(path: Path, expected: str) -> None:
    """Check format and checksum of a file.

    Raises:
        ValueError: If the file is damaged, or of another format.
    """
    with open(path, "rb") as file:
        first = file.read(HEADER_SIZE)
    header = HEADER.fullmatch(first)
    if header is None:
        what = "damaged or not HDF5 of hgnpipe"
        if first.startswith(SIGNATURE):
            found = _format_inside(path)
            if found:  # older than checksums, or without its first lines
                check_format(path, found, expected)
                raise ValueError(f"{path} is {what}. {AGAIN}")
        raise refusal(path, expected, what)
    format, checksum, *apart = (part.decode() for part in header.groups())
    check_format(path, format, expected)
    start, stop = map(int, apart)
    if not (
        HEADER_SIZE <= start <= stop <= path.stat().st_size
        and _checksum(path, format, start, stop) == checksum
    ):
        raise ValueError(
            f"{path} is damaged: its content is not what was written. {AGAIN}"
        )


def write_arrays(
    file: h5py.File, arrays: tuple, group: str = "/", dtype: Any = None
) -> None:
    """Write the arrays of a NamedTuple into datasets of their names, in a group."""
    place = file.require_group(group)
    for name, values in arrays._asdict().items():
        place.create_dataset(name, data=values, dtype=dtype)


def read_arrays(file: h5py.File, kind: type[Arrays], group: str = "/") -> Arrays:
    """Read the fields of a NamedTuple that `write_arrays` wrote."""
    found = (file[group][name][()] for name in kind._fields)
    return kind(*(values if values.shape else values.item() for values in found))


@contextmanager
def _new_file(path: Path) -> Iterator[h5py.File]:
    """New HDF5 file with room for our header.

    HDF5 does not survive a write that fails while it closes a file: the process
    crashes. So every write seems to succeed, and what failed is raised in the end.
    """
    with _DelayedErrors(path, "w+") as disk:
        try:
            with h5py.File(disk, "w", userblock_size=HEADER_SIZE) as file:
                yield file
        finally:
            if disk.error is not None:
                raise disk.error


class _DelayedErrors(io.FileIO):
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


def _format_inside(path: Path) -> str:
    """Format of ours among the attributes of a file without our header, or nothing."""
    try:
        with h5py.File(path, "r", locking=False) as file:
            found = str(file.attrs.get("format"))
    except (OSError, RuntimeError, ValueError):
        return ""
    return found if found.startswith("hgnpipe ") else ""


def _checksum(path: Path, format: str, start: int, stop: int) -> str:
    digest = hashlib.sha256(f"{format} {start}:{stop}".encode())
    with open(path, "rb") as file:
        file.seek(HEADER_SIZE)
        digest.update(file.read(start - HEADER_SIZE))
        file.seek(stop)
        return hashlib.file_digest(file, lambda: digest).hexdigest()


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
