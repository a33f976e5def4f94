"""Physical systems whose videos the models learn from (paper, Sec. 4 and A.4).

A system says how it moves (its energy), where it starts, and how it looks from the
side. All quantities are dimensionless. To add a system: subclass `System`, list it in
`SYSTEMS`, and name it in ``config.yaml``.
"""

import abc
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from hgnpipe.collection import check_options, lookup, require

Color = tuple[int, int, int]
COLORS: tuple[Color, ...] = ((173, 146, 0), (173, 0, 0), (0, 146, 0))
"""RGB of the first, second and third body."""


@dataclass(frozen=True, kw_only=True)
class System(abc.ABC):
    """A Hamiltonian system, its initial states and its picture.

    Attributes:
        radius: Range of the uniform distribution of the phase-space radius.
        noise_std: Standard deviation of the observation noise on each coordinate.
        frame_dt: Time between two frames.
        view: Half-width of the square window that the camera sees.
        disc_radius: Radius of the disc that stands for a body.
        colors: RGB of each body, 0 to 255.
        num_coordinates: Length of ``q``, and of ``p``.
    """

    radius: tuple[float, float]
    noise_std: float
    frame_dt: float
    view: float
    disc_radius: float = 0.5
    num_coordinates: int = field(default=1, init=False)
    colors: tuple[Color, ...] = field(default=COLORS[:1], init=False)

    def __post_init__(self) -> None:
        for name, value in self.options().items():
            if name == "radius":
                low, high = value
                require(0 < low <= high, name, value, "two numbers, 0 < low <= high")
            elif name.endswith("noise") or name == "noise_std":
                require(value >= 0, name, value, "zero or positive")
            else:
                require(value > 0, name, value, "positive")

    @abc.abstractmethod
    def hamiltonian(
        self, q: Float[Tensor, "*B n"], p: Float[Tensor, "*B n"]
    ) -> Float[Tensor, "*B"]:
        """Energy of each state; the equations of motion follow from it."""

    @abc.abstractmethod
    def sample_initial_states(
        self, rng: np.random.Generator, num: int
    ) -> tuple[Float[np.ndarray, "num n"], Float[np.ndarray, "num n"]]:
        """Positions and momenta at time zero."""

    @abc.abstractmethod
    def bodies(self, q: Float[np.ndarray, "*b n"]) -> Float[np.ndarray, "*b bodies 2"]:
        """Points in the plane at which the bodies are drawn."""

    def options(self) -> dict[str, Any]:
        """Constructor arguments that rebuild this system."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.init}


class _OneBody(System):
    """A system with one coordinate that starts on a circle in phase space."""

    def sample_initial_states(
        self, rng: np.random.Generator, num: int
    ) -> tuple[Float[np.ndarray, "num 1"], Float[np.ndarray, "num 1"]]:
        """States uniform on the circle of radius r, r uniform in ``radius``."""
        r = rng.uniform(*self.radius, size=(num, 1))
        angle = rng.uniform(0, 2 * np.pi, size=(num, 1))
        return r * np.cos(angle), r * np.sin(angle)


@dataclass(frozen=True, kw_only=True)
class MassSpring(_OneBody):
    r"""Frictionless mass on a spring, :math:`H = k q^2 / 2 + p^2 / (2m)`.

    Attributes:
        k: Spring constant.
        m: Mass.
    """

    k: float = 2.0
    m: float = 0.5
    radius: tuple[float, float] = (0.1, 1.0)
    # CHOICE (Sec. 4): the paper writes "standard deviation sigma^2 = 0.1"; we take 0.1
    # as the standard deviation, here and below.
    noise_std: float = 0.1
    # CHOICE (Sec. 4, silent): from the time span of Greydanus et al., 3 units.
    frame_dt: float = 0.1
    view: float = 2.0

    def hamiltonian(
        self, q: Float[Tensor, "*B 1"], p: Float[Tensor, "*B 1"]
    ) -> Float[Tensor, "*B"]:
        """Elastic plus kinetic energy."""
        return (self.k * q.square() / 2 + p.square() / (2 * self.m)).sum(-1)

    def bodies(self, q: Float[np.ndarray, "*b 1"]) -> Float[np.ndarray, "*b 1 2"]:
        """The mass, moving up and down at (0, q)."""
        return np.stack([np.zeros_like(q), q], axis=-1)


@dataclass(frozen=True, kw_only=True)
class Pendulum(_OneBody):
    r"""Ideal pendulum, :math:`H = 2 m g l (1 - \cos q) + p^2 / (2 m l^2)`.

    The factor 2 is the paper's: with it no trajectory goes over the top.

    Attributes:
        m: Mass.
        g: Gravitational acceleration.
        length: Length of the rod, l.
    """

    m: float = 0.5
    g: float = 3.0
    length: float = 1.0
    radius: tuple[float, float] = (1.3, 2.3)
    noise_std: float = 0.1
    frame_dt: float = 0.1
    view: float = 2.0

    def hamiltonian(
        self, q: Float[Tensor, "*B 1"], p: Float[Tensor, "*B 1"]
    ) -> Float[Tensor, "*B"]:
        """Gravitational plus kinetic energy."""
        potential = 2 * self.m * self.g * self.length * (1 - torch.cos(q))
        return (potential + p.square() / (2 * self.m * self.length**2)).sum(-1)

    def bodies(self, q: Float[np.ndarray, "*b 1"]) -> Float[np.ndarray, "*b 1 2"]:
        """The bob, hanging at (l sin q, -l cos q)."""
        return self.length * np.stack([np.sin(q), -np.cos(q)], axis=-1)


class _Gravity(System):
    """Point masses in the plane that attract each other by Newton's law.

    ``q`` and ``p`` list x and y of the first body, then of the second, and so on.
    """

    def hamiltonian(
        self, q: Float[Tensor, "*B n"], p: Float[Tensor, "*B n"]
    ) -> Float[Tensor, "*B"]:
        """Kinetic energy of all bodies, minus g m m / r over all pairs."""
        energy = p.square().sum(-1) / (2 * self.m)
        bodies = q.unflatten(-1, (-1, 2))
        num = bodies.shape[-2]
        for i in range(num):
            for j in range(i + 1, num):
                r = (bodies[..., j, :] - bodies[..., i, :]).square().sum(-1).sqrt()
                energy = energy - self.g * self.m**2 / r
        return energy

    def bodies(self, q: Float[np.ndarray, "*b n"]) -> Float[np.ndarray, "*b bodies 2"]:
        """The point masses where they are."""
        return q.reshape(*q.shape[:-1], -1, 2)

    def _circular_speed(self, r: np.ndarray, num_bodies: int) -> np.ndarray:
        """Speed at which equal masses on a regular polygon of radius r circle."""
        k = np.arange(1, num_bodies)
        pull = (1 / (4 * np.sin(np.pi * k / num_bodies))).sum()
        return np.sqrt(self.g * self.m * pull / r)

    def _polygon(
        self, rng: np.random.Generator, num: int, num_bodies: int
    ) -> tuple[Float[np.ndarray, "num bodies 2"], Float[np.ndarray, "num bodies 2"]]:
        """Positions and momenta of circular orbits, first body at a random angle."""
        r = rng.uniform(*self.radius, size=(num, 1, 1))
        first = rng.uniform(0, 2 * np.pi, size=(num, 1))
        angle = first + 2 * np.pi * np.arange(num_bodies) / num_bodies
        q = r * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        tangent = np.stack([-np.sin(angle), np.cos(angle)], axis=-1)
        return q, self.m * self._circular_speed(r, num_bodies) * tangent


@dataclass(frozen=True, kw_only=True)
class TwoBody(_Gravity):
    """Two equal masses on nearly circular orbits around each other.

    Attributes:
        m: Mass of each body.
        g: Gravitational constant.
        orbit_noise: Relative standard deviation of the initial speed.
    """

    m: float = 1.0
    g: float = 1.0
    # CHOICE (Sec. 4): "sampling (q, p) uniformly on the circle" says little about four
    # coordinates; we follow Greydanus et al.: circular orbits, one speed factor each.
    orbit_noise: float = 0.05
    radius: tuple[float, float] = (0.5, 1.5)
    noise_std: float = 0.05
    # CHOICE (Sec. 4, silent): a revolution takes 4 pi r^1.5, 4 to 23 units; 30 steps
    # of 0.4 show between half and nearly three of them.
    frame_dt: float = 0.4
    view: float = 3.0
    num_coordinates: int = field(default=4, init=False)
    colors: tuple[Color, ...] = field(default=COLORS[:2], init=False)

    def sample_initial_states(
        self, rng: np.random.Generator, num: int
    ) -> tuple[Float[np.ndarray, "num 4"], Float[np.ndarray, "num 4"]]:
        """Opposite bodies, circular speeds times (1 + ``orbit_noise`` N(0, 1))."""
        q, p = self._polygon(rng, num, 2)
        p = p * (1 + self.orbit_noise * rng.standard_normal((num, 1, 1)))
        return q.reshape(num, 4), p.reshape(num, 4)


@dataclass(frozen=True, kw_only=True)
class ThreeBody(_Gravity):
    """Three equal masses that start on a triangle and soon move chaotically.

    Attributes:
        m: Mass of each body.
        g: Gravitational constant.
        orbit_noise: Largest relative change of each component of the velocities.
    """

    m: float = 1.0
    g: float = 1.0
    # CHOICE (Sec. 4): as for two bodies, from Greydanus et al.
    orbit_noise: float = 0.2
    radius: tuple[float, float] = (0.9, 1.2)
    noise_std: float = 0.2
    frame_dt: float = 0.25
    view: float = 3.0
    disc_radius: float = 0.3
    num_coordinates: int = field(default=6, init=False)
    colors: tuple[Color, ...] = field(default=COLORS, init=False)

    def sample_initial_states(
        self, rng: np.random.Generator, num: int
    ) -> tuple[Float[np.ndarray, "num 6"], Float[np.ndarray, "num 6"]]:
        """Triangle, each velocity component perturbed, total momentum removed."""
        q, p = self._polygon(rng, num, 3)
        p = p * (1 + self.orbit_noise * rng.uniform(-1, 1, size=p.shape))
        p = p - p.mean(axis=1, keepdims=True)
        return q.reshape(num, 6), p.reshape(num, 6)


SYSTEMS: dict[str, type[System]] = {
    "mass_spring": MassSpring,
    "pendulum": Pendulum,
    "two_body": TwoBody,
    "three_body": ThreeBody,
}


def build_system(name: str, /, **options: Any) -> System:
    """System registered under ``name``, with the paper's constants unless overridden.

    Raises:
        ValueError: If the name or an option is unknown, or a value out of range.
    """
    system = lookup("system", name, SYSTEMS)
    check_options(f"system {name!r}", system, options)
    if "radius" in options:  # YAML has lists only
        options["radius"] = tuple(options["radius"])
    return system(**options)
