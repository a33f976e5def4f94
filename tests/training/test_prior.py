import numpy as np
import pytest
import torch
from tiny_models import SIZE, random_videos, trained

from hgnpipe.models import build_model, load_model, save_model
from hgnpipe.training.batches import to_pixels
from hgnpipe.training.prior import learn_prior

VECTOR = {
    "num_frames": 4, "image_size": SIZE, "num_filters": 4, "num_pairs": 1,
    "num_keypoints": 2, "hidden_size": 8, "prior_components": 2,
}  # fmt: skip


def vector(**options):
    return build_model("hgn", **{**VECTOR, **options})


def drawn(model, num=3000):
    """Latent variables of samples: without f_psi and at the first frame, the state."""
    state = model.sample_states(num, torch.Generator().manual_seed(0))
    return torch.cat(state, dim=1)


def test_samples_follow_the_posteriors_of_the_training_videos():
    model, frames = vector(f_psi=False), random_videos()
    before = drawn(model)
    np.testing.assert_allclose(before.T.cov(), np.eye(2), atol=0.1)
    learn_prior(model, frames, seed=0)
    posterior = model.posterior(to_pixels(frames, torch.device("cpu")))
    total = posterior.mean.T.cov(correction=0) + posterior.variance.mean(0).diag()
    after = drawn(model)
    spread = total.diag().max().item()
    np.testing.assert_allclose(after.mean(0), posterior.mean.mean(0).detach(), atol=0.3)
    np.testing.assert_allclose(after.T.cov(), total.detach(), atol=0.35 * spread)


def test_the_encoder_sees_the_middle_of_longer_videos():
    wide = np.concatenate([random_videos(1), random_videos(), random_videos(2)], axis=1)
    models = [vector(f_psi=False), vector(f_psi=False, num_targets=12)]
    for model, frames in zip(models, (random_videos(), wide), strict=True):
        learn_prior(model, frames, seed=0)
    torch.testing.assert_close(*map(drawn, models))


def test_a_saved_model_draws_the_same_samples(tmp_path):
    model = vector()
    learn_prior(model, random_videos(), seed=0)
    save_model(model, tmp_path / "m", family="hgn", options=VECTOR)
    torch.testing.assert_close(drawn(load_model(tmp_path / "m")), drawn(model))


@pytest.mark.parametrize("name", ["hgn", "deterministic", "pixelhnn"])
def test_a_model_without_a_mixture_stays_as_it_is(name):
    model = trained(name)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    learn_prior(model, random_videos(), seed=0)
    for key, value in model.state_dict().items():
        assert torch.equal(value, before[key])


@pytest.mark.parametrize(
    "options", [{"num_pairs": None}, {"deterministic": True}, {"prior_components": 0}]
)
def test_only_vectors_with_a_posterior_have_a_mixture(options):
    assert vector(**options).mixture is None
