"""What happened before and happens after the frames that a model was shown.

A learned energy should hold outside the training window too. The true motion there is
solved from the first and the last state of the known trajectories.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from hgnpipe.collection import require
from hgnpipe.data.simulation import Trajectories, solve
from hgnpipe.data.videos import Videos, check_together, load_of_system, open_videos
from hgnpipe.files.hdf5 import created, write_arrays
from hgnpipe.systems.base import System

MOTION = "hgnpipe motion 2"


class Motion(NamedTuple):
    """Solved motion before, during and after what the frames of a video show.

    Attributes:
        t: Times, ``(M,)``; zero is the first frame of the video.
        q: Positions without noise, ``(N, M, n)``.
        p: Momenta without noise, ``(N, M, n)``.
        exact: Whether the energy along a motion drifts by at most
            `System.MAX_DRIFT`, ``(N,)``.
    """

    t: np.ndarray
    q: np.ndarray
    p: np.ndarray
    exact: np.ndarray

    def first_exact(self, num: int) -> Int[np.ndarray, " K"]:
        """Indices of the exact ones among the first ``num`` motions.

        Raises:
            ValueError: If there is none.
        """
        found = np.flatnonzero(self.exact[:num])
        require(len(found) > 0, "number of exact motions", 0, "1 or more")
        return found

    @property
    def start(self) -> int:
        """Index of the first frame of the video."""
        return int(np.abs(self.t).argmin())


class Continued(NamedTuple):
    """A motion, the system that it belongs to, and metadata of the file."""

    system: System
    motion: Motion
    attributes: dict[str, object]


def extend(
    system: System,
    known: Trajectories,
    num_before: int,
    num_after: int,
    progress: Callable[[int], object] = lambda count: None,
) -> Motion:
    """Solve trajectories backwards from their first state and onwards from the last.

    Args:
        system: What moves; its ``frame_dt`` separates two times.
        known: Solved trajectories of T frames.
        num_before: Frames to add before them.
        num_after: Frames to add after them.
        progress: Called with the number of solutions done, two for each trajectory.

    Returns:
        The motion at ``num_before + T + num_after`` times. Close encounters, more
        likely in longer times, are not an error here: ``exact`` tells which to trust.

    Raises:
        ValueError: If a number of frames is negative.
    """
    require(num_before >= 0, "num_before", num_before, "zero or positive")
    require(num_after >= 0, "num_after", num_after, "zero or positive")
    states = np.concatenate([known.q, known.p], axis=-1)
    before, drift_before = _follow(system, states[:, 0], -1, num_before, progress)
    after, drift_after = _follow(system, states[:, -1], 1, num_after, progress)
    states = np.concatenate([before[:, :0:-1], states, after[:, 1:]], axis=1)
    t = system.frame_dt * (np.arange(states.shape[1]) - num_before)
    exact = np.maximum(drift_before, drift_after) <= system.MAX_DRIFT
    return Motion(t, *np.split(states, 2, axis=-1), exact)


def _follow(
    system: System,
    initial: Float[np.ndarray, "N m"],
    direction: int,
    num_steps: int,
    progress: Callable[[int], object],
) -> tuple[Float[np.ndarray, "N T m"], Float[np.ndarray, " N"]]:
    """States from ``initial`` on or back, a frame apart, and drift of the energy."""
    if num_steps == 0:  # the solver gives nothing where no time passes
        progress(len(initial))
        return initial[:, None], np.zeros(len(initial))
    t = direction * system.frame_dt * np.arange(num_steps + 1)
    return solve(system, initial, t, progress)


def save_motion(path: str | Path, motion: Motion, of: Mapping[str, object]) -> None:
    """Write a motion, and metadata ``of`` the trajectories that it continues."""
    origin = {key: of[key] for key in ("system", "options", "seed", "split")}
    with created(path, MOTION, origin) as file:
        write_arrays(file, motion)


def load_motion(path: str | Path) -> Continued:
    """Read what `save_motion` wrote.

    Raises:
        ValueError: If the file is missing, damaged, or something else.
    """
    return Continued(*load_of_system(path, MOTION, Motion))


def load_about(
    videos: str | Path, motion: str | Path, num: int
) -> tuple[Videos, System, Motion]:
    """The first ``num`` videos of a file, their system, and all motion in another file.

    Raises:
        ValueError: If a file is missing or damaged, or they do not belong together.
    """
    shown = open_videos(videos, num)
    system, about, origin = load_motion(motion)
    check_together(videos, shown.attributes, motion, origin)
    return shown, system, about
