"""The contract between sequence models and the training and evaluation stages."""

import math
from numbers import Integral
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from hgnpipe.collection import require
from hgnpipe.hamiltonian import State

PIXELS = "hgnpipe.training.batches.to_pixels makes them of videos."
"""End of messages about frames that are not what models take."""


class Prediction(NamedTuple):
    """What a model makes of a batch of videos.

    Attributes:
        frames: Predicted pixel values in [0, 1], ``(B, T, 3, S, S)``.
        energy: Learned Hamiltonian along the trajectory, ``(B, T)``; None for models
            that have none.
        kl: KL divergence of the posterior from the prior in nats, ``(B,)``; zero, or
            None, for models without a posterior.
    """

    frames: Tensor
    energy: Tensor | None = None
    kl: Tensor | None = None


class Inferred(NamedTuple):
    """What a model concludes from the frames that it sees.

    Attributes:
        state: Most likely latent state at the first frame, ``(B, *n)``.
        kl: KL divergence of the posterior from the prior in nats, ``(B,)``; zero for
            models without a posterior.
        variance: Posterior variance of each latent dimension, ``(B, d)``; None for
            models without a posterior.
    """

    state: State
    kl: Tensor
    variance: Tensor | None


@runtime_checkable
class SequenceModel(Protocol):
    """All that a family needs: `hgnpipe.training.loop.fit` trains it, and it is scored.

    Options are the keyword arguments of the constructor. Where some have no effect
    beside others, a static method ``unused_options(options)`` gives their names from
    all options, those left out at their defaults; see
    `hgnpipe.collection.Collection.unused`. A method ``set_frame_statistics(mean_image,
    std)`` is told once, before training, the mean frame ``(3, S, S)`` of the training
    data and the root mean square deviation of the pixel values from it.

    Attributes:
        num_frames: Frames that the model must see to predict a video.
        window: Consecutive frames in one training sample.
        image_size: Height and width of a frame.
    """

    num_frames: int
    window: int
    image_size: int

    def loss(
        self,
        frames: Float[Tensor, "B T 3 S S"],
        iteration: int,
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """Training objective under ``"loss"``, and any terms worth logging.

        Args:
            frames: Pixel values in [0, 1].
            iteration: Number of updates made so far, for schedules.
            generator: Source of all randomness, on the device of ``frames``.
        """
        ...

    def predict(
        self,
        frames: Float[Tensor, "B T 3 S S"],
        *,
        speed: float = 1.0,
        num_steps: int | None = None,
    ) -> Prediction:
        """Video that the model unrolls from the initial state that it infers.

        Args:
            frames: Pixel values in [0, 1]; the model looks at the first ``num_frames``.
            speed: Multiplies the time step: 2 is twice as fast, -1 is backwards.
            num_steps: Length of the rollout; by default as long as ``frames``.

        Raises:
            ValueError: See `check_input` and `check_rollout`.
        """
        ...


@runtime_checkable
class PhaseSpaceModel(SequenceModel, Protocol):
    """A sequence model in its three parts: infer a state, move it, show it.

    Measures of the dynamics (`hgnpipe.evaluation.dynamics`) take it apart along these
    lines. A state that is no pair (q, p) is cut into two halves that are called so. A
    ``hamiltonian``, if there is one, is the learned energy of a state; without, there
    are no measures of the energy. A model with ``whole_steps = True`` cannot take half
    a step, and is not asked to. One whose steps back do not undo those onwards may say
    by ``follow(frames, before, after)`` how it goes from ``before`` steps before the
    first frame to ``after`` after it, in place of rollouts from the first frame.

    Attributes:
        dt: Time step of one frame, in the model's own time unit.
    """

    dt: float

    def infer(self, frames: Float[Tensor, "B T 3 S S"]) -> Inferred:
        """State at the first frame, from the first ``num_frames`` of them."""
        ...

    def rollout(self, initial: State, dt: float, num_steps: int) -> State:
        """Motion from a state, back if ``dt`` is negative; it begins the path."""
        ...

    def decode_path(self, path: State) -> Float[Tensor, "B T 3 S S"]:
        """Frame of every state of a path ``(B, T, *n)``, pixel values in [0, 1]."""
        ...


@runtime_checkable
class SamplingModel(PhaseSpaceModel, Protocol):
    """A model of phase space with a prior, from which videos can be made (Fig. 8)."""

    def sample_states(
        self, num: int, generator: torch.Generator | None = None
    ) -> State:
        """States of the first frame of ``num`` motions, drawn from the prior."""
        ...

    def sample_inferred(
        self,
        frames: Float[Tensor, "B T 3 S S"],
        generator: torch.Generator | None = None,
    ) -> State:
        """States of the first frame of these videos, drawn from the posterior."""
        ...


def play(
    model: PhaseSpaceModel,
    initial: State,
    kl: Float[Tensor, " B"],
    speed: float,
    num_steps: int | None,
    length: int = 0,
) -> Prediction:
    """Video and energy of the motion that starts at ``initial``.

    Args:
        model: The model.
        initial: State of the first frame.
        kl: See `Prediction`.
        speed: What the time step is multiplied by.
        num_steps: Number of steps; by default ``length``.
        length: See there.

    Raises:
        ValueError: See `check_rollout`.
    """
    steps = length if num_steps is None else num_steps
    check_rollout(speed, steps, "speed")
    path = model.rollout(initial, model.dt * speed, steps)
    return Prediction(model.decode_path(path), energy_of(model, path), kl)


def energy_of(model: PhaseSpaceModel, path: State) -> Float[Tensor, "B T"] | None:
    """Learned energy of every state of a path ``(B, T, *n)``; None without one."""
    hamiltonian = getattr(model, "hamiltonian", None)
    if hamiltonian is None:
        return None
    energy = hamiltonian(path.q.flatten(0, 1), path.p.flatten(0, 1))
    return energy.unflatten(0, path.q.shape[:2])


def check_rollout(dt: float, num_steps: int, name: str = "dt") -> None:
    """Check what is asked of a rollout.

    Args:
        dt: Time step, or what it is multiplied by.
        num_steps: Number of steps.
        name: What a message calls ``dt``.

    Raises:
        ValueError: If the one is not finite, or the other negative or no whole number.
    """
    require(math.isfinite(dt), name, dt, "finite")
    counts = isinstance(num_steps, Integral) and num_steps >= 0
    require(counts, "num_steps", num_steps, "a whole number, 0 or more")


def check_input(
    frames: Float[Tensor, "B T 3 S S"],
    num_frames: int,
    image_size: int,
    shown_to: torch.nn.Module | None = None,
) -> None:
    """Check that a model can look at these videos.

    Args:
        frames: Pixel values in [0, 1].
        num_frames: Least length.
        image_size: Height and width.
        shown_to: If given, check that the values are in this range, and of the
            precision of this model, too. That looks at all of them: not for training.

    Raises:
        ValueError: If the videos are too short, of another size, or what they may not
            be; with ``shown_to``, also if there are none.
    """
    found = getattr(frames, "dtype", type(frames).__name__)
    if shown_to is not None:
        kind = next(shown_to.parameters(), torch.zeros(())).dtype
        if found != kind:
            raise ValueError(f"Frames are {found}; this model needs {kind}. {PIXELS}")
    expected, shape = (3, image_size, image_size), tuple(frames.shape[1:])
    if shape[1:] != expected or shape[0] < num_frames:
        raise ValueError(
            f"Frames are {shape}; this model needs at least {num_frames} frames of "
            f"{expected}."
        )
    if shown_to is not None:
        require(len(frames) > 0, "number of videos", 0, "1 or more")
        low, high = (end.item() for end in frames.aminmax())
        if not (low >= 0 and high <= 1):
            reach = f"Frames reach from {low:.4g} to {high:.4g}"
            raise ValueError(f"{reach}; pixel values are in [0, 1]. {PIXELS}")
