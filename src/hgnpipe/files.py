"""Files that are either whole or not there, and whose they are."""

import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hgnpipe.interruption import Interrupted


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
        ValueError: If the folder cannot be written to.
    """
    path = Path(path)
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


class Claim:
    """Claim to a file that several processes may write: the newest claim counts.

    A scheduler that was killed leaves jobs behind, and starts them again the next time.
    Both copies would write the same file; with a claim the older one notices. No lock:
    the newer one must not wait for a machine that may be gone.
    """

    def __init__(self, path: str | Path) -> None:
        """Claim ``path`` for this process.

        Raises:
            ValueError: If the folder cannot be written to.
        """
        self.path = Path(path)
        self.name = f"{uuid.uuid4().hex} {socket.gethostname()} {os.getpid()}"
        with written_whole(self.mark(path)) as temporary:
            temporary.write_text(self.name)

    @staticmethod
    def mark(path: str | Path) -> Path:
        """File that names the owner of ``path``."""
        return Path(f"{path}.owner")

    def check(self) -> None:
        """Check that nobody has claimed the file since.

        Raises:
            Interrupted: If somebody has, or has finished with it.
        """
        try:
            owner = self.mark(self.path).read_text()
        except FileNotFoundError:
            owner = ""
        if owner != self.name:
            _, _, by = owner.partition(" ")
            now = f"now belongs to {by.replace(' ', ', process ')}" if by else "is done"
            raise Interrupted(
                f"{self.path} {now}: another copy of this job was started. This one "
                f"leaves, and writes nothing."
            )
