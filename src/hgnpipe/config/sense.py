"""Numbers that are legal each, and make no sense together.

What is asked for must be there, fit on a disk, and be seen.
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from hgnpipe.collection import require
from hgnpipe.config.reading import at
from hgnpipe.config.schema import Config, Flows, Preset
from hgnpipe.config.settings import TABLE

if TYPE_CHECKING:  # not every call of Snakemake need wait for torch
    from hgnpipe.systems.base import System

MOST_BYTES = 100 * 10**9
"""Size of a file, uncompressed; the largest of the presets has 5 GB."""
MOST_WEIGHTS = 10**8
"""Weights of a network; the largest of the presets has 4 million."""
NUM_STARTS = 200
"""Initial states that are looked at."""
SCHEDULE = ("kl_delay", "geco_start", "elbo_iterations", "warm_up")
"""Options that say in which iteration something begins or ends."""
SHOWN = 5
"""Remarks that are made one by one."""


def check_numbers(config: Config, name: str) -> None:
    """Check the numbers of a preset against each other.

    Raises:
        Mistake: If more is asked for than there is, or than fits on a disk.
    """
    preset, where = config.presets[name], ("presets", name)
    data, judged = preset.data, preset.evaluation
    num = min(data.num_train, data.num_test)
    with at(*where, "evaluation", "num_trajectories"):
        _at_most(judged, "num_trajectories", num, "videos of each split")
    with at(*where, "evaluation", "num_extended"):
        _at_most(judged, "num_extended", data.num_test, "test videos")
    for part in ("states", "pixels") if preset.hnn_check else ():
        for key in ("num_train", "num_test"):
            with at(*where, "hnn_check", part, key):
                have = getattr(data, key)
                _at_most(getattr(preset.hnn_check, part), key, have, "trajectories")
    if preset.flows is not None:
        _check_points(config, preset.flows, (*where, "flows"))
    for path, value, num_bytes in _files(preset):
        with at(*where, *path):
            legal = f"less: a file would have {_gigabytes(num_bytes)}, more than "
            legal += _gigabytes(MOST_BYTES)
            require(num_bytes <= MOST_BYTES, path[-1], value, legal)


def _check_points(config: Config, flows: Flows, where: tuple[str, ...]) -> None:
    """Those of a table of one's own are counted when it is read."""
    if not any(is_drawn(config, density) for density in flows.learn):
        return
    sizes = {"num_points": "num_test", "num_watched": "num_validation"}
    for key, size in sizes.items():
        with at(*where, "evaluation", key):
            _at_most(flows.evaluation, key, getattr(flows.data, size), f"({size})")


def is_drawn(config: Config, density: str) -> bool:
    """Whether so many points of a density are drawn as its preset says."""
    return density in config.densities and config.densities[density].kind != TABLE


def _files(preset: Preset) -> Iterator[tuple[tuple[str, ...], int, int]]:
    """What large files grow with: its keys, its value, and their size in bytes."""
    data, judged = preset.data, preset.evaluation
    frame, num = 3 * data.image_size**2, max(data.num_train, data.num_test)
    sizes = ("num_train", "num_test", "num_frames", "num_around")
    largest = max(sizes, key=lambda key: getattr(data, key))
    num_bytes = num * (data.num_frames + 2 * data.num_around) * frame
    yield ("data", largest), getattr(data, largest), num_bytes
    longest = max(judged.horizons)
    num_bytes = judged.num_extended * (2 * data.num_frames + longest) * frame
    yield ("evaluation", "horizons"), longest, num_bytes
    num_bytes = 4 * judged.num_samples * data.num_frames * frame
    yield ("evaluation", "num_samples"), judged.num_samples, num_bytes
    if preset.flows is None:
        return
    size = preset.flows.evaluation.grid_size
    yield ("flows", "evaluation", "grid_size"), size, 16 * size**2


def check_seen(system: "System") -> None:
    """Check that a camera sees the bodies of a system, and how they move.

    Raises:
        ValueError: If they are drawn outside of its window, or cross all of it from one
            frame to the next.
    """
    view, rng = system.view, np.random.default_rng(0)
    for name in ("noise_std", "disc_radius"):
        value = getattr(system, name)
        require(value <= view, name, value, f"at most view, {view:g}")
    import torch

    from hgnpipe.hamiltonian import velocity

    q, p = system.sample_initial_states(rng, NUM_STARTS)
    bodies = system.bodies(q)
    outside = float((np.abs(bodies).max(axis=-1) > view).mean())
    legal = f"such that bodies are seen: {outside:.0%} begin outside of view, {view:g}"
    require(outside <= 0.5, "radius", system.radius, legal)
    rate = velocity(system.hamiltonian, *map(torch.from_numpy, (q, p))).numpy()
    step = 1e-6
    speed = np.linalg.norm(system.bodies(q + step * rate) - bodies, axis=-1) / step
    typical = float(np.sqrt(np.square(speed).mean()))
    most = 2 * view / typical if typical > 0 else np.inf
    legal = f"at most {most:.3g}, in which a body crosses the picture"
    require(system.frame_dt <= most, "frame_dt", system.frame_dt, legal)


@contextmanager
def weights_counted(options: Mapping[str, Any]) -> Iterator[None]:
    """Refuse to build a network that is too large for any use here.

    Args:
        options: Of its constructor; the largest number of them is to blame.

    Raises:
        ValueError: If it has more than `MOST_WEIGHTS`, before they take memory.
    """
    import torch
    from torch.overrides import TorchFunctionMode

    sizes = {k: v for k, v in options.items() if isinstance(v, int)} or {"it": 0}
    name = max(sizes, key=lambda key: sizes[key])
    legal = f"less: a network would have more than {MOST_WEIGHTS:.0e} weights"

    class Counted(TorchFunctionMode):
        num = 0

        def __torch_function__(self, func, types, args=(), kwargs=None):
            if func is torch.empty:  # what layers make their weights with
                shape = args[0] if isinstance(args[0], (tuple, list)) else args
                self.num += math.prod(shape)
                require(self.num <= MOST_WEIGHTS, name, sizes[name], legal)
            return func(*args, **(kwargs or {}))

    with Counted():
        yield


def check_batch_size(size: int, num: int | None) -> None:
    """Check that a batch of a training has no sample twice.

    Args:
        size: Of the batch.
        num: Samples that there are; None where that is not known.

    Raises:
        ValueError: If it would.
    """
    legal = f"at most {num}, the number of samples to train on"
    require(num is None or size <= num, "batch_size", size, legal)


def remarks(blocks: Mapping[str, Any]) -> list[str]:
    """What of a preset has no effect because its trainings are too short for it.

    Args:
        blocks: Of a preset, see `hgnpipe.config.building.check_preset`.
    """
    trained = {
        f"{model} on {system}": block
        for model, systems in blocks["models"].items()
        for system, block in systems.items()
    }
    found = [
        f"{name}: {option} is {value}, and its training has {num} iterations."
        for name, block in {**trained, **blocks["flows"]}.items()
        for num in [block["training"]["num_iterations"]]
        for option, value in {**block["options"], **block["training"]}.items()
        if option in SCHEDULE and value >= num
    ]
    more = len(found) - SHOWN
    return found[:SHOWN] + ([f"... and {more} more like it."] if more > 0 else [])


def _at_most(block: Any, key: str, most: int, of: str) -> None:
    """Check that there are as many as is asked for."""
    value = getattr(block, key)
    require(value <= most, key, value, f"at most {most}, the number of {of}")


def _gigabytes(num_bytes: float) -> str:
    return f"{num_bytes / 1e9:.0f} GB"
