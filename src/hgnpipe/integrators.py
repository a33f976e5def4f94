"""Numerical integration of Hamilton's equations (paper, Sec. A.6).

Every integrator is a function ``step(hamiltonian, state, dt) -> state`` that advances
the state by one time step; a negative ``dt`` runs time backwards. To add one, write
the function and list it in `INTEGRATORS`: the tests pick it up from there.
"""

from collections.abc import Callable, Iterator

import torch

from hgnpipe.hamiltonian import (
    Hamiltonian,
    SeparableHamiltonian,
    State,
    force,
    unrolled,
    velocity,
)

Step = float | torch.Tensor
"""Time step; as a tensor ``(B, 1, ...)`` one for each state of a batch."""
Integrator = Callable[[Hamiltonian, State, Step], State]
Rates = Callable[[State], State]
"""Time derivatives of q and p at each state, whether or not there is an energy."""
W1 = 1 / (2 - 2 ** (1 / 3))
W0 = 1 - 2 * W1
"""Parts of a step of `yoshida4`, the middle one backwards."""


def euler(hamiltonian: Hamiltonian, state: State, dt: Step) -> State:
    """Explicit Euler step, first order (paper, Eqs. 16-17).

    Neither symplectic nor reversible: the energy of an oscillator grows every step.
    """
    q, p = state
    return State(
        q + dt * velocity(hamiltonian, q, p), p + dt * force(hamiltonian, q, p)
    )


def leapfrog(hamiltonian: Hamiltonian, state: State, dt: Step) -> State:
    """Leapfrog (Stormer-Verlet) step: half kick, drift, half kick; second order.

    For a separable Hamiltonian the step is symplectic, preserves volume exactly and
    is undone by a step with ``-dt``. The drift is ``q + dt * dK/dp``: Eq. 25 of the
    paper prints ``q + dt * p``, which holds for K = p^2 / 2 alone.

    References:
        Neal, MCMC using Hamiltonian dynamics, 2011, Sec. 2.3.
    """
    return next(_leapfrog_states(hamiltonian, state, dt))


def yoshida4(hamiltonian: Hamiltonian, state: State, dt: Step) -> State:
    """Three leapfrog steps, the middle one backwards; fourth order. Not in the paper.

    Symplectic and reversible where `leapfrog` is: for separable Hamiltonians.

    References:
        Yoshida, Construction of higher order symplectic integrators, Phys. Lett. A
        150, 1990.
    """
    for part in (W1, W0, W1):
        state = leapfrog(hamiltonian, state, part * dt)
    return state


def rk4(hamiltonian: Hamiltonian, state: State, dt: Step) -> State:
    """Classical fourth-order Runge-Kutta step (paper, Eqs. 18-22)."""

    def rates(state: State) -> State:
        return State(velocity(hamiltonian, *state), force(hamiltonian, *state))

    return rk4_of_rates(rates, state, dt)


def euler_of_rates(rates: Rates, state: State, dt: Step) -> State:
    """Explicit Euler step of any differential equation, see `euler`."""
    slope = rates(state)
    return State(state.q + dt * slope.q, state.p + dt * slope.p)


def rk4_of_rates(rates: Rates, state: State, dt: Step) -> State:
    """Runge-Kutta step of any differential equation, see `rk4`."""

    def slope(offset: State, h: Step) -> State:
        return rates(State(state.q + h * offset.q, state.p + h * offset.p))

    k1 = slope(State(torch.zeros_like(state.q), torch.zeros_like(state.p)), 0.0)
    k2 = slope(k1, dt / 2)
    k3 = slope(k2, dt / 2)
    k4 = slope(k3, dt)
    return State(
        state.q + dt / 6 * (k1.q + 2 * k2.q + 2 * k3.q + k4.q),
        state.p + dt / 6 * (k1.p + 2 * k2.p + 2 * k3.p + k4.p),
    )


INTEGRATORS: dict[str, Integrator] = {
    "euler": euler,
    "leapfrog": leapfrog,
    "yoshida4": yoshida4,
    "rk4": rk4,
}
FIELD_INTEGRATORS: dict[str, Callable[[Rates, State, Step], State]] = {
    "euler": euler_of_rates,
    "rk4": rk4_of_rates,
}
"""The same for rates of change that need not come from an energy. `rollout` and
`rollout_around` take them too, with rates in place of the energy."""


def rollout(
    integrator: Integrator,
    hamiltonian: Hamiltonian,
    initial: State,
    dt: Step,
    num_steps: int,
) -> State:
    """Trajectory of ``num_steps`` steps, including the initial state.

    Args:
        integrator: One of `INTEGRATORS`.
        hamiltonian: Energy that generates the motion.
        initial: State at time zero, ``(B, *n)``.
        dt: Time step; negative to roll back, doubled to play at twice the speed.
        num_steps: Number of steps to take; zero returns the initial state alone.

    Returns:
        States at times ``0, dt, ..., num_steps * dt``, each ``(B, num_steps + 1, *n)``.
    """
    stepper = _leapfrog_states if integrator is leapfrog else _iterate(integrator)
    hamiltonian = unrolled(hamiltonian, initial.q)
    states = [initial]
    for _, state in zip(
        range(num_steps), stepper(hamiltonian, initial, dt), strict=False
    ):
        states.append(state)
    return State(
        torch.stack([state.q for state in states], dim=1),
        torch.stack([state.p for state in states], dim=1),
    )


def rollout_around(
    integrator: Integrator,
    hamiltonian: Hamiltonian,
    state: State,
    dt: float,
    before: int,
    after: int,
) -> State:
    """Trajectory from ``before`` steps before a state to ``after`` steps after it.

    Both directions are one batch, with time steps of both signs.

    Returns:
        States at times ``-before * dt, ..., after * dt``, each
        ``(B, before + 1 + after, *n)``.
    """
    if before == 0:
        return rollout(integrator, hamiltonian, state, dt, after)
    num = len(state.q)
    signs = state.q.new_ones(2 * num, *[1] * (state.q.dim() - 1))
    signs[num:].neg_()
    twice = State(torch.cat([state.q, state.q]), torch.cat([state.p, state.p]))
    path = rollout(integrator, hamiltonian, twice, dt * signs, max(before, after))

    def in_order(x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x[num:, 1 : before + 1].flip(1), x[:num, : after + 1]], dim=1)

    return State(in_order(path.q), in_order(path.p))


def _iterate(integrator: Integrator) -> Callable[..., Iterator[State]]:
    def states(hamiltonian: Hamiltonian, state: State, dt: Step) -> Iterator[State]:
        while True:
            state = integrator(hamiltonian, state, dt)
            yield state

    return states


def _leapfrog_states(
    hamiltonian: Hamiltonian, state: State, dt: Step
) -> Iterator[State]:
    """Endless leapfrog steps; the kick that closes one step opens the next.

    The force is the costly part, and for a separable energy both kicks need it at the
    same position: evaluating it once per step saves a third of the rollout.
    """
    separable = isinstance(hamiltonian, SeparableHamiltonian)
    q, p = state
    f = force(hamiltonian, q, p)
    while True:
        p_half = p + dt / 2 * f
        q = q + dt * velocity(hamiltonian, q, p_half)
        f = force(hamiltonian, q, p_half)
        p = p_half + dt / 2 * f
        yield State(q, p)
        if not separable:
            f = force(hamiltonian, q, p)
