import functools
import json

import h5py
import numpy as np
import pytest
from damage import edited
from simulated import SIMULATED

from hgnpipe.data import extended as continuation
from hgnpipe.data.extended import Motion, extend, load_motion, save_motion
from hgnpipe.data.simulation import simulate, true_energy
from hgnpipe.data.videos import save_trajectories
from hgnpipe.systems import build_system

every_system = pytest.mark.parametrize("name", SIMULATED)
NUM, LENGTH = 4, 6


@functools.cache
def known_of(name, num_frames=LENGTH, **options):
    system = build_system(name, **options)
    return system, simulate(system, NUM, num_frames, seed=0)


@functools.cache
def motion_of(name, before, after):
    return extend(*known_of(name), before, after)


@every_system
@pytest.mark.parametrize(("before", "after"), [(3, 5), (0, 5), (3, 0), (0, 0)])
def test_the_known_frames_stay_as_they_are(name, before, after):
    known, motion = known_of(name)[1], motion_of(name, before, after)
    window = slice(before, before + LENGTH)
    np.testing.assert_array_equal(motion.q[:, window], known.q)
    np.testing.assert_array_equal(motion.p[:, window], known.p)
    np.testing.assert_allclose(motion.t[window], known.t, atol=1e-12)


@pytest.mark.parametrize(("before", "after"), [(3, 5), (0, 5), (3, 0), (0, 0)])
def test_as_many_frames_are_added_as_told(before, after):
    motion = motion_of("pendulum", before, after)
    length = before + LENGTH + after
    assert motion.t.shape == (length,) and motion.start == before
    assert motion.q.shape == motion.p.shape == (NUM, length, 1)
    assert motion.exact.shape == (NUM,)


def test_times_are_as_far_apart_before_and_after_as_in_the_video():
    motion = extend(*known_of("pendulum", frame_dt=0.3), 2, 3)
    expected = 0.3 * np.arange(-2, LENGTH + 3)
    np.testing.assert_allclose(motion.t, expected, atol=1e-12)


def test_past_and_future_of_the_spring_are_its_swing():
    system, known = known_of("mass_spring")
    motion = extend(system, known, 40, 50)
    cos, sin = np.cos(2 * motion.t)[:, None], np.sin(2 * motion.t)[:, None]
    q0, p0 = known.q[:, :1], known.p[:, :1]
    np.testing.assert_allclose(motion.q, q0 * cos + p0 * sin, atol=2e-6)
    np.testing.assert_allclose(motion.p, p0 * cos - q0 * sin, atol=2e-6)


@pytest.mark.parametrize("name", [n for n in SIMULATED if n != "damped_mass_spring"])
def test_the_energy_stays_in_past_and_future(name):
    system, known = known_of(name)
    motion = extend(system, known, 10, 10)
    start = true_energy(system, known.q[:, :1], known.p[:, :1])
    energy = true_energy(system, motion.q, motion.p)
    assert motion.exact.all()
    np.testing.assert_allclose(energy / start, np.ones_like(energy), atol=3e-6)


@every_system
def test_what_is_left_out_of_a_video_is_found_again(name):
    system, known = known_of(name, num_frames=9)
    part = known._replace(**{
        field: values[:, 3:6]
        for field, values in known._asdict().items()
        if field != "t"
    }, t=known.t[3:6])  # fmt: skip
    motion = extend(system, part, 3, 3)
    np.testing.assert_allclose(motion.q, known.q, atol=1e-5)
    np.testing.assert_allclose(motion.p, known.p, atol=1e-5)


def test_going_back_from_the_future_leads_to_the_past():
    system, known = known_of("pendulum")
    forth = extend(system, known, 0, 20)
    last = known._replace(q=forth.q[:, -2:], p=forth.p[:, -2:])
    back = extend(system, last, 24, 0)
    np.testing.assert_allclose(back.q, forth.q, atol=1e-5)


def test_a_motion_is_exact_if_the_energy_stays_in_past_and_future(monkeypatch):
    def solve(system, initial, t, progress):
        drift = np.array([0, 0, 1, np.nan] if t[-1] < 0 else [0, 1, 0, 0]) * 2e-6
        return initial[:, None].repeat(len(t), 1), drift

    monkeypatch.setattr(continuation, "solve", solve)
    motion = extend(*known_of("pendulum"), 5, 5)
    assert motion.exact.tolist() == [True, False, False, False]


def test_progress_counts_two_solutions_for_each_trajectory():
    reported = []
    extend(*known_of("pendulum"), 2, 2, reported.append)
    assert sum(reported) == 2 * NUM


@pytest.mark.parametrize("option", ["num_before", "num_after"])
def test_a_negative_number_of_frames_is_named(option):
    numbers = {"num_before": 1, "num_after": 1, option: -1}
    with pytest.raises(ValueError, match=f"{option} is -1; it must be zero or"):
        extend(*known_of("pendulum"), **numbers)


def origin(system):
    """Metadata of a file of pendulum trajectories."""
    options = json.dumps(system.options())
    return {"system": "pendulum", "options": options, "seed": 3, "split": "test"}


@pytest.fixture
def saved(tmp_path):
    system, known = known_of("pendulum", length=1.5, radius=(0.5, 0.7))
    motion = extend(system, known, 2, 3)._replace(exact=np.arange(NUM) % 2 == 0)
    save_motion(tmp_path / "motion.h5", motion, origin(system))
    return tmp_path / "motion.h5", system, motion


def test_a_motion_is_read_as_it_was_written(saved):
    path, _, motion = saved
    for one, other in zip(load_motion(path)[1], motion, strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype


def test_the_system_is_read_with_all_its_options(saved):
    path, system, _ = saved
    assert load_motion(path)[0] == system != build_system("pendulum")


def test_equal_motions_are_equal_files(saved, tmp_path):
    path, system, motion = saved
    save_motion(tmp_path / "again.h5", motion, origin(system))
    assert (tmp_path / "again.h5").read_bytes() == path.read_bytes()


def test_the_file_says_what_it_is(saved):
    with h5py.File(saved[0]) as file:
        assert file.attrs["system"] == "pendulum"
        assert json.loads(file.attrs["options"])["length"] == 1.5
        assert (file.attrs["seed"], file.attrs["split"]) == (3, "test")


def test_a_file_of_another_kind_is_refused(tmp_path):
    system, known = known_of("pendulum")
    path = tmp_path / "known.h5"
    names = {"name": "pendulum", "system": system, "seed": 0, "split": "test"}
    save_trajectories(path, known, **names)
    with pytest.raises(ValueError, match=r"known\.h5 is a file of format"):
        load_motion(path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"gone\.h5 does not exist"):
        load_motion(tmp_path / "gone.h5")


@pytest.mark.parametrize("part", Motion._fields)
def test_a_file_that_lacks_a_part_is_refused(saved, part):
    with edited(saved[0]) as file:
        del file[part]
    with pytest.raises(ValueError, match=rf"motion\.h5 lacks a part: .*{part}"):
        load_motion(saved[0])
