"""Files that are either whole or not there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

AGAIN = "Delete it, and `snakemake` makes it again."


def check_format(path: str | Path, found: object, expected: str) -> None:
    """Check what a file says it is: a kind and the version of its layout.

    Raises:
        ValueError: If it is something else; of another version, with how to mend it.
    """
    if found != expected:
        same_kind = str(found).rpartition(" ")[0] == expected.rpartition(" ")[0]
        raise ValueError(
            f"{path} is a file of format {found!r}; expected {expected!r}."
            + (f" {AGAIN}" if same_kind else "")
        )


def check_there(path: str | Path) -> None:
    """Check that a file to read exists.

    Raises:
        ValueError: If it does not, or is a folder.
    """
    if Path(path).is_dir():
        raise ValueError(f"{path} is a folder; it must be a file.")
    if not Path(path).exists():
        raise ValueError(f"{path} does not exist.")


def check_writable(*paths: str | Path) -> None:
    """Check before a long job that its results can be written.

    Raises:
        ValueError: If one of them cannot.
    """
    for path in map(Path, paths):
        with suppress(_Tried), written_whole(path):
            raise _Tried


class _Tried(Exception):
    """Ends the writing of a file before it begins."""


@contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """Path to write to; it becomes ``path`` when the block ends without an error.

    The temporary name is unique to the process, so that two copies of one job never
    write into the same file; the content is on disk before the name appears.

    Raises:
        ValueError: If the folder cannot be written to, or ``path`` is a folder.
    """
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"Cannot write {path}: it is a folder.")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch()
    except OSError as error:
        raise ValueError(f"Cannot write {path}: {error.strerror}.") from error
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
