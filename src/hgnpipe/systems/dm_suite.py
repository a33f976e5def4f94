"""Data sets of DeepMind's Hamiltonian dynamics suite (Botev et al., 2021)."""

from dataclasses import dataclass
from pathlib import Path

from hgnpipe.collection import require
from hgnpipe.systems._observed import Observed


@dataclass(frozen=True, kw_only=True)
class DMSuite(Observed):
    """A data set of DeepMind's Hamiltonian dynamics suite; true states are known.

    Attributes:
        folder: Folder with ``train.tfrecord``, ``test.tfrecord`` and ``features.txt``,
            relative to the folder in which you work.
        num_coordinates: By default half of the numbers of a state.
    """

    folder: str
    frame_dt: float = 0.05
    num_coordinates: int | None = None

    def files(self, split: str) -> list[str]:
        """See `Observed.files`."""
        records = "test.tfrecord" if split == "test" else "train.tfrecord"
        found = [Path(self.folder, name) for name in (records, "features.txt")]
        legal = f"a folder with {records} and features.txt"
        there = all(path.is_file() for path in found)
        require(there, "folder", self.folder, legal)
        return [str(path) for path in found]
