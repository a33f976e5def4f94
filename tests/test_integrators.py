import math

import pytest
import torch
from torch import nn

from hgnpipe.hamiltonian import SeparableHamiltonian, State, motion
from hgnpipe.integrators import (
    FIELD_INTEGRATORS,
    INTEGRATORS,
    rollout,
    rollout_around,
)

ORDER = {"euler": 1, "leapfrog": 2, "yoshida4": 4, "rk4": 4}
SYMPLECTIC = {"leapfrog", "yoshida4"}
REVERSIBLE = {"leapfrog", "yoshida4"}
MASS, STIFFNESS = 0.25, 2.0

every_integrator = pytest.mark.parametrize("name", INTEGRATORS)


class Square(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor, dtype=torch.float64))

    def forward(self, x):
        return self.factor * x.square().sum(-1) / 2


def oscillator():
    return SeparableHamiltonian(kinetic=Square(1 / MASS), potential=Square(STIFFNESS))


def coupled_wells(q, p):
    """Separable, not quadratic, with two different masses."""
    kinetic = p[..., 0].square() + p[..., 1].square() / 5
    return kinetic + q.pow(4).sum(-1) / 4 + torch.sin(q[..., 0] * q[..., 1])


def energy_along(path):
    energy = oscillator()(path.q.flatten(0, 1), path.p.flatten(0, 1))
    return energy.unflatten(0, path.q.shape[:2])


