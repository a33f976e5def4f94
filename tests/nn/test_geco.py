import math

import pytest
import torch

from hgnpipe.nn.geco import Geco


def loss_and_inputs(geco, error, kl, rate=0.0):
    inputs = [torch.tensor(x, requires_grad=True) for x in (error, kl)]
    return geco.loss(*inputs, rate), *inputs


def multiplier_after(errors, rate=0.1, **options):
    geco = Geco(kappa=0.1, **options)
    for error in errors:
        geco.loss(torch.tensor(error), torch.tensor(0.5), rate)
    return geco.multiplier.item()


@pytest.mark.parametrize("initial", [0.1, 0.5, 1.0, 10.0])
def test_the_multiplier_starts_where_it_is_told(initial):
    assert Geco(0.1, initial).multiplier.item() == pytest.approx(initial)


@pytest.mark.parametrize(("error", "value"), [(0.3, 0.5 + 2 * 0.2), (0.05, 0.5 - 0.1)])
def test_the_value_is_kl_plus_the_weighted_constraint(error, value):
    loss, *_ = loss_and_inputs(Geco(kappa=0.1, initial=2.0), error, 0.5)
    assert loss.item() == pytest.approx(value)


def test_the_networks_get_the_gradient_of_the_value():
    loss, error, kl = loss_and_inputs(Geco(kappa=0.1, initial=2.0), 0.3, 0.5)
    loss.backward()
    assert error.grad.item() == pytest.approx(2)
    assert kl.grad.item() == pytest.approx(1)


def test_nothing_of_the_multiplier_is_trained():
    assert list(Geco(0.1).parameters()) == []


@pytest.mark.parametrize(
    ("error", "factor"),
    [
        (0.15, math.exp(0.1 * 0.5)), (0.08, math.exp(-0.1 * 0.2)), (0.1, 1.0),
        (0.9, math.exp(0.1)), (0.0, math.exp(-0.1)),
    ],
)  # fmt: skip
def test_an_update_multiplies_by_the_relative_violation_up_to_one(error, factor):
    assert multiplier_after([error]) == pytest.approx(factor)


def test_what_counts_is_a_moving_average_of_the_error():
    expected = math.exp(0.1 * 0.5 + 0.1 * (0.95 * 0.15 + 0.05 * 0.05 - 0.1) / 0.1)
    assert multiplier_after([0.15, 0.05]) == pytest.approx(expected)


def test_the_average_is_known_when_the_multiplier_begins_to_move():
    geco = Geco(kappa=0.1)
    for rate in [0.0] * 200 + [0.1]:
        geco.loss(torch.tensor(0.15), torch.tensor(0.5), rate)
    assert geco.multiplier.item() == pytest.approx(math.exp(0.05))


@pytest.mark.parametrize(("error", "bound"), [(0.3, 4.0), (0.01, 0.5)])
def test_the_multiplier_stops_at_its_bounds_and_says_so(error, bound):
    geco = Geco(kappa=0.1, bounds=(0.5, 4.0))
    assert geco.remark == ""
    for _ in range(100):
        geco.loss(torch.tensor(error), torch.tensor(0.5), 0.1)
    assert geco.multiplier.item() == pytest.approx(bound)
    assert f"bound {bound:g}" in geco.remark and f"{error:.3g}" in geco.remark


@pytest.mark.parametrize("initial", [710.0, 1e-30, 1e30])
def test_every_multiplier_inside_its_bounds_weighs_the_error(initial):
    geco = Geco(0.1, initial, (1e-30, 1e30))
    loss = geco.loss(torch.tensor(0.3), torch.tensor(0.0), 0.1)
    assert loss.item() == pytest.approx(0.2 * geco.multiplier.item(), rel=1e-5)
    assert 0 < geco.multiplier < torch.inf


def test_an_evaluation_moves_nothing():
    geco = Geco(kappa=0.1).eval()
    loss_and_inputs(geco, 0.3, 0.5, rate=0.1)
    assert geco.multiplier.item() == 1 and geco.error.item() == 0


def test_multiplier_and_average_are_saved_with_the_model():
    geco, other = Geco(kappa=0.1), Geco(kappa=0.1)
    loss_and_inputs(geco, 0.3, 0.5, rate=0.1)
    other.load_state_dict(geco.state_dict())
    for one in (geco, other):
        loss_and_inputs(one, 0.2, 0.5, rate=0.1)
    assert other.multiplier.item() == geco.multiplier.item() > math.exp(0.1)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"kappa": 0.0}, "kappa"),
        ({"kappa": 0.1, "initial": 0.0}, "multiplier"),
        ({"kappa": 0.1, "initial": 20.0}, r"multiplier.*20.*in 0.1 to 10"),
        ({"kappa": 0.1, "bounds": (0.0, 1.0)}, "bounds"),
        ({"kappa": 0.1, "bounds": (2.0, 1.0)}, "bounds"),
        ({"kappa": 0.1, "bounds": (0.1, 1e39)}, "between 1e-30 and 1e"),
        ({"kappa": 0.1, "bounds": (1e-50, 1.0)}, "between 1e-30 and 1e"),
    ],
)
def test_an_option_out_of_range_is_named(options, name):
    with pytest.raises(ValueError, match=name):
        Geco(**options)
