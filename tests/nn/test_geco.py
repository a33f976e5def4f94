import math

import pytest
import torch

from hgnpipe.nn.geco import Geco


def loss_and_inputs(geco, error, kl):
    inputs = [torch.tensor(x, requires_grad=True) for x in (error, kl)]
    return geco.loss(*inputs), *inputs


@pytest.mark.parametrize("initial", [0.5, 1.0, 20.0, 1000.0, 1e6])
def test_the_multiplier_starts_where_it_is_told(initial):
    multiplier = Geco(0.1, initial).multiplier.item()
    assert multiplier == pytest.approx(initial)


@pytest.mark.parametrize("initial", [1.0, 10.0, 20.0])
def test_the_start_is_the_inverse_of_softplus_to_the_last_bit(initial):
    expected = torch.tensor(math.log(math.expm1(initial)))
    assert torch.equal(Geco(0.1, initial).raw.detach(), expected)


@pytest.mark.parametrize(("error", "value"), [(0.3, 0.5 + 2 * 0.2), (0.05, 0.5 - 0.1)])
def test_the_value_is_kl_plus_the_weighted_constraint(error, value):
    loss, *_ = loss_and_inputs(Geco(kappa=0.1, initial=2.0), error, 0.5)
    assert loss.item() == pytest.approx(value)


def test_the_networks_get_the_gradient_of_the_value():
    loss, error, kl = loss_and_inputs(Geco(kappa=0.1, initial=2.0), 0.3, 0.5)
    loss.backward()
    assert error.grad.item() == pytest.approx(2)
    assert kl.grad.item() == pytest.approx(1)


def test_the_multiplier_gets_the_gradient_with_the_sign_turned_around():
    geco = Geco(kappa=0.1, initial=2.0)
    loss_and_inputs(geco, 0.3, 0.5)[0].backward()
    slope_of_softplus = 1 - math.exp(-2)
    assert geco.raw.grad.item() == pytest.approx(-0.2 * slope_of_softplus)


@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.Adam])
@pytest.mark.parametrize(("error", "direction"), [(0.3, 1), (0.1, 0), (0.01, -1)])
def test_the_multiplier_rises_while_the_error_exceeds_kappa(
    optimizer, error, direction
):
    geco = Geco(kappa=0.1)
    before = geco.multiplier.item()
    descent = optimizer(geco.parameters(), lr=0.1)
    loss_and_inputs(geco, error, 0.5)[0].backward()
    descent.step()
    after = geco.multiplier.item()
    assert (after > before) - (after < before) == direction


def test_the_multiplier_never_becomes_negative():
    geco = Geco(kappa=0.1)
    descent = torch.optim.SGD(geco.parameters(), lr=1e3)
    for _ in range(3):
        descent.zero_grad()
        loss_and_inputs(geco, 0.0, 0.5)[0].backward()
        descent.step()
    assert 0 <= geco.multiplier.item() < 1e-3


@pytest.mark.parametrize(
    ("options", "name"),
    [({"kappa": -1e-3}, "kappa"), ({"kappa": 0.1, "initial": 0.0}, "multiplier")],
)
def test_an_option_out_of_range_is_named(options, name):
    with pytest.raises(ValueError, match=name):
        Geco(**options)
