import inspect

import numpy as np
import pytest
import torch
import typing_extensions
from scipy.integrate import solve_ivp
from torch import nn

from hgnpipe.data.rendering import render
from hgnpipe.data.simulation import simulate
from hgnpipe.hamiltonian import State, force, velocity
from hgnpipe.models import build_model
from hgnpipe.models.base import PhaseSpaceModel, energy_of
from hgnpipe.systems.pendulum import Pendulum
from hgnpipe.training.batches import VideoBatches, to_pixels
from hgnpipe.training.loop import fit
from hgnpipe.training.options import TrainingOptions

SMALL = {"image_size": 8, "latent_size": 4, "hidden_size": 10, "num_filters": 4}
VERSIONS = {
    "mlp": {},
    "conv": {"convolutional": True},
    "centred": {"centre_frames": True},
    "conv_centred": {"convolutional": True, "centre_frames": True},
    "orthogonal": {"orthogonal": True},
    "conv_orthogonal": {"convolutional": True, "orthogonal": True},
}
every_version = pytest.mark.parametrize("options", VERSIONS.values(), ids=VERSIONS)


def build(**options):
    return build_model("pixelhnn", **{**SMALL, **options})


@pytest.fixture
def frames():
    return torch.rand(3, 5, 3, 8, 8, generator=torch.Generator().manual_seed(1))


class LatentInPixels(nn.Module):
    """q is the red and p the green of a pair's first frame, whichever pixel."""

    def __init__(self, offset=0.0):
        super().__init__()
        self.offset = offset

    def encode(self, pair):
        return pair[:, 0, :2, 0, 0]

    def decode(self, z):
        red, green = z.unbind(1)
        colors = torch.stack([red, green, torch.zeros_like(red)], dim=1)
        return colors[:, None, :, None, None].expand(-1, 2, -1, 8, 8) + self.offset


def videos(*states):
    """One video whose frames show the given (q, p), for `LatentInPixels`."""
    frames = torch.zeros(1, len(states), 3, 8, 8)
    for t, state in enumerate(states):
        frames[0, t, :2] = torch.tensor(state)[:, None, None]
    return frames


def readable_model(energy=None, offset=0.0, **options):
    """Model whose latent state is written into its frames."""
    model = build(latent_size=2, **options)
    model.autoencoder = LatentInPixels(offset)
    if energy is not None:
        model.hamiltonian = energy
    return model


class Oscillator(nn.Module):
    """H = (stiffness (q - centre)^2 + (p - centre)^2) rate / 2."""

    def __init__(self, stiffness=4.0, centre=0.0, rate=1.0):
        super().__init__()
        self.stiffness, self.centre, self.rate = stiffness, centre, rate

    def forward(self, q, p):
        potential = self.stiffness * (q - self.centre).square()
        return self.rate * (potential + (p - self.centre).square()).sum(1) / 2


# Stays within the range of pixel values when started from (0.8, 0.5).
CIRCLES = {"stiffness": 1.0, "centre": 0.5, "rate": 0.2}
START = videos((0.8, 0.5), (0.8, 0.5))


# (q, p) goes from (0.1, 0.5) to (0.3, 0.8): dq/dt = 0.2, dp/dt = 0.3.
STEP = videos((0.1, 0.5), (0.3, 0.8), (0.0, 0.0))


def test_canonical_coordinates_ask_momentum_to_be_the_step_of_position():
    assert readable_model().loss(STEP, 0)["cc"].item() == pytest.approx(
        (0.5 - 0.2) ** 2
    )


def test_hamilton_term_is_half_the_squared_violation_of_hamiltons_equations():
    # dH/dp = p = 0.5 against 0.2, and dH/dq = 4 q = 0.4 against -0.3.
    terms = readable_model(Oscillator()).loss(STEP, 0)
    assert terms["hnn"].item() == pytest.approx((0.3**2 + 0.7**2) / 2)


def test_auto_encoding_term_is_the_mean_square_over_the_pixels_of_the_pair():
    # The stub shows the first state twice: right in the first frame, in the second
    # wrong by 0.2 in red and 0.3 in green.
    terms = readable_model().loss(STEP, 0)
    assert terms["mse"].item() == pytest.approx((0.2**2 + 0.3**2) / 6)


@pytest.mark.parametrize("weight", [0.1, 2.0])
def test_loss_adds_its_terms_with_the_weight_on_the_hamiltonian_one(weight):
    model = readable_model(Oscillator(), offset=0.1, hnn_weight=weight)
    terms = model.loss(STEP, 0)
    total = terms["mse"] + terms["cc"] + weight * terms["hnn"]
    assert terms["loss"].item() == pytest.approx(total.item())


def test_terms_are_means_over_the_batch():
    model = readable_model(Oscillator())
    other = videos((0.4, 0.2), (0.1, 0.3), (0.0, 0.0))
    both = model.loss(torch.cat([STEP, other]), 0)
    for name, value in both.items():
        halves = (model.loss(STEP, 0)[name] + model.loss(other, 0)[name]) / 2
        assert value.item() == pytest.approx(halves.item()), name


