"""Videos that were not made here: arrays, HDF5, films, folders of pictures.

What is read is RGB in uint8, of any size and length; `hgnpipe.data.windows` makes of it
what models take.
"""

import glob
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import imageio_ffmpeg
import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageSequence, UnidentifiedImageError

from hgnpipe.collection import require
from hgnpipe.files.whole import check_there

Footage = UInt8[np.ndarray, "T H W 3"]

FILMS = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v")
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
ARRAYS = (".npy", ".npz")
HDF5 = (".h5", ".hdf5")
FILES = (*ARRAYS, *HDF5, *FILMS, ".gif")
KINDS = ", ".join([*FILES, "or a folder of them or of pictures"])
LAYOUT = (
    "videos must be (N, T, H, W) for grey or (N, T, H, W, C), C = 1, 3 or 4: videos, "
    "frames, height, width, channels"
)


class Unknown(ValueError):
    """A file has no array of that name."""


class Named(NamedTuple):
    """A video and where it came from.

    Attributes:
        name: File, and number within it if there are several; the same on every
            machine that has the files in a folder of the same name.
        frames: RGB values, ``(T, H, W, 3)``.
    """

    name: str
    frames: Footage


def read_footage(path: str | Path, key: str | None = None) -> Iterator[Named]:
    """All videos of a file, of a folder, or of the files that a pattern finds.

    A folder of pictures is one video, its frames in the order of their names.

    Args:
        path: NumPy's or HDF5 file, film, GIF, folder, or a pattern with ``*``.
        key: Array of an ``.npz`` or dataset of an HDF5 file; where there is one alone,
            it need not be named.

    Raises:
        ValueError: If nothing is found, or a file is damaged or of another kind; the
            message names it.
    """
    path = Path(path)
    if any(sign in str(path) for sign in "*?["):
        found = sorted(map(Path, glob.glob(str(path), recursive=True)))
        require(bool(found), "pattern of videos", str(path), "one that finds files")
        for one in found:
            yield from read_footage(one, key)
    elif path.is_dir():
        yield from _read_folder(path, key)
    else:
        check_there(path)
        kind = path.suffix.lower()
        if kind in ARRAYS or kind in HDF5:
            yield from _read_arrays(path, key)
        elif kind in FILMS:
            yield Named(path.name, _read_film(path))
        elif kind == ".gif":
            yield Named(path.name, _read_gif(path))
        else:
            raise ValueError(f"{path} is no video; it must be {KINDS}.")


def _read_folder(folder: Path, key: str | None) -> Iterator[Named]:
    inside = sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    pictures = [p for p in inside if p.suffix.lower() in PICTURES]
    if pictures:
        yield Named(folder.name, _read_pictures(pictures))
        return
    found = [p for p in inside if p.is_dir() or p.suffix.lower() in FILES]
    require(bool(found), "folder of videos", str(folder), f"one that holds {KINDS}")
    for one in found:
        for name, frames in read_footage(one, key):
            yield Named(f"{folder.name}/{name}", frames)


def _read_arrays(path: Path, key: str | None) -> Iterator[Named]:
    try:
        if path.suffix.lower() in HDF5:
            with h5py.File(path, "r", locking=False) as file:
                array = _chosen(path, _datasets(file), key)[()]
        else:
            array = np.load(path, allow_pickle=False)
            if not isinstance(array, np.ndarray):
                array = _chosen(path, array, key)
    except Unknown:
        raise
    except (OSError, EOFError, ValueError) as error:
        why = "it is damaged, or something else"
        raise ValueError(f"{path} cannot be read: {why}.") from error
    videos = as_rgb(array, str(path))
    for number, frames in enumerate(videos):
        yield Named(f"{path.name}[{number}]" if len(videos) > 1 else path.name, frames)


def _datasets(file: h5py.File) -> dict[str, h5py.Dataset]:
    """All that could be videos, by their paths."""
    names: list[str] = []
    file.visit(names.append)
    found = {name: file[name] for name in names}
    return {n: d for n, d in found.items() if getattr(d, "ndim", 0) >= 4}


