"""A mass on a spring (paper, Sec. 4)."""

from dataclasses import dataclass

from hgnpipe.systems._spring import LinearSpring


@dataclass(frozen=True, kw_only=True)
class MassSpring(LinearSpring):
    r"""Frictionless mass on a spring, :math:`H = k q^2 / 2 + p^2 / (2m)`.

    Attributes:
        k: Spring constant.
        m: Mass.
    """

    radius: tuple[float, float] = (0.1, 1.0)
    # CHOICE (Sec. 4): the paper writes "standard deviation sigma^2 = 0.1"; we take 0.1
    # as the standard deviation, here and below.
    noise_std: float = 0.1
    # CHOICE (Sec. 4, silent): from the time span of Greydanus et al., 3 units.
    frame_dt: float = 0.1
    view: float = 2.0
