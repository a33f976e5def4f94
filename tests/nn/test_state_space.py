"""HNN of true states and its baseline (paper, Sec. 2.1 and Sec. 4)."""

import pytest
import torch
from torch import nn

from hgnpipe.hamiltonian import State, motion
from hgnpipe.nn.state_space import STATE_MODELS, StateHNN, StateMLP

every_model = pytest.mark.parametrize("model", STATE_MODELS.values(), ids=STATE_MODELS)


@pytest.fixture
def state():
    generator = torch.Generator().manual_seed(0)
    q, p = torch.randn(2, 5, 2, generator=generator)
    return State(q, p)


class Oscillator(nn.Module):
    """H = 2 q^2 + p^2 / 2, so that dq = p and dp = -4 q."""

    def forward(self, q, p):
        return (2 * q.square() + p.square() / 2).sum(1)


def batch(state, rates):
    return torch.cat([*state, *rates], dim=1)


def test_the_loss_of_hnn_is_the_violation_of_hamiltons_equations(state):
    model = StateHNN(4)
    model.hamiltonian = Oscillator()
    right = State(state.p, -4 * state.q)
    assert model.loss(batch(state, right), 0)["loss"].item() == 0
    wrong = State(right.q + 0.3, right.p - 0.5)
    loss = model.loss(batch(state, wrong), 0)["loss"].item()
    assert loss == pytest.approx((0.3**2 + 0.5**2) / 2, rel=1e-5)


def test_the_loss_of_the_perceptron_is_the_squared_error_of_its_rates(state):
    model = StateMLP(4)
    found = model.rates(state)
    assert model.loss(batch(state, found), 0)["loss"].item() == 0
    shifted = State(found.q + 0.3, found.p - 0.5)
    loss = model.loss(batch(state, shifted), 0)["loss"].item()
    assert loss == pytest.approx((0.3**2 + 0.5**2) / 2, rel=1e-5)


def test_hnn_moves_along_lines_of_equal_energy_and_the_perceptron_does_not(state):
    model = StateHNN(4)
    energy = motion(model.hamiltonian, *state)
    for moved, kept in ((model, True), (StateMLP(4), False)):
        dq, dp = moved.rates(state)
        change = (-energy.p * dq + energy.q * dp).sum(1)
        assert (change.abs().max() < 1e-6) == kept


@every_model
def test_every_parameter_gets_a_gradient(model, state):
    network = model(4)
    network.loss(batch(state, State(-state.q, state.p)), 0)["loss"].backward()
    unused = [
        name
        for name, weight in network.named_parameters()
        if weight.grad is None or not weight.grad.any()
    ]
    assert unused == []


@every_model
def test_weights_are_orthogonal_and_the_hidden_layers_of_equal_size(model):
    layers = [m for m in model(4, 30).modules() if isinstance(m, nn.Linear)]
    assert [layer.out_features for layer in layers[:2]] == [30, 30]
    assert len(layers) == 3 and layers[-1].bias is None
    for layer in layers:
        weight = layer.weight
        short = weight if weight.shape[0] <= weight.shape[1] else weight.T
        torch.testing.assert_close(short @ short.T, torch.eye(len(short)))


@every_model
@pytest.mark.parametrize(
    ("sizes", "message"),
    [((3,), "state_size is 3; it must be even"), ((4, 0), "hidden_size is 0")],
)
def test_bad_sizes_are_refused_by_name(model, sizes, message):
    with pytest.raises(ValueError, match=message):
        model(*sizes)