@every_version
def test_every_parameter_gets_a_gradient(frames, options):
    model = build(**options)
    model.loss(frames, 0)["loss"].backward()
    unused = [
        n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()
    ]
    assert unused == []


def is_orthogonal(weight):
    short = weight if weight.shape[0] <= weight.shape[1] else weight.T
    return torch.allclose(short @ short.T, torch.eye(len(short)), atol=1e-5)


@pytest.mark.parametrize("convolutional", [False, True])
def test_orthogonal_weights_are_those_of_every_linear_layer(convolutional):
    given = {"convolutional": convolutional, "latent_size": 2}
    drawn, plain = (
        [m for m in build(orthogonal=on, **given).modules() if isinstance(m, nn.Linear)]
        for on in (True, False)
    )
    assert len(drawn) == (2 + 3 if convolutional else 2 * 4 + 3)
    assert all(is_orthogonal(layer.weight) for layer in drawn)
    assert not any(is_orthogonal(layer.weight) for layer in plain)


def test_orthogonal_weights_leave_the_convolutions_as_they_are():
    one, other = (
        build_model("pixelhnn", seed=0, **SMALL, convolutional=True, orthogonal=on)
        for on in (True, False)
    )
    pairs = zip(one.modules(), other.modules(), strict=True)
    found = [
        torch.equal(a.weight, b.weight) for a, b in pairs if isinstance(a, nn.Conv2d)
    ]
    assert found and all(found)


@every_version
def test_fit_trains_each_version(options):
    model = build(**options)
    before = [p.detach().clone() for p in model.parameters()]
    stored = np.random.default_rng(0).integers(0, 256, (6, 4, 8, 8, 3), dtype=np.uint8)
    training = TrainingOptions(num_iterations=2, batch_size=4, learning_rate=1e-3)
    history = fit(model, VideoBatches(stored), training)
    assert np.isfinite(history.to_numpy()).all()
    after = list(model.parameters())
    assert not any(map(torch.equal, before, after))


@every_version
def test_prediction_has_a_frame_and_an_energy_for_every_time(frames, options):
    model = build(**options)
    prediction = model.predict(frames)
    assert prediction.frames.shape == frames.shape
    assert prediction.energy.shape == (3, 5)
    assert torch.equal(prediction.kl, torch.zeros(3))
    assert model.predict(frames[:, :2], num_steps=7).frames.shape == (3, 8, 3, 8, 8)


@every_version
def test_every_version_comes_apart_into_inference_motion_and_decoder(options):
    assert isinstance(build(**options), PhaseSpaceModel)


def test_newer_pythons_see_that_as_well():
    # From Python 3.12 on, isinstance sees only what is not looked up dynamically.
    model = build()
    for name in typing_extensions.get_protocol_members(PhaseSpaceModel):
        inspect.getattr_static(model, name)


@every_version
def test_the_inferred_state_is_that_of_the_first_two_frames(frames, options):
    model = build(**options)
    state, kl, variance = model.infer(frames)
    for found, expected in zip(state, model.encode(frames[:, :2]), strict=True):
        assert torch.equal(found, expected) and found.shape == (3, 2)
    assert variance is None and torch.equal(kl, torch.zeros(3))


@pytest.mark.parametrize("speed", [1.0, -1.0, 0.5])
@every_version
def test_the_parts_together_are_the_prediction(frames, options, speed):
    model = build(**options)
    path = model.rollout(model.infer(frames).state, speed * model.dt, 5)
    made = model.predict(frames, speed=speed, num_steps=5)
    torch.testing.assert_close(model.decode_path(path), made.frames)
    torch.testing.assert_close(energy_of(model, path), made.energy)


def test_inference_tells_what_frames_it_needs(frames):
    with pytest.raises(ValueError, match=r"at least 2 frames of \(3, 8, 8\)"):
        build().infer(frames[:, :1])


def test_prediction_looks_at_the_first_two_frames_only(frames):
    model = build()
    other = torch.cat([frames[:, :2], 1 - frames[:, 2:]], dim=1)
    assert torch.equal(model.predict(frames).frames, model.predict(other).frames)


def test_first_predicted_frame_is_the_first_of_the_decoded_pair(frames):
    model = build(convolutional=True)
    first, second = model.decode(model.encode(frames[:, :2])).unbind(1)
    predicted = model.predict(frames).frames[:, 0]
    assert torch.allclose(predicted, first) and not torch.allclose(predicted, second)


def test_fresh_centred_convolutions_decode_near_the_mean_image(frames):
    mean = torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(2))
    mean = 0.1 + 0.8 * mean
    model = build(convolutional=True, centre_frames=True)
    model.set_frame_statistics(mean, 0.2)
    assert (model.predict(frames).frames - mean).abs().max() < 0.1


