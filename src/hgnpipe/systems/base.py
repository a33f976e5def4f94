"""What all systems have in common, see `System`."""

import abc
import math
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float, Real
from torch import Tensor

from hgnpipe.collection import require

Color = tuple[int, int, int]
COLORS: tuple[Color, ...] = ((173, 146, 0), (173, 0, 0), (0, 146, 0))
"""RGB of the first, second and third body."""


@dataclass(frozen=True, kw_only=True)
class System(abc.ABC):
    """A Hamiltonian system, its initial states and its picture.

    Attributes:
        POSITIVE: Names of constants that are positive; others are any finite number.
        MAX_DRIFT: Largest relative change of the energy along a clean trajectory.
        radius: Range of the uniform distribution of the phase-space radius.
        noise_std: Standard deviation of the observation noise on each coordinate.
        frame_dt: Time between two frames.
        view: Half-width of the square window that the camera sees.
        disc_radius: Radius of the disc that stands for a body.
        colors: RGB of each body, 0 to 255.
        num_coordinates: Length of ``q``, and of ``p``.
    """

    POSITIVE: ClassVar[tuple[str, ...]] = ("frame_dt", "view", "disc_radius")
    MAX_DRIFT: ClassVar[float] = 1e-6
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
            elif name in self.POSITIVE:
                require(value > 0, name, value, "positive")
            else:
                require(math.isfinite(value), name, value, "a finite number")

    @abc.abstractmethod
    def hamiltonian(
        self, q: Float[Tensor, "*B n"], p: Float[Tensor, "*B n"]
    ) -> Float[Tensor, "*B"]:
        """Energy of each state; the equations of motion follow from it."""

    def friction(
        self, q: Float[Tensor, "*B n"], p: Float[Tensor, "*B n"]
    ) -> Float[Tensor, "*B n"] | None:
        """Force besides that of the energy; None where there is none.

        A system with friction is no Hamiltonian one: its energy is not conserved.
        """
        return None

    @abc.abstractmethod
    def sample_initial_states(
        self, rng: np.random.Generator, num: int
    ) -> tuple[Float[np.ndarray, "num n"], Float[np.ndarray, "num n"]]:
        """Positions and momenta at time zero."""

    @abc.abstractmethod
    def bodies(self, q: Float[np.ndarray, "*b n"]) -> Float[np.ndarray, "*b bodies 2"]:
        """Points in the plane at which the bodies are drawn."""

    @property
    def name(self) -> str:
        """Of the kind of system; what is drawn for another kind is independent."""
        return type(self).__name__

    @property
    def num_moving(self) -> int:
        """How many coordinates move: the first ones of ``q``, and of ``p``."""
        return self.num_coordinates

    @property
    def varies(self) -> bool:
        """Whether there are other coordinates: constants that each trajectory draws."""
        return self.num_moving < self.num_coordinates

    def moving(self, values: Float[np.ndarray, "*b n"]) -> Float[np.ndarray, "*b m"]:
        """Those coordinates that move, of positions or momenta."""
        return values[..., : self.num_moving]

    def with_rest(self, moving: Float[np.ndarray, "*b m"]) -> Float[np.ndarray, "*b n"]:
        """Values of the coordinates that move, and zeros for those that do not."""
        rest = self.num_coordinates - self.num_moving
        return np.pad(moving, [(0, 0)] * (moving.ndim - 1) + [(0, rest)])

    def draw_noise(
        self, rng: np.random.Generator, shape: tuple[int, ...]
    ) -> Float[np.ndarray, "*b n"]:
        """Observation noise on positions or momenta of ``shape`` states."""
        noise = rng.standard_normal((*shape, self.num_moving))
        return self.with_rest(self.noise_std * noise)

    def colors_of(
        self, q: Float[np.ndarray, "*b n"]
    ) -> Real[np.ndarray, "*b bodies 3"]:
        """RGB of each body, 0 to 255, where the positions are these."""
        colors = np.array(self.colors)
        return np.broadcast_to(colors, (*q.shape[:-1], *colors.shape))

    def disc_radius_of(self, q: Float[np.ndarray, "*b n"]) -> Float[np.ndarray, "*b"]:
        """Radius of the discs where the positions are these."""
        return np.full(q.shape[:-1], self.disc_radius)

    def options(self) -> dict[str, Any]:
        """Constructor arguments that rebuild this system."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.init}
