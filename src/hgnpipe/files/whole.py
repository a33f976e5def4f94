"""Files that are either whole or not there."""

import errno
import glob
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hgnpipe.files.kinds import what_it_is

DISK_ERRORS = [
    os.strerror(getattr(errno, name))
    for name in ("ENOSPC", "EDQUOT", "EROFS", "EFBIG", "EIO", "ESTALE")
    if hasattr(errno, name)
]
"""How the system says that a disk is full, out of quota, read-only or broken."""
AGAIN = "Delete it if a rule made it: `snakemake` makes it again."


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


def refusal(path: str | Path, expected: str, why: str) -> ValueError:
    """What to say of a file that cannot be read as what was expected.

    Args:
        path: The file.
        expected: Format that it should have.
        why: What is wrong with it, where its beginning does not say that it is
            something else.
    """
    try:
        what = what_it_is(path)
        empty = Path(path).stat().st_size == 0
    except OSError as error:
        return ValueError(f"{path} cannot be read: {error.strerror}.")
    if what and repr(expected) not in what:
        return ValueError(f"{path} is {what}; expected {expected!r}.")
    what = "empty" if empty else why
    return ValueError(f"{path} is {what}; expected {expected!r}. {AGAIN}")


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
        with suppress(_Tried), written_whole(path) as temporary:
            temporary.write_bytes(bytes(4096))  # a full disk still takes empty files
            raise _Tried


class _Tried(Exception):
    """Ends the writing of a file before it begins."""


@contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """Path to write to; it becomes ``path`` when the block ends without an error.

    The temporary name is unique to the process, also where nodes share a disk, so that
    two copies of one job never write into the same file; the content is on disk before
    the name appears. What a killed process of this machine has left is removed.

    Raises:
        ValueError: If the folder cannot be written to, the disk is full, or ``path`` is
            a folder.
    """
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"Cannot write {path}: it is a folder.")
    _remove_left_over(path)
    temporary = path.with_name(f"{_beginning(path)}{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch()
        mode = temporary.stat().st_mode
    except OSError as error:
        raise ValueError(f"Cannot write {path}: {error.strerror}.") from error
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        if temporary.stat().st_mode != mode:  # safetensors: for nobody else to read
            temporary.chmod(mode)
        os.replace(temporary, path)
    except Exception as error:
        # Every library wraps the system's error into one of its own.
        for reason in DISK_ERRORS:
            if reason in str(error):
                raise ValueError(f"Cannot write {path}: {reason}.") from error
        raise
    finally:
        with suppress(OSError):  # of a disk that has become read-only
            temporary.unlink()


def _beginning(path: Path) -> str:
    return f".{path.name}.{platform.node()}."


def _remove_left_over(path: Path) -> None:
    """Remove temporary files of ``path`` whose process was here and is gone."""
    for part in path.parent.glob(f"{glob.escape(_beginning(path))}*.part"):
        process = part.name.removeprefix(_beginning(path)).removesuffix(".part")
        if process.isdecimal() and not _is_running(int(process)):
            with suppress(OSError):
                part.unlink()


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True
