"""What systems have in common of which there are only videos, see `Observed`."""

import abc
import glob
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from hgnpipe.collection import require


@dataclass(frozen=True, kw_only=True)
class Observed(abc.ABC):
    """Videos that were made elsewhere: nobody says the energy, or what is noise.

    What is stored, and what models see, are windows of them. It is no
    `hgnpipe.systems.base.System`: of what files describe by one, only
    ``num_coordinates`` is there.

    Attributes:
        fit: How frames become square: ``crop`` takes the middle, ``pad`` adds borders
            of the colour that the edge of the first frame has.
        frame_step: Frames of the video from one of a window to the next.
        stride: Frames of the video from one window to the next; by default windows
            do not overlap.
        frame_dt: Time between two frames of the video.
        num_coordinates: How many independent coordinates move; None if that is read
            with the videos.
    """

    fit: Literal["crop", "pad"] = "crop"
    frame_step: int = 1
    stride: int | None = None
    frame_dt: float = 1.0
    num_coordinates: int | None = None

    def __post_init__(self) -> None:
        stride = self.stride
        require(self.frame_step >= 1, "frame_step", self.frame_step, "1 or more")
        require(stride is None or stride >= 1, "stride", stride, "1 or more")
        require(self.frame_dt > 0, "frame_dt", self.frame_dt, "positive")
        if (num := self.num_coordinates) is not None:
            require(num >= 1, "num_coordinates", num, "1 or more")

    @abc.abstractmethod
    def files(self, split: str) -> list[str]:
        """All files that the videos of a split are read from.

        Raises:
            ValueError: If there is none; the message names the option.
        """

    def options(self) -> dict[str, Any]:
        """Constructor arguments that rebuild this system."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


def entries_of(path: str) -> list[Path]:
    """The file or folder at a path, or all that a pattern with ``*`` finds, sorted."""
    if any(sign in path for sign in "*?["):
        return sorted(map(Path, glob.glob(path, recursive=True)))
    return [Path(path)] if Path(path).exists() else []


def files_of(path: str) -> list[str]:
    """All files at a path, within folders too, but for hidden ones; sorted."""
    found: list[Path] = []
    for entry in entries_of(path):
        inside = sorted(entry.rglob("*")) if entry.is_dir() else [entry]
        found += [p for p in inside if p.is_file() and not p.name.startswith(".")]
    return [str(p) for p in dict.fromkeys(found)]
