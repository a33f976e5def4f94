"""Event files of TensorBoard, made from what trainings leave while they run.

Trainings know nothing of it: their curves and checkpoints are read, and what was
written before is not written again, however often this is called.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from PIL import Image
from torch import nn

from hgnpipe.cli.play import WEIGHTS, read_video
from hgnpipe.files.tensors import load_tensors
from hgnpipe.files.whole import check_writable, written_whole
from hgnpipe.models import build_model, load_model
from hgnpipe.reporting.clips import predict
from hgnpipe.training.checkpoint import CHECKPOINT
from hgnpipe.training.options import read_training

STATE = "written.json"
"""Beside the event files of a training: what is in them."""
MISSING = (
    "Event files need a package that is not installed: pip install -e .[tensorboard], "
    "or pip install tensorboardX."
)


class Training(NamedTuple):
    """Files of a training, of which only the curve need be there.

    Attributes:
        name: ``system/model/seed0``, or ``flows/density/model/seed0``.
        curve: Table of its losses, as far as it is.
        checkpoint: From which it would go on.
        weights: What it leaves in the end.
        videos: Test videos of its system.
    """

    name: str
    curve: Path
    checkpoint: Path
    weights: Path
    videos: Path


@dataclass
class Written:
    """What is in the event files of a training.

    Attributes:
        first: First row of its curve: with another one it is another training.
        iteration: Of the last row.
        film: Iteration of the last film strip.
        training: How it is trained, as far as a checkpoint has said so.
    """

    first: dict[str, float | None] = field(default_factory=dict)
    iteration: int = 0
    film: int = 0
    training: dict[str, Any] = field(default_factory=dict)


class Events:
    """Event files of all trainings of a preset.

    Args:
        folder: Results of the preset.
        output: Where to write; a folder for each training.

    Raises:
        ValueError: If the package that writes them is not installed, or there are no
            trainings, or the folder cannot be written to.
    """

    def __init__(self, folder: Path, output: Path) -> None:
        try:
            from tensorboardX import SummaryWriter
        except ImportError:
            raise ValueError(MISSING) from None
        self.folder, self.output = folder, output
        self.new_writer, self.writers = SummaryWriter, {}
        self.seen: dict[Path, int] = {}
        if not [*trainings(folder)]:
            raise ValueError(
                f"{folder} has no trainings; it must be the results of a preset, for "
                f"example results/laptop."
            )
        check_writable(output / STATE)

    def update(self) -> tuple[int, int]:
        """Write what is new; how many rows and film strips that was."""
        found = [self._update(training) for training in trainings(self.folder)]
        return sum(rows for rows, _ in found), sum(films for _, films in found)

    def close(self) -> None:
        """Close all files."""
        for writer in self.writers.values():
            writer.close()

    def _update(self, training: Training) -> tuple[int, int]:
        rows = _rows(training.curve)
        if not rows:
            return 0, 0
        state = self.output / training.name / STATE
        written = Written(**json.loads(state.read_text())) if state.exists() else None
        if written is None or written.first != rows[0]:
            written = Written(first=rows[0])
            if (before := self.writers.pop(training.name, None)) is not None:
                before.close()
        done, network = self._network(training, written, rows[-1])
        new = [row for row in rows if row["iteration"] > written.iteration]
        film = network is not None and done > written.film
        if not new and not film:
            return 0, 0
        writer = self._writer(training.name, written.iteration)
        for row in new:
            written.iteration = int(row["iteration"])
            for name, value in _values(row, written.training).items():
                writer.add_scalar(name, value, written.iteration)
        if film:
            strip = film_strip(network, training.videos)
            writer.add_image("rollout", strip, done, dataformats="HWC")
            written.film = done
        writer.flush()
        with written_whole(state) as path:
            path.write_text(json.dumps(vars(written)))
        return len(new), int(film)

    def _writer(self, name: str, iteration: int) -> Any:
        """Writer of a training; whatever came after an iteration no longer counts."""
        if name not in self.writers:
            # Without a suffix, two files of one second would be one.
            self.writers[name] = self.new_writer(
                str(self.output / name),
                purge_step=iteration + 1,
                filename_suffix=f".{time.time_ns()}",
            )
        return self.writers[name]

    def _network(
        self, training: Training, written: Written, last: dict[str, Any]
    ) -> tuple[int, nn.Module | None]:
        """Iterations that the newest weights have, and the network, where it is new.

        A checkpoint that was just replaced or removed is there the next time.
        """
        path = training.checkpoint
        if path.exists():
            if self.seen.get(path) == (moment := path.stat().st_mtime_ns):
                return 0, None
            try:
                tensors, header = load_tensors(path, CHECKPOINT)
            except (ValueError, OSError):
                return 0, None
            self.seen[path] = moment
            identity = json.loads(header["identity"])
            written.training = identity["options"]
            if not training.videos.exists():
                return 0, None
            network = build_model(identity["family"], **identity["model"])
            own = {k: v for k, v in tensors.items() if k.startswith("model.")}
            network.load_state_dict(
                {name.removeprefix("model."): value for name, value in own.items()}
            )
            return int(header["done"]), network.eval()
        done = int(last["iteration"])
        there = training.weights.exists() and training.videos.exists()
        if training.curve.name != "history.csv" or not there or done <= written.film:
            return 0, None
        return done, load_model(training.weights)


def follow(folder: Path, output: Path, every: float) -> None:
    """Write event files of all trainings, once or again and again.

    Raises:
        ValueError: See `Events`.
    """
    events = Events(folder, output)
    try:
        while True:
            rows, films = events.update()
            print(f"{output}: {rows} new rows, {films} new film strips.", flush=True)
            if every <= 0:
                break
            time.sleep(every)
    finally:
        events.close()
    print(f"Look at them with: tensorboard --logdir {output}")


def trainings(folder: Path) -> Iterator[Training]:
    """Trainings of a preset that have a curve, finished or not, each once."""
    curves: dict[str, Path] = {}
    finished, running = folder / "runs", folder / "checkpoints"
    for path in finished.glob("*/*/seed*/history.csv"):
        curves[path.parent.relative_to(finished).as_posix()] = path
    for path in folder.glob("flows/*/*/seed*/history.csv"):
        curves[path.parent.relative_to(folder).as_posix()] = path
    for pattern in ("*/*/seed*.csv", "flows/*/*/seed*.csv"):
        for path in running.glob(pattern):
            curves[path.relative_to(running).with_suffix("").as_posix()] = path
    for name, curve in sorted(curves.items()):
        yield Training(
            name,
            curve,
            running / f"{name}.safetensors",
            finished / name / WEIGHTS,
            folder / "data" / name.partition("/")[0] / "test_videos.h5",
        )


def film_strip(network: nn.Module, videos: Path) -> np.ndarray:
    """The first test video above what a model makes of it, ``(H, W, 3)``."""
    clip = predict(network, read_video(videos, 0, network.image_size))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "strip.png"
        clip.save(path)
        return np.asarray(Image.open(path).convert("RGB"))


def _rows(curve: Path) -> list[dict[str, Any]]:
    """Rows of a curve; none while there is no whole one."""
    try:
        table = pd.read_csv(curve).astype(object)
    except (OSError, ValueError):
        return []
    return table.where(table.notna(), None).to_dict("records")


def _values(row: dict[str, Any], training: dict[str, Any]) -> dict[str, float]:
    """Numbers of a row, and the learning rate of its last iteration."""
    found = {k: v for k, v in row.items() if k != "iteration" and v is not None}
    if training:
        rate = read_training(training).learning_rate_at(int(row["iteration"]) - 1)
        found["learning_rate"] = rate
    return found
