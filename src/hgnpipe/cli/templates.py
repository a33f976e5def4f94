"""Files to begin with: a system, a model, a preset of one's own."""

import re
from pathlib import Path

from hgnpipe.collection import require

SYSTEM = '''"""{words}: say here what it is."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from torch import Tensor

from hgnpipe.systems.base import System


@dataclass(frozen=True, kw_only=True)
class {camel}(System):
    """One coordinate; here a mass on a stiffening spring, H = p^2 / (2m) + c q^4 / 4.

    Attributes:
        m: Mass.
        c: Strength of the spring.
    """

    POSITIVE = (*System.POSITIVE, "m", "c")  # others may be any finite number
    m: float = 1.0
    c: float = 4.0
    radius: tuple[float, float] = (0.5, 1.0)  # where motions start
    noise_std: float = 0.05  # of every observed coordinate
    frame_dt: float = 0.2  # time between two frames
    view: float = 2.0  # half the width of the picture

    def hamiltonian(
        self, q: Float[Tensor, "*B 1"], p: Float[Tensor, "*B 1"]
    ) -> Float[Tensor, "*B"]:
        """Energy of each state; the motion follows from it."""
        return (p.square() / (2 * self.m) + self.c * q**4 / 4).sum(-1)

    def sample_initial_states(
        self, rng: np.random.Generator, num: int
    ) -> tuple[Float[np.ndarray, "num 1"], Float[np.ndarray, "num 1"]]:
        """Positions and momenta at time zero: on circles in phase space."""
        r = rng.uniform(*self.radius, size=(num, 1))
        angle = rng.uniform(0, 2 * np.pi, size=(num, 1))
        return r * np.cos(angle), r * np.sin(angle)

    def bodies(self, q: Float[np.ndarray, "*b 1"]) -> Float[np.ndarray, "*b 1 2"]:
        """Where the bodies are drawn, (x, y) each: here one, at (0, q)."""
        return np.stack([np.zeros_like(q), q], axis=-1)
'''

MODEL = '''"""{words}: say here what it is."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from hgnpipe.models.base import Prediction, check_input


class {camel}(nn.Module):
    """Here: one learned picture that does not move.

    Args:
        image_size: Height and width of a frame; filled in from the data.
        brightness: Of the picture at the start, from 0 to 1. Every argument is an
            option of config.yaml.
    """

    num_frames = 1  # frames that it must see to predict a video
    window = 1  # frames of one training sample

    def __init__(self, *, image_size: int, brightness: float = 0.5) -> None:
        super().__init__()
        self.image_size = image_size
        size = (3, image_size, image_size)
        self.picture = nn.Parameter(torch.full(size, brightness))

    def set_frame_statistics(
        self, mean_image: Float[Tensor, "3 S S"], std: float
    ) -> None:
        """Mean and spread of the training frames, told once before training."""

    def loss(
        self,
        frames: Float[Tensor, "B T 3 S S"],
        iteration: int,
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """What is minimised, under "loss", and what else is worth logging."""
        check_input(frames, self.window, self.image_size)
        mse = F.mse_loss(self.picture.expand_as(frames), frames)
        return {{"loss": mse, "mse": mse.detach()}}

    @torch.no_grad()
    def predict(
        self,
        frames: Float[Tensor, "B T 3 S S"],
        *,
        speed: float = 1.0,
        num_steps: int | None = None,
    ) -> Prediction:
        """Frames from the first one on, their energies, and the KL of each video."""
        check_input(frames, self.num_frames, self.image_size, self)
        num = frames.shape[1] if num_steps is None else num_steps + 1
        shown = self.picture.clamp(0, 1).expand(len(frames), num, -1, -1, -1)
        energy, kl = shown.new_zeros(shown.shape[:2]), shown.new_zeros(len(shown))
        return Prediction(shown, energy, kl)
'''

PRESET = """# snakemake --cores 2 results/table1.csv --configfile {name}.yaml
# Laid over config.yaml; every key is described in docs/configuration.md.
preset: {name}

presets:
  {name}:
    systems: [mass_spring]              # names under `systems` of config.yaml
    models: [hgn_vector, hgn_leapfrog]  # rows of the tables; without, all
    seeds: [0]
    data: {{seed: 0, num_train: 1000, num_test: 100, num_frames: 31, image_size: 32}}
    evaluation:
      {{num_trajectories: 100, batch_size: 50, num_extended: 20, horizons: [30, 60],
       symetric_repeats: 2, example: 0, num_samples: 8}}
    options:  # of a family (hgn), or of a row (hgn_vector)
      hgn:
        {{num_filters: 32, kappa: 3.0e-4, centre_frames: true, gradient_rms: 1.5,
         multiplier: 20, multiplier_bounds: [0.1, 20], inferred_frame: middle,
         num_decoded: 5, kl_delay: 200, kl_ramp: 100, horizon_growth: 10,
         geco_start: 300}}
      hgn_vector:
        {{num_pairs: 1, num_filters: 16, gradient_rms: 0.1, multiplier: 1,
         multiplier_bounds: [0.1, 10], num_decoded: 4, kl_delay: 500, kl_ramp: 200,
         horizon_growth: 20, geco_start: 700}}
    training:
      hgn:
        {{num_iterations: 400, batch_size: 16, learning_rate: 2.0e-3,
         max_grad_norm: 1.0, decay: 0.5}}
      hgn_vector: {{num_iterations: 900, warm_up: 100, num_starts: 2, decay: 0.6}}
"""

SYSTEM_NEXT = "pytest tests/systems looks at it; a block `{name}: {{kind: {name}}}` under systems in config.yaml, and its name in a preset, bring it into the tables."  # noqa: E501
MODEL_NEXT = "A line `{name}: {{label: {words}, family: {name}}}` under models in config.yaml, its name in a preset, and its training there, make it a row of the tables."  # noqa: E501
PRESET_NEXT = "Run it: snakemake --cores 2 results/table1.csv --configfile {name}.yaml"
KINDS = {
    "system": ("src/hgnpipe/systems/{name}.py", SYSTEM, SYSTEM_NEXT),
    "model": ("src/hgnpipe/models/{name}.py", MODEL, MODEL_NEXT),
    "preset": ("{name}.yaml", PRESET, PRESET_NEXT),
}


def begin(kind: str, name: str) -> tuple[Path, str]:
    """Write a commented file that runs as it is.

    Args:
        kind: One of `KINDS`.
        name: Of what is begun; the file is called so.

    Returns:
        The file, and what to do next.

    Raises:
        ValueError: If the name is no name, the file exists, or the working directory
            is not a copy of this project.
    """
    legal = "lower case letters, digits and _, a letter first"
    require(re.fullmatch(r"[a-z][a-z0-9_]*", name) is not None, "name", name, legal)
    place, template, then = KINDS[kind]
    path = Path(place.format(name=name))
    if not Path("Snakefile").exists() or not path.parent.is_dir():
        raise ValueError(
            f"{Path.cwd()} is not the project's folder: it has no Snakefile. Go there "
            f"first."
        )
    if path.exists():
        raise ValueError(f"{path} exists; choose another name, or remove it.")
    words = name.replace("_", " ")
    camel = words.title().replace(" ", "")
    path.write_text(template.format(name=name, words=words.capitalize(), camel=camel))
    return path, then.format(name=name, words=words)
