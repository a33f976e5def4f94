"""What a user may ask of a trained model, whatever its family."""

import numpy as np
import pytest
import torch
from tiny_models import FAMILIES, every_family, random_videos, trained

from hgnpipe.evaluation.rollouts import play_beyond
from hgnpipe.models.base import SamplingModel
from hgnpipe.training.batches import to_pixels

pytestmark = pytest.mark.usefixtures("unchecked")

PIXELS = to_pixels(random_videos(), torch.device("cpu"))
WRONG = {
    "RGB values": (255 * PIXELS, r"reach from 0 to 255; pixel values are in \[0, 1\]"),
    "centred": (2 * PIXELS - 1, r"reach from -1 to 1; pixel values are in \[0, 1\]"),
    "a hair too bright": (PIXELS + 1e-3, r"reach from 0.001 to 1.001"),
    "one is no number": (PIXELS.masked_fill(PIXELS.max() == PIXELS, torch.nan), "nan"),
    "infinite": (PIXELS / 0, "to inf|nan"),
    "as stored": ((255 * PIXELS).byte(), "torch.uint8; this model needs torch.float32"),
    "double": (PIXELS.double(), "torch.float64; this model needs torch.float32"),
    "half": (PIXELS.half(), "torch.float16; this model needs torch.float32"),
    "NumPy": (PIXELS.numpy(), "float32; this model needs torch.float32"),
    "a list": ([0.5], "list; this model needs torch.float32"),
    "one video": (PIXELS[0], r"\(3, 8, 8\); this model needs at least"),
    "colours last": (PIXELS.movedim(2, 4), r"\(4, 8, 8, 3\); this model needs at"),
    "a number": (torch.tensor(0.5), r"\(\); this model needs at least"),
}
"""Frames that a model must not look at, and what it answers."""

every_wrong_kind = pytest.mark.parametrize("kind", WRONG)


@every_family
@every_wrong_kind
def test_frames_that_are_not_what_the_model_learned_from_are_refused(name, kind):
    model, (frames, message) = trained(name), WRONG[kind]
    looks = [model.infer, model.predict]
    if isinstance(model, SamplingModel):
        looks.append(model.sample_inferred)
    for look in looks:
        with pytest.raises(ValueError, match=f"^Frames .*{message}") as error:
            look(frames)
        assert "\n" not in str(error.value)


@every_family
@pytest.mark.parametrize("speed", [float("nan"), float("inf"), float("-inf")])
def test_a_speed_that_is_no_number_is_refused(name, speed):
    with pytest.raises(ValueError, match=f"^speed is {speed}; it must be finite.$"):
        trained(name).predict(PIXELS, speed=speed)


@every_family
@pytest.mark.parametrize("num_steps", [-1, 2.0, "3"])
def test_a_number_of_steps_that_is_none_is_refused(name, num_steps):
    message = f"^num_steps is {num_steps!r}; it must be a whole number, 0 or more.$"
    model = trained(name)
    with pytest.raises(ValueError, match=message):
        model.predict(PIXELS, num_steps=num_steps)
    with pytest.raises(ValueError, match=message):
        model.rollout(model.infer(PIXELS).state, 0.1, num_steps)


@every_family
def test_a_rollout_by_a_step_that_is_no_number_is_refused(name):
    model = trained(name)
    with pytest.raises(ValueError, match=r"^dt is nan; it must be finite\.$"):
        model.rollout(model.infer(PIXELS).state, float("nan"), 3)


@every_family
@pytest.mark.parametrize("num_steps", [0, 1, np.int64(5), None])
def test_legal_numbers_of_steps_are_that_many_frames(name, num_steps):
    shown = trained(name).predict(PIXELS, num_steps=num_steps).frames
    assert shown.shape[1] == (PIXELS.shape[1] if num_steps is None else num_steps + 1)


@every_family
def test_no_videos_are_refused(name):
    message = "^number of videos is 0; it must be 1 or more.$"
    with pytest.raises(ValueError, match=message):
        trained(name).predict(PIXELS[:0])


@every_family
def test_a_model_of_another_precision_takes_frames_of_its_own(name):
    model = trained(name).double()
    assert model.predict(PIXELS.double()).frames.dtype == torch.float64
    with pytest.raises(ValueError, match=r"float32; this model needs torch\.float64"):
        model.predict(PIXELS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num": 0}, "^num is 0; it must be 1 or more.$"),
        ({"num": -2}, "^num is -2; it must be 1 or more.$"),
        ({"num_steps": -1}, "^num_steps is -1; it must be a whole number"),
        ({"speed": float("nan")}, "^speed is nan; it must be finite.$"),
    ],
)
def test_samples_that_cannot_be_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        trained("hgn").sample(**{"num": 2, "num_steps": 3, **arguments})


def drawn(num=5, length=8, size=8, dtype=np.uint8):
    return np.zeros((num, length, size, size, 3), dtype)


@every_family
@pytest.mark.parametrize(
    ("true", "num_before", "message"),
    [
        (drawn(dtype=float), 2, "^Videos are ndarray of float64"),
        (drawn(num=4), 2, r"is \(4, 8, 8\); it must be \(5, 6 or more, 8\).$"),
        (drawn(size=4), 2, r"is \(5, 8, 4\); it must be \(5, 6 or more, 8\).$"),
        (drawn(length=5), 2, r"is \(5, 5, 8\); it must be \(5, 6 or more, 8\).$"),
        (drawn(), -1, "^num_before is -1; it must be 0 or more.$"),
    ],
)
def test_true_motion_that_is_not_of_the_videos_is_refused(
    name, true, num_before, message
):
    with pytest.raises(ValueError, match=message):
        play_beyond(trained(name), random_videos(), true, num_before)


@pytest.mark.parametrize("name", [*FAMILIES])
def test_training_does_not_look_at_the_range_of_every_batch(name, monkeypatch):
    """It would wait for the device; videos are checked once, before."""
    monkeypatch.setattr(torch.Tensor, "aminmax", None)
    trained(name).loss(PIXELS, 0, torch.Generator().manual_seed(0))
