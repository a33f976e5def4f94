import warnings

import numpy as np
import pytest
import torch
from tiny_models import NUM, SHOWN, SIZE, every_family, random_videos, trained
from torch import nn

from hgnpipe.evaluation.rollouts import mse_of_mean_image, play_beyond
from hgnpipe.hamiltonian import SeparableHamiltonian, State
from hgnpipe.integrators import INTEGRATORS, rollout
from hgnpipe.models.base import Inferred, Prediction
from hgnpipe.training.batches import to_pixels

BEFORE, AFTER = 3, 7
LENGTH = BEFORE + SHOWN + AFTER
STEP = 0.3
ROUNDING = (0.5 / 255) ** 2
"""Largest error of a pixel that is stored in eight bits."""
TIMES = STEP * np.arange(-BEFORE, SHOWN + AFTER)


class HalfSquare(nn.Module):
    def forward(self, x):
        return x.square().flatten(1).sum(1) / 2


class Oscillator(nn.Module):
    """Knows the oscillator: the blue of a video's first frame says which one it is.

    A position is shown as a brightness. ``late`` steps pass before the first frame;
    ``integrator`` is None for the exact motion.
    """

    num_frames = window = 2
    image_size = SIZE
    dt = STEP

    def __init__(self, starts, integrator=None, late=0, variances=None):
        super().__init__()
        self.starts = nn.Parameter(torch.as_tensor(starts, dtype=torch.float32))
        self.integrator, self.late, self.variances = integrator, late, variances
        self.hamiltonian = SeparableHamiltonian(HalfSquare(), HalfSquare())

    def set_frame_statistics(self, mean_image, std):
        raise NotImplementedError

    def loss(self, frames, iteration, generator=None):
        raise NotImplementedError

    def predict(self, frames, *, speed=1.0, num_steps=None):
        raise NotImplementedError

    def infer(self, frames):
        which = (frames[:, 0, 2, 0, 0] * 255).round().long()
        state = State(*self.starts[which, :, None].unbind(1))
        if self.late:
            late = self.rollout(state, -self.dt, self.late)
            state = State(late.q[:, -1], late.p[:, -1])
        variance = None if self.variances is None else self.variances[which]
        return Inferred(state, frames.new_zeros(len(frames)), variance)

    def rollout(self, initial, dt, num_steps):
        if self.integrator is not None:
            step = INTEGRATORS[self.integrator]
            return rollout(step, self.hamiltonian, initial, dt, num_steps)
        angle = (dt * torch.arange(num_steps + 1))[:, None]
        q, p = initial.q[:, None], initial.p[:, None]
        cos, sin = angle.cos(), angle.sin()
        return State(q * cos + p * sin, p * cos - q * sin)

    def decode_path(self, path):
        brightness = (0.5 + 0.4 * path.q)[..., None, None]
        return brightness.expand(-1, -1, 3, SIZE, SIZE)


@pytest.fixture
def starts():
    """First positions and momenta, on circles of radius 0.5 to 1."""
    rng = np.random.default_rng(0)
    r, angle = rng.uniform(0.5, 1, NUM), rng.uniform(0, 2 * np.pi, NUM)
    return np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1)


@pytest.fixture
def observed():
    frames = np.zeros((NUM, SHOWN, SIZE, SIZE, 3), np.uint8)
    frames[..., 2] = np.arange(NUM)[:, None, None, None]
    return frames


def truth(starts, times=TIMES):
    """True positions, exactly."""
    q, p = starts[:, 0, None], starts[:, 1, None]
    return q * np.cos(times) + p * np.sin(times)


def pictures(q):
    shade = np.rint(255 * (0.5 + 0.4 * q)).astype(np.uint8)
    return np.broadcast_to(shade[..., None, None, None], (*q.shape, SIZE, SIZE, 3))


def played(starts, observed, batch_size=50, times=TIMES, before=BEFORE, **options):
    drawn = pictures(truth(starts, times))
    model = Oscillator(starts, **options)
    return play_beyond(model, observed, drawn, before, batch_size=batch_size)


