"""Numbers that are legal each, and make no sense together; see also test_checks.py."""

import dataclasses

import pytest
from simulated import SIMULATED

from hgnpipe.config.sense import check_seen, remarks
from hgnpipe.systems import build_system


def blocks(**options):
    """A preset with one model on one system, of 100 iterations, and one flow of 50."""
    model = {"options": options, "training": {"num_iterations": 100, "warm_up": 10}}
    flow = {"options": {"elbo_iterations": 20}, "training": {"num_iterations": 50}}
    return {"models": {"hgn": {"pendulum": model}}, "flows": {"nhf": flow}}


@pytest.mark.parametrize("option", ["kl_delay", "geco_start"])
def test_what_begins_after_the_training_has_ended_is_remarked_on(option):
    assert remarks(blocks(**{option: 100})) == [
        f"hgn on pendulum: {option} is 100, and its training has 100 iterations."
    ]
    assert remarks(blocks(**{option: 99})) == []


def test_many_remarks_are_counted():
    many = blocks()
    model = blocks(kl_delay=200)["models"]["hgn"]["pendulum"]
    many["models"]["hgn"] = {f"system_{n}": model for n in range(8)}
    found = remarks(many)
    assert len(found) == 6 and found[-1] == "... and 3 more like it."


@pytest.mark.parametrize("name", SIMULATED)
def test_every_system_is_seen_and_no_longer_when_its_frames_are_far_apart(name):
    system = build_system(name)
    check_seen(system)
    with pytest.raises(ValueError, match="frame_dt is 1000; it must be at most"):
        check_seen(dataclasses.replace(system, frame_dt=1000))
