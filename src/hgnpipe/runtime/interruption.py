"""Signals that ask a job to leave, heeded where nothing is lost."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

EXIT_CODE = 75
"""Of a job that was asked to leave and saved its work: try again (EX_TEMPFAIL)."""

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)
"""Of schedulers and their warnings, of Ctrl-C, of a terminal that is closed."""


class Interrupted(Exception):
    """A job leaves because it was asked to; its work so far is saved."""


class Requests:
    """Requests to leave that came so far."""

    def __init__(self) -> None:
        self.last: signal.Signals | None = None

    def __bool__(self) -> bool:
        return self.last is not None

    def note(self, number: int, _: object = None) -> None:
        """Remember a request; a second Ctrl-C does not wait any longer.

        Raises:
            KeyboardInterrupt: If both are SIGINT.
        """
        if number == self.last == signal.SIGINT:
            raise KeyboardInterrupt
        self.last = signal.Signals(number)


@contextmanager
def requests_noted() -> Iterator[Requests]:
    """Within the block signals interrupt nothing: they are noted.

    Signals that the process was started to ignore, by ``nohup`` for one, stay ignored.
    """
    noted = Requests()
    heeded = [s for s in SIGNALS if signal.getsignal(s) is not signal.SIG_IGN]
    before = {number: signal.signal(number, noted.note) for number in heeded}
    try:
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
