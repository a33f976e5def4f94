"""Families that differ from HGN in how the latent state moves, and nowhere else."""

import pytest
import torch

from hgnpipe.hamiltonian import State
from hgnpipe.models import build_model
from hgnpipe.models.base import PhaseSpaceModel, SamplingModel

SIZES = {"num_frames": 5, "image_size": 8, "num_filters": 4, "latent_channels": 2}
VECTOR = {"num_pairs": 2, "num_keypoints": 3, "hidden_size": 8}
MODELS = {
    "ode": ("latent_ode", {}),
    "ode_vector": ("latent_ode", VECTOR),
    "gru": ("latent_gru", VECTOR),
    "joint": ("hgn", {"separable": False, "integrator": "rk4"}),
    "joint_vector": ("hgn", {**VECTOR, "separable": False, "integrator": "rk4"}),
}
every_model = pytest.mark.parametrize("name", MODELS)


def built(name, **options):
    family, own = MODELS[name]
    return build_model(family, **{**SIZES, **own, **options})


@pytest.fixture
def frames():
    return torch.rand(3, 5, 3, 8, 8, generator=torch.Generator().manual_seed(0))


@every_model
def test_every_parameter_gets_a_gradient(name, frames):
    model = built(name, inferred_frame="middle")
    model.loss(frames, 0, torch.Generator().manual_seed(0))["loss"].backward()
    found = {n: p.grad for n, p in model.named_parameters() if p.numel()}
    assert [n for n, grad in found.items() if grad is None or not grad.any()] == []


@every_model
def test_the_loss_is_the_error_of_what_is_predicted(name, frames):
    model = built(name, deterministic=True)
    expected = (model.predict(frames).frames - frames).square().mean()
    torch.testing.assert_close(model.loss(frames, 0)["mse"], expected)


@every_model
def test_encoder_and_decoder_are_those_of_hgn(name):
    model, options = built(name), MODELS[name][1]
    shared = {k: v for k, v in options.items() if k in VECTOR}
    hgn = build_model("hgn", **SIZES, **shared)
    for part in ("encoder", "f_psi", "decoder"):
        own, its = (getattr(m, part).state_dict() for m in (model, hgn))
        assert {k: v.shape for k, v in own.items()} == {
            k: v.shape for k, v in its.items()
        }


@every_model
def test_all_of_them_come_apart_and_have_a_prior(name):
    assert isinstance(built(name), PhaseSpaceModel)
    assert isinstance(built(name), SamplingModel)


@pytest.mark.parametrize("name", ["ode", "ode_vector", "gru"])
def test_baselines_have_no_energy(name, frames):
    model = built(name)
    assert model.predict(frames).energy is None
    assert model.sample(2, 3).energy is None


@pytest.mark.parametrize("name", ["ode_vector", "joint_vector"])
def test_a_negative_step_leads_back(name, frames):
    model = built(name)
    start = model.infer(frames).state
    there = model.rollout(start, 0.05, 10)
    back = model.rollout(State(there.q[:, -1], there.p[:, -1]), -0.05, 10)
    assert (there.q[:, -1] - start.q).abs().max() > 0.1
    torch.testing.assert_close(back.q[:, -1], start.q, rtol=0, atol=1e-4)


def test_the_rates_of_a_joint_energy_are_its_derivatives():
    energy = built("joint_vector").hamiltonian
    state = State(*torch.randn(2, 4, 2, requires_grad=True))
    by_q, by_p = torch.autograd.grad(energy(*state).sum(), state)
    found = energy.rates(state)
    torch.testing.assert_close(found.q, by_p)
    torch.testing.assert_close(found.p, -by_q)


def test_a_joint_energy_couples_position_and_momentum():
    energy = built("joint_vector").hamiltonian
    q, p = torch.randn(2, 4, 2)
    separate = energy(q, 0 * p) + energy(0 * q, p) - energy(0 * q, 0 * p)
    assert not torch.allclose(energy(q, p), separate, rtol=1e-4)


def test_a_joint_energy_is_kept_along_a_rollout(frames):
    made = built("joint_vector", gradient_rms=0.5).predict(frames, num_steps=20)
    drift = (made.energy - made.energy[:, :1]).abs().max()
    assert drift < 1e-3 * made.energy.abs().min()


@pytest.mark.parametrize("integrator", ["leapfrog", "yoshida4"])
def test_a_joint_energy_takes_no_integrator_of_separable_ones(integrator):
    with pytest.raises(ValueError, match="euler or rk4 where separable is false"):
        built("joint", integrator=integrator)


def test_an_ode_takes_no_integrator_that_needs_an_energy():
    with pytest.raises(ValueError, match=r"'leapfrog'\. Known: euler, rk4"):
        built("ode", integrator="leapfrog")


def test_a_cell_steps_onwards_and_another_one_back(frames):
    model = built("gru")
    start = model.infer(frames).state
    for dt, way in ((model.dt, "onwards"), (-model.dt, "back")):
        path, state = model.rollout(start, dt, 3), start
        for step in range(1, 4):
            state = model.cells[way](state)
            torch.testing.assert_close(path.q[:, step], state.q)
            torch.testing.assert_close(path.p[:, step], state.p)


@pytest.mark.parametrize("where", ["first", "middle", "last"])
def test_a_cell_is_followed_as_it_is_trained(frames, where):
    model = built("gru", deterministic=True, inferred_frame=where)
    made = model.predict(frames).frames
    expected = (made - frames).square().mean()
    torch.testing.assert_close(model.loss(frames, 0)["mse"], expected)
    # Shorter than what was seen, longer, and with a past.
    path = model.follow(frames, 2, 7)
    assert path.q.shape[1] == 10
    shown = model.decode_path(path)
    past = model.predict(frames, speed=-1.0, num_steps=2).frames
    torch.testing.assert_close(shown[:, :3], past.flip(1))
    torch.testing.assert_close(shown[:, 2:7], made)
    for steps in (0, 1, 7):
        few = model.predict(frames, num_steps=steps).frames
        torch.testing.assert_close(few, shown[:, 2 : 3 + steps])


def test_double_speed_of_a_cell_is_every_second_frame(frames):
    model = built("gru")
    twice = model.predict(frames, speed=2.0, num_steps=3).frames
    assert torch.equal(twice, model.predict(frames, num_steps=6).frames[:, ::2])


@pytest.mark.parametrize("speed", [0.5, 1.5, 0.0])
def test_half_steps_of_a_cell_are_refused(frames, speed):
    with pytest.raises(ValueError, match=rf"^speed is {speed}; .* no half steps"):
        built("gru").predict(frames, speed=speed)


def test_a_cell_needs_a_vector():
    with pytest.raises(ValueError, match=r"^num_pairs is None; it must be given"):
        build_model("latent_gru", **SIZES)
