"""Latent motions of videos, and their portrait."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from tiny_models import FAMILIES, SHOWN, SIZE, every_family, random_videos, trained

from hgnpipe.models import build_model
from hgnpipe.reporting.phase_space import latent_motion, phase_portrait
from hgnpipe.training.batches import to_pixels


@pytest.fixture
def vector():
    """An HGN whose state is one pair."""
    options = {k: v for k, v in FAMILIES["hgn"].items() if k != "latent_channels"}
    return build_model("hgn", image_size=SIZE, num_pairs=1, hidden_size=8, **options)


@every_family
def test_a_motion_starts_where_the_model_infers_and_has_its_energy(name):
    model, videos = trained(name), random_videos()
    found = latent_motion(model, videos, num_steps=6)
    with torch.no_grad():
        frames = to_pixels(videos, torch.device("cpu"))
        state = model.infer(frames).state
        made = model.predict(frames, num_steps=6)
    np.testing.assert_allclose(found.q[:, 0], state.q.flatten(1), rtol=1e-6)
    np.testing.assert_allclose(found.p[:, 0], state.p.flatten(1), rtol=1e-6)
    assert (found.energy is None) == (made.energy is None)
    if found.energy is not None:
        np.testing.assert_allclose(found.energy, made.energy, rtol=1e-5)
        assert found.energy.shape == (len(videos), 7)
    assert latent_motion(model, videos).q.shape[:2] == (len(videos), SHOWN)


def test_of_one_pair_the_learned_energy_is_drawn_around_the_motions(vector):
    videos = random_videos()
    found = latent_motion(vector, videos, num_steps=5)
    figure = phase_portrait(vector, videos, num_steps=5)
    axes = figure.axes[0]
    lines = axes.get_lines()
    assert len(lines) == len(videos) + 1  # and the first frames
    for line, q, p in zip(lines, found.q, found.p, strict=False):
        np.testing.assert_allclose(line.get_data(), [q[:, 0], p[:, 0]])
    x, y = lines[-1].get_data()
    np.testing.assert_allclose(x, found.q[:, 0, 0])
    assert len(y) == len(videos)
    assert len(figure.axes) == 2 and axes.collections  # contours and their colour bar
    low, high = axes.get_xlim()
    assert low < found.q.min() and found.q.max() < high


def test_of_several_pairs_the_one_that_moves_most_is_drawn_alone():
    model, videos = trained("hgn"), random_videos()
    found = latent_motion(model, videos)
    figure = phase_portrait(model, videos)
    (axes,) = figure.axes
    moved = found.q.var((0, 1)) + found.p.var((0, 1))
    assert f"pair {moved.argmax() + 1} of {len(moved)}" in axes.get_title()
    assert not axes.collections


def test_a_portrait_is_shown_once_and_changes_no_style(vector):
    plt.close("all")
    before = plt.rcParams["font.size"]
    phase_portrait(vector, random_videos())
    assert not plt.get_fignums() and plt.rcParams["font.size"] == before


def test_without_an_energy_the_motions_are_drawn_alone():
    options = {k: v for k, v in FAMILIES["latent_gru"].items() if k != "num_pairs"}
    model = build_model("latent_gru", image_size=SIZE, num_pairs=1, **options)
    figure = phase_portrait(model, random_videos(), num_steps=5)
    assert len(figure.axes) == 1 and not figure.axes[0].collections


def test_a_model_without_a_phase_space_is_told(unchecked):
    with pytest.raises(ValueError, match="Linear has no phase space to move in"):
        latent_motion(torch.nn.Linear(1, 1), random_videos())
