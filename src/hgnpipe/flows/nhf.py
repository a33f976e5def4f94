"""Neural Hamiltonian Flow (paper, Sec. 3.3, A.2 and A.7).

Read top to bottom, this file is Fig. 4 of the paper: a state from a simple prior, moved
by one learned Hamiltonian after the other; its position is a draw from the density, its
momentum is a latent variable that an encoder infers.
"""

import math
from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn
from torch.distributions import Distribution, Normal

from hgnpipe.collection import lookup, require
from hgnpipe.flows._priors import SoftUniform, inner_uniform
from hgnpipe.flows.base import LogDensity, finite_or_none, points_for
from hgnpipe.hamiltonian import Hamiltonian, SeparableHamiltonian, State
from hgnpipe.integrators import leapfrog, rollout
from hgnpipe.nn.energies import MLPEnergy
from hgnpipe.nn.networks import MLP

PRIORS = ("soft_uniform", "normal")


class NHF(nn.Module):
    r"""Density of a position that Hamiltonian dynamics has moved.

    .. math:: p(q_T) = \int \pi(H_1^{-dt} \circ \dots \circ H_T^{-dt}(q_T, p_T)) \, dp_T

    Every flow step has a Hamiltonian H = K(p) + V(q) of its own and moves by leapfrog.
    That is invertible and keeps volumes for any dt, so that no determinant appears; the
    O(dt^2) of the paper's equation is zero.

    Args:
        num_dims: Dimension d of the data.
        num_steps: Flow steps T, each with a Hamiltonian.
        num_leapfrog: Leapfrog steps of each flow step.
        hidden_size: Units of the hidden layers of every network.
        dt: Time step. Training can undo any choice by scaling the energies; what it
            changes is how far the first steps move.
        prior: Density of each coordinate of the initial state: ``soft_uniform`` or
            ``normal``.
        sigma: Width of the soft-uniform prior.
        beta: Sharpness of its edges.
        gradient_rms: Size of dV/dq and dK/dp at initialisation, see
            `hgnpipe.nn.energies.MLPEnergy`; torch's default gives 0.05.
        feature_scale: Standard deviation of the weights of the first layer of every
            energy at initialisation, instead of torch's default.
        num_importance_samples: Samples K of the momentum per point in the training
            objective: 1 is the ELBO of the paper; more make it the tighter bound of
            Burda et al., Importance weighted autoencoders, 2016. Only every K-th point
            of a batch is used then, so that an iteration costs the same.
        elbo_iterations: Iterations at the beginning that use the ELBO all the same.

    Raises:
        ValueError: If an option is out of range.
    """

    exact = False

    def __init__(
        self,
        *,
        num_dims: int,
        num_steps: int = 2,
        num_leapfrog: int = 1,
        hidden_size: int = 128,
        dt: float = 1.0,
        prior: str = "soft_uniform",
        sigma: float = 4.0,
        beta: float = 4.0,
        gradient_rms: float | None = None,
        feature_scale: float | None = None,
        num_importance_samples: int = 1,
        elbo_iterations: int = 0,
    ) -> None:
        super().__init__()
        counts = {
            "num_dims": num_dims,
            "num_steps": num_steps,
            "num_leapfrog": num_leapfrog,
            "hidden_size": hidden_size,
            "num_importance_samples": num_importance_samples,
        }
        for name, value in counts.items():
            require(value >= 1, name, value, "1 or more")
        require(
            elbo_iterations >= 0, "elbo_iterations", elbo_iterations, "zero or positive"
        )
        for name, value in {"dt": dt, "sigma": sigma, "beta": beta}.items():
            require(value > 0, name, value, "positive")
        lookup("prior", prior, dict.fromkeys(PRIORS))
        self.num_dims, self.num_leapfrog, self.dt = num_dims, num_leapfrog, dt
        self.prior_name, self.sigma, self.beta = prior, sigma, beta
        self.num_importance_samples = num_importance_samples
        self.elbo_iterations = elbo_iterations
        energy = (num_dims, hidden_size, gradient_rms, feature_scale)
        self.hamiltonians = nn.ModuleList(
            SeparableHamiltonian(MLPEnergy(*energy), MLPEnergy(*energy))
            for _ in range(num_steps)
        )
        sizes = [num_dims, hidden_size, hidden_size, num_dims]
        self.momentum_mean, self.momentum_log_std = MLP(sizes), MLP(sizes)

    @staticmethod
    def unused_options(options: Mapping[str, Any]) -> set[str]:
        """See `hgnpipe.flows.base.Flow`."""
        unused = set()
        if options["prior"] != "soft_uniform":
            unused |= {"sigma", "beta"}
        if options["num_importance_samples"] == 1:
            unused |= {"elbo_iterations"}
        return unused

    def forward(self, initial: State) -> State:
        """Final state of an initial one, ``(B, d)`` each (paper, Fig. 3B)."""
        state = initial
        for hamiltonian in self.hamiltonians:
            state = self.step(hamiltonian, state, self.dt)
        return state

    def inverse(self, final: State) -> State:
        """Initial state of a final one: time runs backwards, and so do the steps."""
        state = final
        for hamiltonian in reversed(self.hamiltonians):
            state = self.step(hamiltonian, state, -self.dt)
        return state

    def step(self, hamiltonian: Hamiltonian, state: State, dt: float) -> State:
        """One flow step: leapfrog with one of the `hamiltonians`."""
        path = rollout(leapfrog, hamiltonian, state, dt, self.num_leapfrog)
        return State(path.q[:, -1], path.p[:, -1])

    def prior(self, like: Tensor) -> Distribution:
        """Density of each coordinate of the initial state, for tensors as ``like``."""
        if self.prior_name == "normal":
            return Normal(like.new_zeros(()), like.new_ones(()), validate_args=False)
        sigma, beta = (like.new_full((), value) for value in (self.sigma, self.beta))
        return SoftUniform(sigma, beta, validate_args=False)

    def log_joint(self, final: State) -> Float[Tensor, " B"]:
        """Ln p(q_T, p_T): the prior at the initial state, as volumes are kept."""
        initial = self.inverse(final)
        prior = self.prior(initial.q)
        return (prior.log_prob(initial.q) + prior.log_prob(initial.p)).sum(-1)

    def encoder(self, q: Float[Tensor, "B d"]) -> Normal:
        """Variational density f(p | q) of the final momentum (paper, Sec. A.2)."""
        # CHOICE (A.2, silent): the network for sigma gives its logarithm.
        std = self.momentum_log_std(q).exp()
        return Normal(self.momentum_mean(q), std, validate_args=False)

    def log_weights(
        self,
        q: Float[Tensor, "B d"],
        num_samples: int = 1,
        generator: torch.Generator | None = None,
    ) -> Float[Tensor, "num_samples B"]:
        """Ln p(q, p) - ln f(p | q) for momenta p drawn from the encoder.

        Their mean estimates the ELBO (Eq. 6); the mean of their exponentials, p(q).
        """
        inferred = self.encoder(q)
        shape = (num_samples, *q.shape)
        noise = torch.randn(shape, generator=generator, dtype=q.dtype, device=q.device)
        p = inferred.mean + inferred.stddev * noise
        positions = q.expand(shape)
        joint = self.log_joint(State(positions.flatten(0, 1), p.flatten(0, 1)))
        return joint.unflatten(0, shape[:2]) - inferred.log_prob(p).sum(-1)

    def loss(
        self,
        points: Float[Tensor, "B d"],
        iteration: int | tuple[int],
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """Minus the lower bound on ln p: the ELBO (Eq. 6), or a tighter one."""
        if isinstance(iteration, int):
            iteration = self.schedule(iteration)
        (num_samples,) = iteration
        weights = self.log_weights(points[::num_samples], num_samples, generator)
        return {"loss": -log_mean_exp(weights).mean(), "elbo": weights.mean()}

    def schedule(self, iteration: int) -> tuple[int]:
        """Importance samples of this iteration."""
        # CHOICE (A.2): the ELBO alone keeps the posterior of p close to a Gaussian at
        # the cost of the density; the tighter bound lets go of that. It has to come
        # second: from random weights it is slower.
        by_elbo = iteration < self.elbo_iterations
        return (1 if by_elbo else self.num_importance_samples,)

    def log_density(
        self,
        points: Shaped[Tensor, "B d"],
        num_importance_samples: int = 1,
        generator: torch.Generator | None = None,
    ) -> LogDensity:
        """ELBO and importance-weighted estimate of ln p, see `Flow.log_density`."""
        points = points_for(self, points, num_importance_samples)
        weights = self.log_weights(points, num_importance_samples, generator)
        weights = finite_or_none(weights)
        return LogDensity(weights.mean(0), log_mean_exp(weights))

    def sample_prior(self, num: int, generator: torch.Generator | None = None) -> State:
        """Initial states, ``(num, d)`` each."""
        like = next(self.parameters())
        uniform = inner_uniform((2, num, self.num_dims), like, generator)
        return State(*self.prior(like).icdf(uniform))

    def sample(
        self, num: int, generator: torch.Generator | None = None
    ) -> Float[Tensor, "num d"]:
        """Positions of final states; their momenta are left out."""
        with torch.no_grad():
            return self(self.sample_prior(num, generator)).q


def log_mean_exp(weights: Float[Tensor, "K B"]) -> Float[Tensor, " B"]:
    """Logarithm of the mean of exponentials over the samples."""
    return weights.logsumexp(0) - math.log(len(weights))