@every_version
@pytest.mark.parametrize("size", [10.0, 100.0])
def test_predictions_stay_in_range_however_large_the_weights(frames, options, size):
    model = build(**options)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(size)
    prediction = model.predict(frames, num_steps=100)
    assert torch.isfinite(prediction.energy).all()
    assert prediction.frames.min() >= 0 and prediction.frames.max() <= 1


def test_rollout_follows_the_learned_field_as_scipy_does():
    model = build().double()
    with torch.no_grad():  # A new network is nearly flat.
        for parameter in model.hamiltonian.parameters():
            parameter.mul_(2.0)
    start = torch.tensor([[0.4, -0.2, 0.3, 0.5]], dtype=torch.double)

    def field(_, z):
        q, p = torch.from_numpy(z)[None].chunk(2, dim=1)
        rates = velocity(model.hamiltonian, q, p), force(model.hamiltonian, q, p)
        return torch.cat(rates, dim=1)[0].detach().numpy()

    times = np.arange(31.0)
    exact = solve_ivp(field, (0, 30), start[0], t_eval=times, rtol=1e-9, atol=1e-9)
    path = torch.cat(model.rollout(State(*start.chunk(2, dim=1)), 1.0, 30), dim=2)
    travelled = np.abs(exact.y - exact.y[:, :1]).max()
    assert travelled > 0.5
    assert np.abs(path[0].detach().numpy() - exact.y.T).max() < 1e-3 * travelled


def test_speed_is_the_time_step():
    model = readable_model(Oscillator(**CIRCLES))
    slow = model.predict(START, num_steps=8, speed=0.5).frames
    fast = model.predict(START, num_steps=4).frames
    assert (fast[:, -1] - fast[:, 0]).abs().max() > 0.1
    assert torch.allclose(slow[:, ::2], fast, atol=1e-4)


def test_speed_minus_one_undoes_the_motion():
    model = readable_model(Oscillator(**CIRCLES))
    there = model.predict(START, num_steps=4).frames
    back = model.predict(there[:, [-1, -1]], num_steps=4, speed=-1.0).frames
    assert (there[:, -1] - there[:, 0]).abs().max() > 0.1
    assert torch.allclose(back.flip(1), there, atol=1e-4)


def test_energy_is_that_of_the_states_along_the_rollout():
    prediction = readable_model(Oscillator(**CIRCLES)).predict(START, num_steps=6)
    expected = torch.full((1, 7), 0.2 * 0.3**2 / 2)
    assert torch.allclose(prediction.energy, expected, rtol=1e-3)


def test_predict_tells_what_frames_it_needs(frames):
    with pytest.raises(ValueError, match=r"at least 2 frames of \(3, 8, 8\)"):
        build().predict(frames[:, :1])
    with pytest.raises(ValueError, match=r"\(5, 3, 4, 4\); this model needs"):
        build().predict(frames[..., :4, :4])


def test_loss_tells_that_it_needs_three_frames(frames):
    with pytest.raises(ValueError, match="at least 3 frames"):
        build().loss(frames[:, :2], 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"latent_size": 3}, "latent_size is 3; it must be even"),
        ({"latent_size": 0}, "latent_size is 0"),
        ({"hidden_size": 0}, "hidden_size is 0"),
        ({"num_filters": 1}, "num_filters is 1"),
        ({"hnn_weight": -0.1}, "hnn_weight is -0.1"),
        ({"image_size": 0}, "image_size is 0"),
        ({"image_size": 12, "convolutional": True}, "image_size is 12"),
        ({"integrator": "leapforg"}, "Unknown integrator 'leapforg'"),
        ({"latent": 2}, "Unknown option 'latent'"),
    ],
)
def test_bad_options_are_refused_by_name(options, message):
    with pytest.raises(ValueError, match=message):
        build(**options)


# Angles within 30 degrees and a narrow range of energies, 1.2 periods: the restricted
# pendulum on which Greydanus et al. show that PixelHNN works (paper, Sec. 4).
def small_swings(num, split):
    system = Pendulum(radius=(0.3, 0.5), noise_std=0.0, frame_dt=0.2, view=1.6)
    return render(system, simulate(system, num, 16, 0, split).q, 8)


@pytest.mark.slow
def test_small_swings_of_a_pendulum_are_learned():
    # Measured: 0.13, 0.09 and 0.10 of the error of the mean image for seeds 0, 1, 2.
    stored = small_swings(300, "train")
    model = build_model("pixelhnn", image_size=8, latent_size=2, centre_frames=True)
    training = TrainingOptions(
        num_iterations=1000,
        batch_size=64,
        learning_rate=1e-3,
        weight_decay=1e-5,
        decay=0.5,
    )
    fit(model, VideoBatches(stored), training)
    held_out = to_pixels(small_swings(50, "test"), torch.device("cpu"))
    mean_image = to_pixels(stored, torch.device("cpu")).mean(dim=(0, 1))
    error = (model.predict(held_out).frames - held_out).square().mean()
    collapsed = (mean_image - held_out).square().mean()
    assert error < 0.3 * collapsed
