import pytest
import torch
from torch import nn

from hgnpipe.hamiltonian import SeparableHamiltonian, force, gradient, velocity

MASS, STIFFNESS, COUPLING = 0.25, 3.0, 0.7


def coupled(q, p):
    """An energy that is not separable."""
    energy = p.square() / (2 * MASS) + STIFFNESS * q.square() / 2 + COUPLING * q * p
    return energy.sum(-1)


class Quartic(nn.Module):
    def __init__(self, scale):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(scale))

    def forward(self, x):
        return self.scale * x.pow(4).sum(-1)


@pytest.fixture
def point():
    return torch.tensor([[0.3, -1.0], [2.0, 0.5]]), torch.tensor(
        [[1.0, 2.0], [-0.4, 0]]
    )


def test_velocity_is_the_derivative_of_the_energy_by_the_momentum(point):
    q, p = point
    torch.testing.assert_close(velocity(coupled, q, p), p / MASS + COUPLING * q)


def test_force_is_minus_the_derivative_of_the_energy_by_the_position(point):
    q, p = point
    torch.testing.assert_close(force(coupled, q, p), -STIFFNESS * q - COUPLING * p)


@pytest.mark.parametrize("separable", [False, True])
def test_force_does_not_follow_the_path_by_which_the_momentum_came_from_the_position(
    point, separable
):
    modules = SeparableHamiltonian(Quartic(2.0), Quartic(0.5))
    energy = modules if separable else lambda q, p: modules(q, p)
    q = point[0].requires_grad_()
    torch.testing.assert_close(force(energy, q, 3 * q), -2 * q**3)


@pytest.mark.parametrize("separable", [False, True])
def test_velocity_does_not_follow_the_path_by_which_the_position_came_from_the_momentum(
    point, separable
):
    modules = SeparableHamiltonian(Quartic(2.0), Quartic(0.5))
    energy = modules if separable else lambda q, p: modules(q, p)
    p = point[1].requires_grad_()
    torch.testing.assert_close(velocity(energy, 3 * p, p), 8 * p**3)


def test_a_separable_energy_is_the_sum_of_its_parts(point):
    q, p = point
    energy = SeparableHamiltonian(kinetic=Quartic(2.0), potential=Quartic(0.5))
    expected = 2 * p.pow(4).sum(-1) + 0.5 * q.pow(4).sum(-1)
    torch.testing.assert_close(energy(q, p), expected)


def test_the_motion_is_the_same_when_no_gradients_are_recorded(point):
    with torch.no_grad():
        still = force(coupled, *point)
    torch.testing.assert_close(still, force(coupled, *point))


@pytest.mark.parametrize("rate", [velocity, force])
def test_the_motion_can_be_trained_through(point, rate):
    energy = SeparableHamiltonian(Quartic(2.0), Quartic(0.5))
    rate(energy, *point).sum().backward()
    moved = energy.kinetic if rate is velocity else energy.potential
    x = point[1] if rate is velocity else -point[0]
    torch.testing.assert_close(moved.scale.grad, (4 * x**3).sum())


def test_an_energy_that_knows_its_gradient_is_asked_for_it(point):
    class Known(Quartic):
        def gradient(self, x):
            return torch.full_like(x, 7.0)

    assert (gradient(Known(1.0), point[0]) == 7).all()


def test_shapes_that_contradict_the_annotations_are_refused(point):
    with pytest.raises(Exception, match=r"(?i)type-check"):
        velocity(coupled, point[0], point[1][:1])
