"""What the scripts of a GPU session share: the rows of a preset, without Snakemake."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from torch import nn

from hgnpipe.collection import lookup
from hgnpipe.config.checks import check_config
from hgnpipe.config.settings import Settings
from hgnpipe.data.rendering import render
from hgnpipe.data.simulation import simulate
from hgnpipe.flows import build_flow
from hgnpipe.models import build_model, complete_options
from hgnpipe.systems import build_system
from hgnpipe.training.batches import PointBatches, VideoBatches
from hgnpipe.training.options import TrainingOptions, read_training

ROOT = Path(__file__).resolve().parents[3]
CHECKED = Path(".snakemake/hgnpipe_checked")


class Wildcards(dict):
    """Names of a job, as Snakemake gives them to the functions of rules."""

    __getattr__ = dict.__getitem__


def read_settings(preset: str, file: Path) -> Settings:
    """The checked configuration, of which one preset is left.

    Raises:
        ValueError: If the file is wrong, or lacks the preset.
    """
    config = yaml.safe_load(file.read_text("utf-8"))
    lookup("preset", preset, config["presets"])
    alone = {"preset": preset, "presets": {preset: config["presets"][preset]}}
    return check_config({**config, **alone}, CHECKED, [file])


class Rows:
    """Networks of a preset for one of its systems, and a few data to train them on.

    Args:
        settings: See `read_settings`.
        system: Name of a system; None for the first of the preset.
        num_videos: Videos to make.

    Raises:
        ValueError: If the preset lacks the system.
    """

    def __init__(self, settings: Settings, system: str | None, num_videos: int) -> None:
        preset = settings.config.presets[settings.config.preset]
        system = system or preset.systems[0]
        lookup("system", system, dict.fromkeys(preset.systems))
        self.data, self.num_videos = preset.data, num_videos
        kind = settings.config.systems[system]
        self.system = build_system(kind.kind, **kind.options)
        blocks = settings.blocks[settings.config.preset]
        self.flows = blocks["flows"]
        models = {name: of[system] for name, of in blocks["models"].items()}
        self.blocks: dict[str, dict[str, Any]] = models | self.flows

    @cached_property
    def videos(self) -> VideoBatches:
        """Videos of the length of long ones."""
        length = self.data.num_frames + 2 * self.data.num_around
        motion = simulate(self.system, self.num_videos, length, seed=0)
        return VideoBatches(render(self.system, motion.q_noisy, self.data.image_size))

    @cached_property
    def points(self) -> PointBatches:
        """Points of a normal distribution."""
        return PointBatches(np.random.default_rng(0).normal(size=(1000, 2)))

    def build(
        self, name: str, **changes: Any
    ) -> tuple[nn.Module, VideoBatches | PointBatches]:
        """Network of a row on the processor, and its data.

        Args:
            name: The row.
            **changes: Options that replace those that the row has.
        """
        row = self.blocks[name]
        options = _changed(row["options"], changes)
        if name in self.flows:
            flow = build_flow(row["family"], seed=0, num_dims=2, **options)
            return flow, self.points
        completed = complete_options(
            row["family"],
            options,
            num_frames=self.data.num_frames,
            image_size=self.data.image_size,
            latent_size=2 * self.system.num_coordinates,
        )
        return build_model(row["family"], seed=0, **completed), self.videos

    def training(self, name: str, **changes: Any) -> TrainingOptions:
        """How a row is trained, from its first weights, with some changes."""
        row = {**self.blocks[name]["training"], "num_starts": 1, **changes}
        return read_training(row)


def _changed(options: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: changes.get(name, value) for name, value in options.items()}
