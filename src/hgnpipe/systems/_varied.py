"""Systems whose constants differ from trajectory to trajectory, see `Varied`."""

import colorsys
import copy
import math
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Real
from torch import Tensor

from hgnpipe.collection import require
from hgnpipe.systems import SYSTEMS
from hgnpipe.systems.base import System

HUE = "hue"
COMMON = ("noise_std", "frame_dt", "view")
"""Options that are one number for all trajectories."""
SHARED = (*COMMON, "radius", "disc_radius")
"""What is read off the kind."""

Range = tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Varied(System):
    """A system of some kind, of which constants are drawn for each trajectory.

    A drawn constant c is a cyclic coordinate: ``q`` is (q of the kind, c). The energy
    does not depend on the momentum of c, so that dc/dt = 0 (paper, Eq. 3), and what
    moves does so by the law of its kind with the constants of its trajectory. The
    momentum of c starts at zero and says nothing. Constants are observed without noise.

    Attributes:
        kind: System of the kind, with the upper ends of the ranges.
        ranges: Ends of the uniform distribution of each drawn option, in the order of
            the coordinates; ``hue``, of which every body has one of its own, is last.
    """

    kind: System
    ranges: dict[str, Range]

    def __post_init__(self) -> None:
        num = self.num_moving + sum(map(self._width, self.ranges))
        for name, value in {
            "num_coordinates": num,
            "colors": self.kind.colors,
            "MAX_DRIFT": self.kind.MAX_DRIFT,
        }.items():
            object.__setattr__(self, name, value)

    @property
    def name(self) -> str:
        """See `System.name`."""
        return self.kind.name

    @property
    def num_moving(self) -> int:
        """See `System.num_moving`."""
        return self.kind.num_moving

    def hamiltonian(
        self, q: Float[Tensor, "*B n"], p: Float[Tensor, "*B n"]
    ) -> Float[Tensor, "*B"]:
        """Energy by the kind, with the constants of each state."""
        return self._of_each(lambda kind, *state: kind.hamiltonian(*state), q, p)

    def friction(
        self, q: Float[Tensor, "*B n"], p: Float[Tensor, "*B n"]
    ) -> Float[Tensor, "*B n"] | None:
        """Friction by the kind, with the constants of each state."""
        n = self.num_moving
        if self.kind.friction(q[..., :n], p[..., :n]) is None:
            return None
        force = self._of_each(lambda kind, *state: kind.friction(*state), q, p)
        return F.pad(force, (0, self.num_coordinates - n))

    def sample_initial_states(
        self, rng: np.random.Generator, num: int
    ) -> tuple[Float[np.ndarray, "num n"], Float[np.ndarray, "num n"]]:
        """States as the kind draws them, one by one, each with constants of its own.

        The constants have generators of their own: which of them are drawn, and from
        which range, changes no other draw.
        """
        names = [*self.kind.options(), HUE]
        own = dict(zip(names, rng.spawn(len(names)), strict=True))
        constants = np.concatenate(
            [
                own[name].uniform(*ends, size=(num, self._width(name)))
                for name, ends in self.ranges.items()
            ],
            axis=1,
        )
        states = [self._with(row).sample_initial_states(rng, 1) for row in constants]
        q, p = map(np.concatenate, zip(*states, strict=True))
        return np.concatenate([q, constants], axis=1), self.with_rest(p)

    def bodies(self, q: Float[np.ndarray, "*b n"]) -> Float[np.ndarray, "*b bodies 2"]:
        """Where the kind draws the bodies, with the constants of each position."""
        flat = q.reshape(-1, q.shape[-1])
        constants = flat[:, self.num_moving :]
        places = np.empty((len(flat), len(self.colors), 2))
        changes = (constants[1:] != constants[:-1]).any(axis=1)
        # Frames of a video follow each other, and share their constants.
        for few in np.split(np.arange(len(flat)), np.flatnonzero(changes) + 1):
            kind = self._with(constants[few[0]]) if len(few) else self.kind
            places[few] = kind.bodies(self.moving(flat[few]))
        return places.reshape(*q.shape[:-1], *places.shape[1:])

    def colors_of(
        self, q: Float[np.ndarray, "*b n"]
    ) -> Real[np.ndarray, "*b bodies 3"]:
        """See `System.colors_of`; saturation and value are those of the kind."""
        if HUE not in self.ranges:
            return super().colors_of(q)
        hue = q[..., -self._width(HUE) :, None]
        hsv = np.array([colorsys.rgb_to_hsv(*color) for color in self.colors])
        saturation, value = hsv[:, 1:2], hsv[:, 2:]
        sixth = (6 * hue + np.array([5, 3, 1])) % 6
        lacking = np.minimum(sixth, 4 - sixth).clip(0, 1)
        return value * (1 - saturation * lacking)

    def disc_radius_of(self, q: Float[np.ndarray, "*b n"]) -> Float[np.ndarray, "*b"]:
        """See `System.disc_radius_of`."""
        if "disc_radius" not in self.ranges:
            return super().disc_radius_of(q)
        return q[..., self.num_moving + [*self.ranges].index("disc_radius")]

    def options(self) -> dict[str, Any]:
        """See `System.options`."""
        shared = {name: getattr(self, name) for name in SHARED}
        return {**self.kind.options(), **shared, **self.ranges}

    def _width(self, name: str) -> int:
        """How many coordinates a drawn option takes."""
        return len(self.kind.colors) if name == HUE else 1

    def _with(self, constants: Iterable[Any]) -> System:
        """The kind with these constants, numbers or tensors without dimensions."""
        kind = copy.copy(self.kind)
        names = (name for name in self.ranges if name != HUE)
        for name, value in zip(names, constants, strict=False):
            object.__setattr__(kind, name, value)
        return kind

    def _of_each(
        self,
        ask: Callable[[System, Tensor, Tensor], Tensor],
        q: Float[Tensor, "*B n"],
        p: Float[Tensor, "*B n"],
    ) -> Float[Tensor, "..."]:
        """What kinds with the constants of each state answer about it."""
        n = self.num_moving
        parts = (q[..., :n], p[..., :n], q[..., n:])
        answers = torch.vmap(lambda q, p, c: ask(self._with(c), q, p))(
            *(part.reshape(-1, part.shape[-1]) for part in parts)
        )
        return answers.reshape(*q.shape[:-1], *answers.shape[1:])


