"""Command lines of the workflow's scripts, made from the signature of their ``main``."""

import os
import signal
import sys
from collections.abc import Callable

from jsonargparse import auto_cli


def run(main: Callable[..., None]) -> None:
    """Call ``main`` with the options of the command line.

    What a user can mend ends in one line and exit code 1; ``HGNPIPE_TRACEBACK=1`` shows
    where it came from. SIGTERM ends a job like Ctrl-C does: half-written files go.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        auto_cli(main, as_positional=False)
    except (ValueError, RuntimeError, OSError, MemoryError) as error:
        if os.environ.get("HGNPIPE_TRACEBACK"):
            raise
        kind = "" if isinstance(error, (ValueError, RuntimeError)) else type(error).__name__ + ": "
        print(f"Error: {kind}{error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        sys.exit(130)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
