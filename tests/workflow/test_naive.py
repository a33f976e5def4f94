import pytest
import torch

from hgnpipe.models.hgn import HGN
from naive_hgn import naive_loss

pytestmark = pytest.mark.slow

VARIANTS = {
    "leapfrog": {},
    "euler": {"integrator": "euler"},
    "deterministic": {"deterministic": True},
    "no_f_psi": {"f_psi": False},
    "printed_decoder": {"printed_decoder": True},
    "centred": {"centre_frames": True, "gradient_rms": 1.0},
}


every_variant = pytest.mark.parametrize("options", VARIANTS.values(), ids=VARIANTS)
PAPER = {"centre_frames": True, "gradient_rms": 1.5}


def built(**options):
    """A model of the paper's widths, and videos of more pictures than one chunk."""
    torch.manual_seed(0)
    model = HGN(num_frames=5, image_size=32, **options)
    return model, torch.rand(7, 5, 3, 32, 32)


def gradients(model, frames, loss):
    parameters = [p for p in model.parameters() if p.numel()]
    return torch.autograd.grad(loss(model, frames), parameters)


def fast(model, frames):
    return model.loss(frames, 0, torch.Generator().manual_seed(2))["loss"]


def naive(model, frames):
    return naive_loss(model, frames, torch.Generator().manual_seed(2))


def distance(found, expected):
    return (found - expected).norm() / expected.norm()


@every_variant
def test_fast_and_naive_training_step_are_the_same_function(options):
    model, frames = built(**options)
    model, frames = model.double(), frames.double()
    torch.testing.assert_close(fast(model, frames), naive(model, frames))
    pairs = zip(
        gradients(model, frames, fast), gradients(model, frames, naive), strict=True
    )
    for found, expected in pairs:
        assert distance(found, expected) < 1e-9


def test_single_precision_costs_the_fast_step_no_more_than_the_naive_one():
    """Rounding moves the gradient of either by up to 1e-4: hence the test in double."""
    model, frames = built(deterministic=True, **PAPER)
    single = [whole(gradients(model, frames, loss)) for loss in (fast, naive)]
    exact = whole(gradients(model.double(), frames.double(), naive))
    errors = [distance(gradient.double(), exact) for gradient in single]
    assert errors[0] < 5 * errors[1] < 1e-3


def whole(gradient):
    return torch.cat([part.flatten() for part in gradient])