def test_who_knows_the_motion_has_no_error_before_in_and_after_the_video(
    starts, observed
):
    mse = played(starts, observed).mse
    assert mse.shape == (NUM, LENGTH) and mse.max() < ROUNDING


@pytest.mark.parametrize("late", [1, 2])
def test_who_is_late_is_as_wrong_as_the_motion_of_so_many_steps(starts, observed, late):
    mse = played(starts, observed, late=late).mse
    shown = 0.5 + 0.4 * truth(starts, TIMES - late * STEP)
    expected = np.square(shown - pictures(truth(starts))[..., 0, 0, 0] / 255)
    np.testing.assert_allclose(mse, expected, atol=1e-6)
    assert expected.max() > 1e3 * ROUNDING


@pytest.mark.parametrize("wrong", [0, BEFORE - 1, BEFORE, BEFORE + SHOWN, LENGTH - 1])
def test_a_frame_that_is_wrong_is_wrong_at_its_own_time(starts, observed, wrong):
    drawn = pictures(truth(starts)).copy()
    drawn[2, wrong] = 0
    model = Oscillator(starts)
    made = play_beyond(model, observed, drawn, BEFORE)
    q = truth(starts)[2, wrong]
    assert made.mse[2, wrong] == pytest.approx((0.5 + 0.4 * q) ** 2, rel=1e-3)
    made.mse[2, wrong] = 0
    assert made.mse.max() < ROUNDING


def test_the_mean_square_is_that_of_the_true_frames(starts, observed):
    made = played(starts, observed, integrator="euler")
    expected = (pictures(truth(starts))[..., 0, 0, 0] / 255) ** 2
    np.testing.assert_allclose(made.square, expected, rtol=1e-5)


def test_energy_and_states_begin_at_the_first_frame(starts, observed):
    made = played(starts, observed)
    assert made.energy.shape == (NUM, SHOWN + AFTER)
    energy = np.square(starts).sum(axis=1, keepdims=True) / 2
    np.testing.assert_allclose(made.energy, energy.repeat(SHOWN + AFTER, 1), rtol=1e-5)
    np.testing.assert_allclose(made.q[..., 0], truth(starts)[:, BEFORE:], atol=1e-5)
    p = truth(starts[:, ::-1] * [1, -1])[:, BEFORE:]
    np.testing.assert_allclose(made.p[..., 0], p, atol=1e-5)


def test_energy_is_that_of_the_models_own_motion(starts, observed):
    energy = played(starts, observed, integrator="euler").energy
    growth = (1 + STEP**2) ** np.arange(SHOWN + AFTER)
    start = np.square(starts).sum(axis=1, keepdims=True) / 2
    np.testing.assert_allclose(energy, start * growth, rtol=1e-4)


def test_the_number_of_frames_before_and_in_the_video_is_told(starts, observed):
    made = played(starts, observed)
    assert (made.num_before, made.num_frames) == (BEFORE, SHOWN)


@pytest.mark.parametrize("integrator", [None, "leapfrog"])
def test_a_reversible_motion_returns(starts, observed, integrator):
    returned = played(starts, observed, integrator=integrator).returned
    assert returned.shape == (NUM,) and returned.max() < 1e-5


def test_euler_does_not_return_and_misses_by_what_it_gains(starts, observed):
    # A step there and a step back multiply a state by 1 + dt^2.
    returned = played(starts, observed, integrator="euler").returned
    missed = np.linalg.norm(starts, axis=1) * ((1 + STEP**2) ** (SHOWN - 1) - 1)
    spread = np.sqrt(starts.var(axis=0).sum())
    np.testing.assert_allclose(returned, missed / spread, rtol=1e-4)