def ranges_of(found: Callable[..., Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Those options of a simulated system that ask for draws, as they were written.

    Args:
        found: Class of the system.
        options: All of its options.

    Returns:
        Numbers that are given as lists, in the order of the class, and ``hue``.
    """
    if not (isinstance(found, type) and issubclass(found, System)):
        return {}
    hints = typing.get_type_hints(found.__init__)
    legal = [n for n, hint in hints.items() if hint is float and n not in COMMON]
    lists = [n for n in legal if isinstance(options.get(n), (list, tuple))]
    hue = [HUE] if HUE in options and HUE not in hints else []
    return {name: options[name] for name in lists + hue}


def build_varied(
    name: str, ranges: Mapping[str, Any], options: Mapping[str, Any]
) -> Varied:
    """System of the kind ``name`` with what `ranges_of` found among its options.

    Raises:
        ValueError: If a range is none, one of its ends is no legal value, or another
            option is wrong.
    """
    for option, ends in ranges.items():
        legal = "" if option == HUE else "a number, or "
        legal += "a list of two finite ones, low <= high"
        require(_is_range(ends), f"Option {option!r} of system {name!r}", ends, legal)
    others = {k: v for k, v in options.items() if k not in ranges}
    constants = {option: ends for option, ends in ranges.items() if option != HUE}
    _, kind = (
        SYSTEMS.build(name, **others, **{k: ends[i] for k, ends in constants.items()})
        for i in (0, 1)
    )
    pairs = {option: tuple(ends) for option, ends in ranges.items()}
    return Varied(kind=kind, ranges=pairs, **{k: getattr(kind, k) for k in SHARED})


def _is_range(ends: Any) -> bool:
    """Whether these are two finite numbers in order."""
    if not isinstance(ends, (list, tuple)) or len(ends) != 2:
        return False
    numbers = all(type(end) in (int, float) and math.isfinite(end) for end in ends)
    return numbers and ends[0] <= ends[1]