def _chosen(path: Path, found: Mapping[str, Any], key: str | None) -> Any:
    """The array that is called ``key``, or the only one."""
    names = sorted(found)
    if key is None and len(names) == 1:
        return found[names[0]]
    listed = ", ".join(names) or "no array of videos"
    if key not in names:
        raise Unknown(f"key of {path} is {key!r}; it must be one of {listed}.")
    return found[key]


def as_rgb(array: np.ndarray, name: str) -> UInt8[np.ndarray, "N T H W 3"]:
    """Videos as RGB in uint8, by the type of their numbers and never by a guess.

    uint8 stays; uint16 is scaled from its whole range; floats must lie within 0 and 1.
    One channel is grey, a fourth is how opaque a pixel is, before black.

    Args:
        array: ``(N, T, H, W)`` or ``(N, T, H, W, C)``.
        name: What messages call it.

    Raises:
        ValueError: If the shape, type or range is another.
    """
    shape = array.shape
    if array.ndim == 4 and shape[3] > 4:
        array = array[..., None]
    if array.ndim != 5 or array.shape[4] not in (1, 3, 4) or 0 in array.shape:
        raise ValueError(f"{name} has shape {shape}; {LAYOUT}.")
    if array.dtype == np.uint16:
        array = np.round(array / 257.0).astype(np.uint8)
    elif np.issubdtype(array.dtype, np.floating):
        low, high = float(array.min()), float(array.max())
        if not (low >= 0 and high <= 1):
            raise ValueError(
                f"{name} holds {array.dtype} from {low:g} to {high:g}; floats must lie "
                f"within 0 and 1 (divide by 255?), or write uint8."
            )
        array = np.round(array * 255.0).astype(np.uint8)
    elif array.dtype != np.uint8:
        raise ValueError(
            f"{name} holds {array.dtype}; it must be uint8, uint16, or float "
            f"within 0 and 1."
        )
    if array.shape[4] == 1:
        return np.repeat(array, 3, axis=4)
    if array.shape[4] == 4:
        opaque = array[..., 3:] / 255.0
        return np.round(array[..., :3] * opaque).astype(np.uint8)
    return array


def _read_film(path: Path) -> Footage:
    """Decode a film as players show it, turned if it says so."""
    try:
        reader = imageio_ffmpeg.read_frames(str(path), pix_fmt="rgb24")
        width, height = next(reader)["size"]
        frames = [np.frombuffer(f, np.uint8).reshape(height, width, 3) for f in reader]
    except (OSError, RuntimeError, StopIteration, ValueError) as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        why = lines[-1].strip() if lines else "it holds no pictures"
        raise ValueError(f"{path} cannot be read as a film: {why}") from error
    if not frames:
        raise ValueError(f"{path} cannot be read as a film: it holds no frames.")
    return np.stack(frames)


def _read_gif(path: Path) -> Footage:
    try:
        with Image.open(path) as image:
            frames = [_rgba(f) for f in ImageSequence.Iterator(image)]
    except (OSError, UnidentifiedImageError, EOFError, SyntaxError) as error:
        raise ValueError(f"{path} cannot be read as a GIF: {error}") from error
    return as_rgb(np.stack(frames)[None], str(path))[0]


def _read_pictures(paths: Sequence[Path]) -> Footage:
    frames = []
    for path in paths:
        try:
            with Image.open(path) as image:
                frames.append(_rgba(image))
        except (OSError, UnidentifiedImageError, SyntaxError) as error:
            raise ValueError(f"{path} cannot be read as a picture: {error}") from error
        if frames[-1].shape != frames[0].shape:
            (h, w), (h0, w0) = frames[-1].shape[:2], frames[0].shape[:2]
            raise ValueError(
                f"{path} is {w}x{h} pixels, {paths[0].name} {w0}x{h0}; the pictures of "
                f"a video must all be of one size."
            )
    return as_rgb(np.stack(frames)[None], str(paths[0].parent))[0]


def _rgba(image: Image.Image) -> UInt8[np.ndarray, "H W 4"]:
    """Pixels of a picture of any kind; 16 bits of grey are scaled to eight."""
    if image.mode.startswith("I"):
        grey = np.asarray(image, np.float64) / 257.0
        image = Image.fromarray(np.round(grey.clip(0, 255)).astype(np.uint8))
    return np.array(image.convert("RGBA"))
