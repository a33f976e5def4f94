"""Options and networks of models of videos whose latent state moves by some law."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from hgnpipe.collection import lookup, require
from hgnpipe.nn.geco import Geco
from hgnpipe.nn.latents import Sizes, latent_images, latent_vectors
from hgnpipe.nn.mixture import Mixture
from hgnpipe.nn.networks import FrameScaler
from hgnpipe.nn.warm_up import WarmUp

INFERRED = {"first": 0.0, "middle": 0.5, "last": 1.0}
"""Frames whose state can be inferred, and where they lie in the video."""
SEEN = {"middle": 0.5, "first": 0.0}
"""Where the frames that the encoder sees lie in a longer training sample."""


class LatentParts(nn.Module):
    """What `hgnpipe.models._latent_video.LatentVideo` consists of, by its options.

    The constructor of a family takes those below as ``**shared``: its signature, the
    schema of its options, has them beside the family's own.

    The first group of options is the paper's model, the second group a state of ours,
    that is a vector, and of another frame. The third helps training to leave the mean
    image. What is not in the paper is off by default.

    Args:
        motion: Networks that move states, by their names, from the sizes of a state.
        num_frames: Length T of the sequences that the encoder sees at once.
        image_size: Height and width of a frame, 4 times a power of two.
        deterministic: Use the posterior mean and drop the KL term ("HGN determ").
        f_psi: Map posterior samples to the initial state with a network; otherwise
            the sample is the state ("HGN no f_psi").
        dt: Time step of one frame, in the model's own time unit.
        kappa: Reconstruction error that GECO tolerates, per element.
        multiplier: Initial value of GECO's Lagrange multiplier, see `hgnpipe.nn.geco`.
        multiplier_bounds: Its smallest and largest value.
        geco_rate: How fast it moves; 0 leaves it as it is.
        geco_start: Iterations before it moves.
        num_filters: Width of all convolutions.
        latent_channels: Channels of the position, and of the momentum.
        printed_decoder: Decoder as Sec. A.1 prints it, see `ConvDecoder`.
        bf16_decoder: Decode in bfloat16 while training; faster on a GPU.

        num_pairs: If given, the state is a vector of so many pairs (q, p), reached over
            keypoints of the frames, see `hgnpipe.nn.keypoints`; not a latent image.
        num_keypoints: Keypoints of a frame.
        hidden_size: Width of the perceptrons, those that move a vector included.
        prior_components: Gaussians of the mixture that is fitted to the posteriors of a
            vector when training has ended, and that samples are drawn from; 0 for the
            unit Gaussian of the KL term.
        inferred_frame: Whose state the encoder infers: ``first``, ``middle`` or
            ``last``. It is rolled out in both directions, so that a state must hold
            backwards too, in half as many steps. With ``euler`` always the first one:
            its steps cannot be taken back.
        num_targets: Length of a training sample, T or more: the encoder sees T frames
            of it, the others are targets all the same.
        seen: Which of them it sees: those in the ``middle``, or the ``first`` ones.

        centre_frames: Centre the encoder's input on the mean image, scale it to unit
            variance, and start the decoder at the mean image.
        num_decoded: Decode only this many random frames of each rollout during
            training: an unbiased estimate of the loss, several times cheaper.
        kl_delay: Iterations at the start without posterior noise and KL term.
        kl_ramp: Iterations after ``kl_delay`` over which both grow to full size.
        horizon_growth: Iterations after which the training rollout grows by one frame,
            in each direction, from ``first_horizon`` steps on; 0 trains on all frames
            from the start.
        first_horizon: Steps of the training rollout in the first iteration.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(
        self,
        motion: Callable[[Sizes], Mapping[str, nn.Module]],
        *,
        num_frames: int,
        image_size: int,
        deterministic: bool = False,
        f_psi: bool = True,
        dt: float = 0.125,
        kappa: float = 1e-3,
        multiplier: float = 1.0,
        multiplier_bounds: list[float] | tuple[float, float] = (0.1, 10.0),
        geco_rate: float = 0.01,
        geco_start: int = 0,
        num_filters: int = 64,
        latent_channels: int = 16,
        printed_decoder: bool = False,
        bf16_decoder: bool = False,
        num_pairs: int | None = None,
        num_keypoints: int = 16,
        hidden_size: int = 128,
        prior_components: int = 0,
        inferred_frame: str = "first",
        num_targets: int | None = None,
        seen: str = "middle",
        centre_frames: bool = False,
        num_decoded: int | None = None,
        kl_delay: int = 0,
        kl_ramp: int = 0,
        horizon_growth: int = 0,
        first_horizon: int = 1,
    ) -> None:
        super().__init__()
        require(num_frames >= 2, "num_frames", num_frames, "2 or more")
        require(num_filters >= 2, "num_filters", num_filters, "2 or more")
        require(dt > 0, "dt", dt, "positive")
        self.num_frames, self.window = num_frames, num_targets or num_frames
        legal = f"num_frames ({num_frames}) or more"
        require(self.window >= num_frames, "num_targets", num_targets, legal)
        require(
            num_decoded is None or 1 <= num_decoded <= self.window,
            "num_decoded", num_decoded, f"between 1 and {self.window}, all frames",
        )  # fmt: skip
        self.image_size = image_size
        self.deterministic = deterministic
        self.dt, self.bf16_decoder = dt, bf16_decoder
        self.num_decoded = num_decoded or self.window
        place = lookup("inferred_frame", inferred_frame, INFERRED)
        self.inferred = int(place * (num_frames - 1))
        self.first_seen = int(lookup("seen", seen, SEEN) * (self.window - num_frames))
        self.before = self.first_seen + self.inferred
        self.after = self.window - 1 - self.before
        self.warm_up = WarmUp(
            num_steps=max(self.before, self.after),
            stochastic=not deterministic,
            kl_delay=kl_delay,
            kl_ramp=kl_ramp,
            horizon_growth=horizon_growth,
            first_horizon=first_horizon,
            geco_rate=geco_rate,
            geco_start=geco_start,
        )
        self.scaler = FrameScaler(image_size, enabled=centre_frames)
        sizes = Sizes(
            num_pairs=num_pairs,
            latent_channels=latent_channels,
            num_filters=num_filters,
            hidden_size=hidden_size,
            num_keypoints=num_keypoints,
        )
        # Weights of the motion are drawn first, and registered before the decoder's:
        # models of a seed, and their files, have always been so.
        moving = motion(sizes)
        if sizes.are_images:
            parts = latent_images(sizes, num_frames, image_size, f_psi, printed_decoder)
        else:
            parts = latent_vectors(sizes, num_frames, image_size, f_psi)
        self.z_shape, self.encoder, self.f_psi, decoder = parts
        for name, network in moving.items():
            self.add_module(name, network)
        self.decoder = decoder
        self.mixture = None
        if prior_components and num_pairs is not None and not deterministic:
            self.mixture = Mixture(*self.z_shape, prior_components)
        self.geco = (
            None if deterministic else Geco(kappa, multiplier, tuple(multiplier_bounds))
        )
        self.to(memory_format=torch.channels_last)

    def __init_subclass__(cls) -> None:
        """Spell out ``**shared`` in the signature of a family."""
        super().__init_subclass__()
        if "__init__" not in vars(cls):
            return
        own, all_of_it = (inspect.signature(c.__init__) for c in (cls, LatentParts))
        by_name, rest = inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD
        shared = [p for p in all_of_it.parameters.values() if p.kind is by_name]
        kept = [p for p in own.parameters.values() if p.kind is not rest]
        spelled = own.replace(parameters=[*kept, *shared])
        cls.__init__.__signature__ = spelled
        cls.__init__.__annotations__ = {
            name: p.annotation
            for name, p in spelled.parameters.items()
            if name != "self"
        }

    @staticmethod
    def unused_options(options: Mapping[str, Any]) -> set[str]:
        """See `hgnpipe.models.base.SequenceModel`."""
        unused = set()
        if options["deterministic"]:
            unused |= {"kappa", "multiplier", "kl_delay", "kl_ramp"}
            unused |= {"multiplier_bounds", "geco_rate", "geco_start"}
            unused |= {"prior_components"}
        elif not options["geco_rate"]:
            unused |= {"geco_start", "multiplier_bounds"}
        if not options["horizon_growth"]:
            unused |= {"first_horizon"}
        if options["num_targets"] in (None, options["num_frames"]):
            unused |= {"seen"}
        of_images, of_vectors = {"latent_channels", "printed_decoder"}, {
            "num_keypoints", "hidden_size", "prior_components",
        }  # fmt: skip
        return unused | (of_vectors if options["num_pairs"] is None else of_images)

    def set_frame_statistics(
        self, mean_image: Float[Tensor, "3 S S"], std: float
    ) -> None:
        """See `hgnpipe.models.base.SequenceModel`."""
        self.scaler.set_statistics(mean_image, std)
