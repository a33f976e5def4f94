import os
import signal

import pytest

from hgnpipe.runtime.interruption import SIGNALS, requests_noted


@pytest.fixture(autouse=True)
def heeded():
    """Signals as they are in a terminal; below ``nohup`` or ``&`` some are ignored."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number, handler in before.items():
        if handler is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_within_the_block_is_noted_and_interrupts_nothing(number):
    before = signal.getsignal(number)
    with requests_noted() as requests:
        assert not requests
        os.kill(os.getpid(), number)
        assert requests and requests.last == number
    assert signal.getsignal(number) == before


def test_a_second_ctrl_c_does_not_wait(monkeypatch):
    monkeypatch.setattr(signal, "getsignal", lambda number: signal.SIG_DFL)
    with pytest.raises(KeyboardInterrupt), requests_noted() as requests:
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
            assert requests.last == signal.SIGINT


def test_two_other_signals_are_still_one_request():
    with requests_noted() as requests:
        for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGUSR1, signal.SIGTERM):
            os.kill(os.getpid(), number)
        assert requests.last == signal.SIGTERM


def test_a_signal_that_the_process_ignores_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with requests_noted() as requests:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not requests
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_handlers_return_after_an_error():
    before = [signal.getsignal(number) for number in SIGNALS]
    with pytest.raises(RuntimeError), requests_noted():
        raise RuntimeError
    assert [signal.getsignal(number) for number in SIGNALS] == before