def test_units_of_the_state_do_not_matter_for_the_return(starts, observed):
    one, other = (
        played(s, observed, integrator="euler").returned for s in (starts, starts / 7)
    )
    np.testing.assert_allclose(one, other, rtol=1e-4)


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_where_all_first_states_are_equal_the_return_is_not_a_number(value):
    num = 50
    starts = np.full((num, 2), value)
    observed = np.zeros((num, SHOWN, SIZE, SIZE, 3), np.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        returned = played(starts, observed, integrator="euler").returned
    assert returned.shape == (num,) and np.isnan(returned).all()


def test_the_exact_motion_is_the_same_in_half_steps(starts, observed):
    halved = played(starts, observed).halved
    assert halved.shape == (NUM,) and halved.max() < 1e-10


def test_half_steps_show_what_half_steps_lead_to(starts, observed):
    made = played(starts, observed, integrator="euler").halved
    z = starts[:, 0] + 1j * starts[:, 1]
    steps = np.arange(SHOWN)[:, None]
    # A step of Euler multiplies q + i p by 1 - i dt.
    usual, half = z * (1 - 1j * STEP) ** steps, z * (1 - 0.5j * STEP) ** (2 * steps)
    expected = np.square(0.4 * (half - usual).real).mean(axis=0)
    np.testing.assert_allclose(made, expected, rtol=1e-3)


@pytest.mark.parametrize(("integrator", "order"), [("euler", 1), ("leapfrog", 2)])
def test_half_steps_differ_as_the_order_of_the_integrator_says(
    starts, observed, integrator, order
):
    def error(part):
        model = Oscillator(starts, integrator)
        model.dt = STEP / part
        frames = observed.repeat(part, axis=1)[:, : (SHOWN - 1) * part + 1]
        drawn = pictures(truth(starts, model.dt * np.arange(frames.shape[1])))
        return play_beyond(model, frames, drawn, 0).halved.mean() ** 0.5

    assert error(1) / error(2) == pytest.approx(2**order, rel=0.2)


def test_the_batch_size_changes_nothing(starts, observed):
    variances = torch.rand(NUM, 6)
    expected = played(starts, observed, integrator="euler", variances=variances)
    for size in (1, 2):
        made = played(starts, observed, size, integrator="euler", variances=variances)
        for one, other in zip(made, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


def test_videos_come_in_batches_and_each_is_reported(starts, observed):
    reported = []
    drawn, model = pictures(truth(starts)), Oscillator(starts)
    play_beyond(model, observed, drawn, BEFORE, batch_size=2, progress=reported.append)
    assert reported == [2, 2, 1]


def test_the_variance_is_the_mean_over_the_videos(starts, observed):
    variances = torch.rand(NUM, 6)
    made = played(starts, observed, variances=variances)
    np.testing.assert_allclose(made.variance, variances.mean(0), rtol=1e-6)


def test_without_a_posterior_there_is_no_variance(starts, observed):
    assert played(starts, observed).variance is None


def test_nothing_before_the_video_is_possible(starts, observed):
    made = played(starts, observed, times=TIMES[BEFORE:], before=0)
    assert made.mse.shape == (NUM, SHOWN + AFTER) and made.mse.max() < ROUNDING
    assert made.num_before == 0


def test_nothing_after_the_video_is_possible(starts, observed):
    made = played(starts, observed, times=TIMES[:-AFTER])
    assert made.mse.shape == (NUM, BEFORE + SHOWN) and made.mse.max() < ROUNDING


def test_the_integrators_err_in_the_order_of_their_orders(starts, observed):
    euler, leapfrog, rk4 = (
        played(starts, observed, integrator=name).mse.mean()
        for name in ("euler", "leapfrog", "rk4")
    )
    assert euler > 10 * leapfrog > 10 * rk4


class Closed(nn.Module):
    """What predicts as an oscillator does, and tells nothing else."""

    num_frames = window = 2
    image_size = SIZE
    loss = Oscillator.loss

    def __init__(self, starts):
        super().__init__()
        self.inside = Oscillator(starts)

    def predict(self, frames, *, speed=1.0, num_steps=None):
        num = frames.shape[1] - 1 if num_steps is None else num_steps
        state, inside = self.inside.infer(frames).state, self.inside
        path = inside.rollout(state, speed * inside.dt, num)
        return Prediction(inside.decode_path(path))


def test_predictions_alone_give_the_same_errors_and_no_states(starts, observed):
    drawn = pictures(truth(starts, TIMES) ** 2)
    closed = play_beyond(Closed(starts), observed, drawn, BEFORE, batch_size=2)
    usual = play_beyond(Oscillator(starts), observed, drawn, BEFORE)
    for name in ("mse", "square", "halved"):
        found, expected = getattr(closed, name), getattr(usual, name)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-12)
    without = ("energy", "q", "p", "returned", "variance")
    assert all(getattr(closed, name) is None for name in without)


def test_without_an_energy_all_else_is_the_same(starts, observed):
    drawn, model = pictures(truth(starts, TIMES)), Oscillator(starts)
    usual = play_beyond(model, observed, drawn, BEFORE)
    del model.hamiltonian
    made = play_beyond(model, observed, drawn, BEFORE)
    assert made.energy is None
    for name in ("mse", "q", "p", "returned", "halved"):
        np.testing.assert_array_equal(getattr(made, name), getattr(usual, name))


@pytest.mark.parametrize("kind", [Oscillator, Closed])
def test_what_takes_whole_steps_is_not_asked_for_half_ones(starts, observed, kind):
    drawn, model = pictures(truth(starts, TIMES)), kind(starts)
    model.whole_steps = True
    rolled, steps = Oscillator.rollout, []
    model.rollout = getattr(model, "inside", model).rollout = lambda state, dt, num: (
        steps.append(dt) or rolled(getattr(model, "inside", model), state, dt, num)
    )
    made = play_beyond(model, observed, drawn, BEFORE)
    assert made.halved is None and {abs(dt) for dt in steps} == {STEP}


@pytest.mark.parametrize("shape", [(5, 4, 16, 16, 3), (5, 1, 8, 8, 3), (0, 4, 8, 8, 3)])
def test_videos_that_do_not_fit_the_model_are_refused(starts, shape):
    videos = np.zeros(shape, np.uint8)
    with pytest.raises(ValueError, match=r"^(Videos|number of videos) "):
        play_beyond(Oscillator(starts), videos, videos, 0)


@every_family
def test_the_window_is_what_the_model_predicts(name):
    model, videos = trained(name), random_videos()
    drawn = random_videos(1).repeat(2, axis=1)[:, : BEFORE + SHOWN]
    made = play_beyond(model, videos, drawn, BEFORE, batch_size=2)
    prediction = model.predict(to_pixels(videos, torch.device("cpu")))
    window = drawn[:, BEFORE:] / 255
    found = prediction.frames.permute(0, 1, 3, 4, 2).numpy()
    expected = np.square(found - window).mean(axis=(2, 3, 4))
    np.testing.assert_allclose(made.mse[:, BEFORE:], expected, rtol=1e-4)
    assert (made.energy is None) == (prediction.energy is None)
    if made.energy is not None:
        np.testing.assert_allclose(made.energy, prediction.energy, rtol=1e-4, atol=1e-8)


@every_family
def test_what_is_before_the_window_is_played_backwards(name):
    model, videos = trained(name), random_videos()
    drawn = random_videos(1).repeat(2, axis=1)[:, : BEFORE + SHOWN]
    made = play_beyond(model, videos, drawn, BEFORE)
    pixels = to_pixels(videos, torch.device("cpu"))
    back = model.predict(pixels, speed=-1.0, num_steps=BEFORE).frames.flip(1)
    found = back.permute(0, 1, 3, 4, 2).numpy()
    expected = np.square(found - drawn[:, : BEFORE + 1] / 255).mean(axis=(2, 3, 4))
    np.testing.assert_allclose(made.mse[:, : BEFORE + 1], expected, rtol=1e-4)


def test_the_error_of_the_mean_image_is_that_of_numpy():
    videos = random_videos()
    mean = torch.rand(3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    mse, square = mse_of_mean_image(mean, videos)
    error = videos / 255 - mean.permute(1, 2, 0).numpy()
    np.testing.assert_allclose(mse, np.square(error).mean(axis=(2, 3, 4)), rtol=1e-5)
    expected = np.square(videos / 255).mean(axis=(2, 3, 4))
    np.testing.assert_allclose(square, expected, rtol=1e-5)
