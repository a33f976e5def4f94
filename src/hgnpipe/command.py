"""Command lines of the workflow's scripts, made from the signature of ``main``."""

import inspect
import json
import os
import signal
import sys
import typing
from collections.abc import Callable, Sequence

from jsonargparse import ArgumentError, auto_cli


def run(main: Callable[..., None]) -> None:
    """Call ``main`` with the options of the command line.

    What a user can mend ends in one line and exit code 1; ``HGNPIPE_TRACEBACK=1`` shows
    where it came from. SIGTERM ends a job like Ctrl-C does: half-written files go.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        arguments = join_lists(main, sys.argv[1:])
        auto_cli(main, as_positional=False, args=arguments, exit_on_error=False)
    except ArgumentError as error:
        known = ", ".join(f"--{name}" for name in inspect.signature(main).parameters)
        sys.exit(f"Error: {' '.join(str(error).split())}. Known options: {known}.")
    except (ValueError, RuntimeError, OSError, MemoryError) as error:
        if os.environ.get("HGNPIPE_TRACEBACK"):
            raise
        expected = isinstance(error, (ValueError, RuntimeError))
        kind = "" if expected else f"{type(error).__name__}: "
        sys.exit(f"Error: {kind}{error}")
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        sys.exit(130)


def join_lists(main: Callable[..., None], arguments: Sequence[str]) -> list[str]:
    """Write ``--files a b c`` as one JSON list where ``main`` takes a list.

    Snakemake writes several files with blanks between them.
    """
    hints = typing.get_type_hints(main)
    lists = {f"--{k}" for k, hint in hints.items() if typing.get_origin(hint) is list}
    joined: list[str] = []
    collecting: list[str] | None = None
    for argument in arguments:
        if argument.startswith("--"):
            collecting = None
        if collecting is None:
            joined.append(argument)
        else:
            collecting.append(argument)
            joined[-1] = json.dumps(collecting)
        if argument in lists:
            collecting = []
            joined.append("[]")
    return joined


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
