"""Command lines of the workflow's scripts, made from the signature of ``main``."""

import gc
import inspect
import json
import os
import re
import signal
import sys
import typing
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from jsonargparse import ArgumentError, auto_cli

from hgnpipe.runtime.explained import explain_mistake, help_text, options_of
from hgnpipe.runtime.interruption import EXIT_CODE, Interrupted

MEMORY = "[Aa]llocate memory|bad_alloc"
"""How torch and the system say that there is none left; NumPy has a `MemoryError`."""


def run(main: Callable[..., None], more: Callable[[], str] = str) -> None:
    """Call ``main`` with the options of the command line.

    ``--help`` says what they mean, from the docstring, and ``more``.

    What a user can mend ends in one line and exit code 1; ``HGNPIPE_TRACEBACK=1`` shows
    where it came from. SIGTERM ends a job like Ctrl-C does: half-written files go. One
    that saves its work before it leaves ends with the ``EXIT_CODE`` of
    `hgnpipe.runtime.interruption`.
    """
    if {"-h", "--help"} & {*sys.argv[1:]}:
        title = (main.__doc__ or "").partition("\n\n")[0]
        own = help_text(f"{title}\n", options_of(main), mark="--")
        print(*filter(None, [own, more()]), sep="\n\n")
        sys.exit(0)
    gc.freeze()  # modules are no garbage; to search them at the end takes half a second
    with ended_in_one_line():
        try:
            arguments = join_lists(main, sys.argv[1:])
            auto_cli(main, as_positional=False, args=arguments, exit_on_error=False)
        except ArgumentError as error:
            known = ", ".join(
                f"--{name}" for name in inspect.signature(main).parameters
            )
            what = explain_mistake(main, str(error)).rstrip(".")
            sys.exit(f"Error: {what}. Known options: {known}.")


@contextmanager
def ended_in_one_line() -> Iterator[None]:
    """End the process as `run` says when its work fails or is stopped."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    except (ValueError, RuntimeError, OSError, MemoryError) as error:
        if os.environ.get("HGNPIPE_TRACEBACK"):
            raise
        sys.exit(f"Error: {_kind(error)}{error}".rstrip(": "))
    except Interrupted as error:
        _tell(str(error))
        sys.exit(EXIT_CODE)
    except KeyboardInterrupt:
        _tell("Stopped.")
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


def _tell(message: str) -> None:
    """Last words of a job; who would hear them may have been stopped as well."""
    with suppress(BrokenPipeError):
        print(message, file=sys.stderr, flush=True)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _kind(error: Exception) -> str:
    """What kind of error it is, where its own words do not say so."""
    if isinstance(error, MemoryError) or re.search(MEMORY, str(error)):
        return "Out of memory: "
    expected = isinstance(error, (ValueError, RuntimeError))
    return "" if expected else f"{type(error).__name__}: "
