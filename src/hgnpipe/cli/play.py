"""Models and videos that are named on a command line."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import UInt8
from torch import nn

from hgnpipe.collection import require
from hgnpipe.data.footage import read_footage
from hgnpipe.data.videos import open_videos
from hgnpipe.data.windows import to_square
from hgnpipe.files.kinds import is_ours
from hgnpipe.files.tensors import load_tensors
from hgnpipe.models import FORMAT, load_model
from hgnpipe.reporting.runs import run_of

WEIGHTS = "model.safetensors"
MEASURES = {
    "mse_x1e4": "MSE x1e4 of the frames shown, test videos",
    "skill_beyond_30": "skill, 30 frames beyond",
    "skill_before_30": "skill, 30 frames before",
    "energy_r2_monotone": "R2 of the true energy",
    "symetric": "SyMetric",
}


def find_model(path: Path) -> tuple[Path, nn.Module]:
    """Model file that is meant, and the model.

    Args:
        path: The file, or the folder of its run.

    Raises:
        ValueError: If it is not there, damaged, or something else.
    """
    path = _weights(path)
    return path, load_model(path)


def _weights(path: Path) -> Path:
    """File of a model; of a folder, the one that a run leaves there."""
    return path / WEIGHTS if path.is_dir() else path


def names_of(paths: Sequence[Path]) -> list[str]:
    """What tells models apart: row and seed of a run, or the path of another file."""
    try:
        runs = [run_of(path.absolute()) for path in paths]
    except ValueError:
        return [str(path) for path in paths]
    names = [run.model for run in runs]
    if len({*names}) < len(names):
        names = [f"{run.model} {run.seed}" for run in runs]
    if len({*names}) < len(names):
        return [str(path) for path in paths]
    return names


def test_videos_of(model: Path) -> Path:
    """Test videos of the preset and system that a model was trained on.

    Raises:
        ValueError: If the path of the model does not tell.
    """
    run = run_of(model.absolute())
    return model.absolute().parents[4] / "data" / run.system / "test_videos.h5"


def read_video(path: Path, number: int, size: int) -> UInt8[np.ndarray, "T S S 3"]:
    """One video of a preset, or of any other files, cropped and resized to a model's.

    Args:
        path: Videos of a preset, or what `hgnpipe.data.footage.read_footage` takes.
        number: Which of several, from 0 on.
        size: Height and width that the model takes; those of a preset are not resized.

    Raises:
        ValueError: If the file is missing, damaged or something else, or has fewer
            videos.
    """
    ours = is_ours(path)
    videos = open_videos(path).frames if ours else [v for _, v in read_footage(path)]
    legal = f"0 to {len(videos) - 1} in {path}"
    require(0 <= number < len(videos), "number of the video", number, legal)
    video = np.array(videos[number])
    return video if ours else to_square(video, size)


def describe(path: Path) -> str:
    """Options, provenance and measures of a model, a line each.

    Raises:
        ValueError: If it is not there, damaged, or something else.
    """
    path = _weights(path)
    tensors, header = load_tensors(path, FORMAT)
    parts = {
        "family": header["family"],
        "numbers": f"{sum(t.numel() for t in tensors.values()):,}",
        "options": json.loads(header["options"]),
        "provenance": json.loads(header["provenance"]),
        "measures": _measures(path.parent) or "none beside the model",
    }
    lines = [str(path)]
    for name, value in parts.items():
        if isinstance(value, dict):
            lines += [f"{name}:", *(f"  {key}: {one}" for key, one in value.items())]
        else:
            lines.append(f"{name}: {value}")
    return "\n".join(lines)


def _measures(folder: Path) -> dict[str, str]:
    """What the workflow has measured of a run, where it has."""
    found = {}
    if (folder / "errors.csv").exists():
        errors = pd.read_csv(folder / "errors.csv")
        found["mse_x1e4"] = errors.mse[errors.split == "test"].mean(skipna=False) * 1e4
    if (folder / "dynamics.csv").exists():
        table = pd.read_csv(folder / "dynamics.csv").set_index("measure").value
        found |= {name: table[name] for name in MEASURES if name in table}
    return {MEASURES[name]: f"{float(value):.3g}" for name, value in found.items()}
