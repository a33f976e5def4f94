"""Videos of one's own."""

from dataclasses import dataclass

from hgnpipe.collection import require
from hgnpipe.systems._observed import Observed, files_of


@dataclass(frozen=True, kw_only=True)
class Videos(Observed):
    """Videos of your own, of which only the pixels are known.

    Attributes:
        train: File, folder, or pattern with ``*``, relative to the folder in which you
            work: ``.npy``, ``.npz``, HDF5, films, GIFs, folders of pictures.
        test: The same of test videos; or a share, such as 0.2, of the videos of
            ``train``, which are then held out whole.
        key: Array of an ``.npz`` or dataset of an HDF5 file, if there are several.
        num_coordinates: How many independent coordinates move, as far as you know: the
            latent state of PixelHNN has twice as many numbers.
    """

    train: str
    test: str | float = 0.2
    key: str | None = None
    num_coordinates: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        legal = "the path of other videos, or a share between 0 and 1"
        share = not isinstance(self.test, str)
        good = 0 < self.test < 1 if share else self.test != self.train
        require(good, "test", self.test, legal)

    @property
    def share(self) -> float | None:
        """Share of the videos that is held out; None if test videos are others."""
        return None if isinstance(self.test, str) else self.test

    def place(self, split: str) -> str:
        """Path or pattern of the videos that a split is taken from."""
        return self.test if split == "test" and self.share is None else self.train

    def files(self, split: str) -> list[str]:
        """See `Observed.files`; with paths of their own, splits share no file."""
        own, other = ("test", "train") if split == "test" else ("train", "test")
        if self.share is not None:
            own = other = "train"
        found = files_of(getattr(self, own))
        legal = "a file, folder or pattern of videos that exist"
        require(bool(found), own, getattr(self, own), legal)
        if own != other and (both := {*found} & {*files_of(getattr(self, other))}):
            raise ValueError(f"train and test both read {min(both)}.")
        return found
