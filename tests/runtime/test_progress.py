import re

import pytest

from hgnpipe.runtime.progress import Progress


@pytest.fixture
def lines(capfd):
    """What has been printed since the last call, from both streams."""

    def read():
        out, err = capfd.readouterr()
        assert out == ""
        return err.splitlines()

    return read


def test_a_line_says_what_is_going_on_how_far_it_is_and_how_long_it_takes(lines):
    with Progress("train pendulum", 8, "it", every=0) as progress:
        lines()
        progress.advance(4)
        (line,) = lines()
    assert re.fullmatch(
        r"train pendulum +50% \|#{10} {10}\| 4/8 "
        r"\[\d\d:\d\d<\d\d:\d\d, +[\d.]+(it/s|s/it)\]",
        line,
    )


def test_a_line_shows_the_values_in_four_digits_without_the_iteration(lines):
    with Progress("train", 8, "it", every=0) as progress:
        progress.show(2, {"iteration": 2, "loss": 1.23456, "mse": 7e-5})
        line = lines()[-1]
    assert " 2/8 " in line and line.endswith("], loss=1.235, mse=7e-05")


def test_showing_counts_up_to_what_is_done(lines):
    with Progress("train", 8, "it", every=0) as progress:
        for done in (3, 5):
            progress.show(done, {})
        assert " 5/8 " in lines()[-1]


def test_the_output_is_whole_lines_without_control_characters(capfd):
    with Progress("render", 30, " videos", every=0) as progress:
        for _ in range(30):
            progress.advance()
    out = capfd.readouterr().err
    assert out.endswith("\n") and out.isascii()
    assert re.search(r"[\x00-\x09\x0b-\x1f\x7f]", out) is None


def test_each_state_is_said_once(lines):
    with Progress("render", 5, " videos", every=0) as progress:
        for _ in range(5):
            progress.advance()
    counts = re.findall(r" (\d)/5 ", "\n".join(lines()))
    assert counts == ["0", "1", "2", "3", "4", "5"]


def test_between_two_lines_there_is_silence(lines):
    with Progress("render", 5, " videos", every=1e6) as progress:
        lines()
        progress.advance(4)
        assert lines() == []


def test_the_last_state_is_shown_however_the_block_ends(lines):
    with (
        pytest.raises(KeyboardInterrupt),
        Progress("render", 5, " videos", every=1e6) as progress,
    ):
        progress.advance(4)
        raise KeyboardInterrupt
    assert " 4/5 " in lines()[-1]


def test_a_resumed_job_says_so_and_counts_on(lines):
    with Progress("train", 8, "it", every=0) as progress:
        progress.resume(6)
        progress.show(7, {})
    shown = lines()
    assert "train resumes after 6 of 8" in shown
    assert " 7/8 " in shown[-1]


def test_what_an_earlier_attempt_has_done_does_not_count_as_speed(lines):
    with Progress("train", 1000, "it", every=0) as progress:
        progress.resume(999)
        assert "?it/s" in lines()[-1]