def start(batch=2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shape = (2, batch, 2)
    return State(*torch.randn(shape, generator=generator, dtype=torch.float64))


def exact(initial, t):
    """Solution of the oscillator with mass and stiffness."""
    omega = (STIFFNESS / MASS) ** 0.5
    cos, sin = math.cos(omega * t), math.sin(omega * t)
    return State(
        initial.q * cos + initial.p / (MASS * omega) * sin,
        initial.p * cos - initial.q * MASS * omega * sin,
    )


def error_after_one_unit_of_time(name, energy, num_steps):
    initial = start()
    path = rollout(INTEGRATORS[name], energy, initial, 1 / num_steps, num_steps)
    last = State(path.q[:, -1], path.p[:, -1])
    pairs = zip(last, exact(initial, 1.0), strict=True)
    return max((got - true).abs().max().item() for got, true in pairs)


def assert_same(state, other, **tolerance):
    torch.testing.assert_close(state.q, other.q, **tolerance)
    torch.testing.assert_close(state.p, other.p, **tolerance)


def step_jacobian(name, dt=0.3):
    """Jacobian of one step at one point, coordinates ordered (q1, q2, p1, p2)."""

    def step(x):
        q, p = x[None].chunk(2, dim=1)
        return torch.cat(INTEGRATORS[name](coupled_wells, State(q, p), dt), dim=1)[0]

    return torch.autograd.functional.jacobian(step, torch.cat(start(1), dim=1)[0])


@every_integrator
@pytest.mark.parametrize("plain_function", [False, True])
def test_halving_the_step_shrinks_the_error_as_the_order_says(name, plain_function):
    modules = oscillator()
    energy = (lambda q, p: modules(q, p)) if plain_function else modules
    coarse = error_after_one_unit_of_time(name, energy, 100)
    fine = error_after_one_unit_of_time(name, energy, 200)
    assert coarse / fine == pytest.approx(2 ** ORDER[name], rel=0.1)


@every_integrator
def test_a_fine_rollout_follows_the_exact_solution_with_a_mass_other_than_one(name):
    num_steps = 1000 // 4 ** (ORDER[name] - 1)
    assert error_after_one_unit_of_time(name, oscillator(), num_steps) < 2e-2


@every_integrator
def test_only_symplectic_integrators_keep_the_symplectic_form(name):
    one, zero = torch.eye(2).double(), torch.zeros(2, 2).double()
    form = torch.cat([torch.cat([zero, one], 1), torch.cat([-one, zero], 1)])
    jacobian = step_jacobian(name)
    defect = (jacobian.T @ form @ jacobian - form).abs().max()
    assert (defect < 1e-12) == (name in SYMPLECTIC)


@every_integrator
def test_only_symplectic_integrators_keep_the_volume(name):
    volume = torch.linalg.det(step_jacobian(name))
    assert ((volume - 1).abs() < 1e-12) == (name in SYMPLECTIC)


@every_integrator
def test_only_reversible_integrators_come_back_with_the_negative_step(name):
    step, initial = INTEGRATORS[name], start()
    there = rollout(step, coupled_wells, initial, 0.1, 20)
    last = State(there.q[:, -1], there.p[:, -1])
    back = rollout(step, coupled_wells, last, -0.1, 20)
    distance = (back.q[:, -1] - initial.q).abs().max()
    assert (distance < 1e-12) == (name in REVERSIBLE)


@every_integrator
def test_running_time_backwards_is_turning_the_momenta_around(name):
    q, p = start()
    backwards = rollout(INTEGRATORS[name], coupled_wells, State(q, p), -0.1, 5)
    turned = rollout(INTEGRATORS[name], coupled_wells, State(q, -p), 0.1, 5)
    assert_same(backwards, State(turned.q, -turned.p))


def test_euler_gives_the_oscillator_energy_at_every_step():
    path = rollout(INTEGRATORS["euler"], oscillator(), start(), 0.05, 50)
    energy = energy_along(path)
    assert (energy.diff(dim=1) > 0).all()


def test_leapfrog_keeps_the_energy_of_the_oscillator_within_bounds_for_long():
    path = rollout(INTEGRATORS["leapfrog"], oscillator(), start(), 0.05, 1000)
    energy = energy_along(path)
    assert ((energy / energy[:, :1] - 1).abs() < 0.01).all()


@every_integrator
@pytest.mark.parametrize(
    "energy", [oscillator(), coupled_wells], ids=["module", "plain"]
)
def test_a_rollout_is_the_step_taken_again_and_again(name, energy):
    states = [start()]
    for _ in range(4):
        states.append(INTEGRATORS[name](energy, states[-1], 0.1))
    path = rollout(INTEGRATORS[name], energy, states[0], 0.1, 4)
    q, p = zip(*states, strict=True)
    assert_same(path, State(torch.stack(q, 1), torch.stack(p, 1)))


@every_integrator
def test_zero_steps_return_the_initial_state_alone(name):
    initial = start()
    path = rollout(INTEGRATORS[name], coupled_wells, initial, 0.1, 0)
    expected = State(initial.q[:, None], initial.p[:, None])
    assert_same(path, expected, rtol=0, atol=0)


@every_integrator
def test_coordinates_may_have_any_shape(name):
    q, p = torch.randn(2, 5, 3, 4, 4, dtype=torch.float64)
    flat = State(q.flatten(1), p.flatten(1))

    def energy(q, p):
        return (p.square() / (2 * MASS) + q.pow(4)).flatten(1).sum(-1)

    path = rollout(INTEGRATORS[name], energy, State(q, p), 0.1, 3)
    expected = rollout(INTEGRATORS[name], energy, flat, 0.1, 3)
    assert path.q.shape == path.p.shape == (5, 4, 3, 4, 4)
    assert_same(State(path.q.flatten(2), path.p.flatten(2)), expected)


@every_integrator
def test_a_recorded_rollout_moves_like_one_that_is_not_recorded(name):
    initial = start()
    free = rollout(INTEGRATORS[name], coupled_wells, initial, 0.1, 10)
    recorded = State(*(x.clone().requires_grad_() for x in initial))
    path = rollout(INTEGRATORS[name], coupled_wells, recorded, 0.1, 10)
    assert_same(State(path.q.detach(), path.p.detach()), free)


@every_integrator
@pytest.mark.parametrize("part", ["kinetic", "potential"])
def test_gradients_of_a_rollout_reach_the_parameters_of_the_energy(name, part):
    energy = oscillator()
    factor = getattr(energy, part).factor

    def final_position():
        return rollout(INTEGRATORS[name], energy, start(), 0.1, 10).q[:, -1].sum()

    final_position().backward()
    values, h = [], 1e-5
    for shift in (h, -2 * h):
        with torch.no_grad():
            factor += shift
        values.append(final_position().item())
    assert factor.grad.item() == pytest.approx((values[0] - values[1]) / (2 * h))


def test_a_leapfrog_rollout_evaluates_the_force_once_per_step():
    energy, calls = oscillator(), []
    energy.potential.register_forward_hook(lambda *_: calls.append(1))
    rollout(INTEGRATORS["leapfrog"], energy, start(), 0.1, 10)
    assert len(calls) == 11


@every_integrator
def test_a_rollout_is_the_step_repeated_for_an_inseparable_energy_too(name):
    def energy(q, p):
        return (q.square() * (1 + p.square()) + p.square()).sum(-1) / 2

    state = initial = start()
    for _ in range(5):
        state = INTEGRATORS[name](energy, state, 0.1)
    path = rollout(INTEGRATORS[name], energy, initial, 0.1, 5)
    torch.testing.assert_close(path.q[:, -1], state.q)
    torch.testing.assert_close(path.p[:, -1], state.p)


@every_integrator
@pytest.mark.parametrize(("before", "after"), [(3, 5), (5, 3), (2, 0), (0, 2), (0, 0)])
def test_a_rollout_around_a_state_is_two_rollouts_from_it(name, before, after):
    integrator, initial = INTEGRATORS[name], start(3)
    path = rollout_around(integrator, coupled_wells, initial, 0.1, before, after)
    past = rollout(integrator, coupled_wells, initial, -0.1, before)
    future = rollout(integrator, coupled_wells, initial, 0.1, after)
    for found, back, onwards in zip(path, past, future, strict=True):
        expected = torch.cat([back.flip(1), onwards[:, 1:]], dim=1)
        assert found.shape == (3, before + 1 + after, 2)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", FIELD_INTEGRATORS)
def test_integrators_of_rates_do_the_same_for_those_of_an_energy(name):
    path = rollout(INTEGRATORS[name], coupled_wells, start(), 0.1, 8)
    again = rollout(
        FIELD_INTEGRATORS[name],
        lambda state: motion(coupled_wells, *state),
        start(),
        0.1,
        8,
    )
    assert_same(again, path)


@pytest.mark.parametrize("name", FIELD_INTEGRATORS)
def test_integrators_of_rates_follow_what_has_no_energy(name):
    def spiral(state):  # radii shrink as exp(-t)
        return State(state.p - state.q, -state.q - state.p)

    path = rollout(FIELD_INTEGRATORS[name], spiral, start(), 0.001, 1000)
    radii = [path.q[:, t].square() + path.p[:, t].square() for t in (0, -1)]
    torch.testing.assert_close(radii[1], radii[0] * math.exp(-2), rtol=2e-3, atol=0)
