import numpy as np
import pytest
import torch

from hgnpipe.nn.mixture import Mixture


def ring(num, seed=0):
    """Points near a circle of radius two, which no Gaussian is like."""
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, 2 * np.pi, num)
    radius = rng.normal(2, 0.1, num)
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return torch.from_numpy(points).float()


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_before_it_is_fitted_it_is_a_unit_gaussian():
    drawn = Mixture(3, 5).draw(20_000, generator())
    assert drawn.shape == (20_000, 3)
    assert drawn.mean(0).abs().max() < 0.03
    np.testing.assert_allclose(drawn.T.cov(), np.eye(3), atol=0.03)


def test_what_it_draws_is_like_what_it_was_fitted_to():
    mixture = Mixture(2, 24)
    mixture.fit(ring(4000), seed=0)
    drawn = mixture.draw(4000, generator())
    radius = drawn.norm(dim=1)
    assert radius.mean().item() == pytest.approx(2, abs=0.03)
    assert radius.std().item() < 0.2
    turn = torch.atan2(drawn[:, 1], drawn[:, 0])
    counts = torch.histc(turn, 8, -np.pi, np.pi)
    assert (counts - 500).abs().max() < 120


def test_unequal_shares_and_shapes_are_kept():
    first = torch.randn(3000, 2, generator=generator()) @ torch.tensor(
        [[1.0, 0.9], [0.0, 0.2]]
    )
    second = torch.randn(1000, 2, generator=generator(1)) * 0.1 + 20
    mixture = Mixture(2, 2)
    mixture.fit(torch.cat([first, second]), seed=0)
    drawn = mixture.draw(8000, generator(2))
    far = drawn[:, 0] > 10
    assert far.double().mean().item() == pytest.approx(0.25, abs=0.02)
    np.testing.assert_allclose(drawn[~far].T.cov(), first.T.cov(), atol=0.05)


def test_the_generator_and_the_seed_decide():
    one, other = Mixture(2, 8), Mixture(2, 8)
    for mixture in (one, other):
        mixture.fit(ring(500), seed=3)
    torch.testing.assert_close(one.draw(50, generator()), other.draw(50, generator()))
    assert (one.draw(50, generator()) != one.draw(50, generator(1))).any()


def test_it_is_kept_with_the_weights_of_a_network():
    mixture, loaded = Mixture(2, 8), Mixture(2, 8)
    mixture.fit(ring(500), seed=0)
    loaded.load_state_dict(mixture.state_dict())
    torch.testing.assert_close(
        loaded.draw(9, generator()), mixture.draw(9, generator())
    )
    assert not list(mixture.parameters())


def test_equal_vectors_are_no_trouble():
    mixture = Mixture(2, 1)
    mixture.fit(torch.ones(50, 2), seed=0)
    assert (mixture.draw(50, generator()) - 1).abs().max() < 0.1


def test_it_says_what_it_needs():
    with pytest.raises(ValueError, match=r"prior_components is 0.*1 or more"):
        Mixture(2, 0)
    with pytest.raises(ValueError, match=r"prior_components is 9.*at most 5"):
        Mixture(2, 9).fit(torch.zeros(5, 2), seed=0)
