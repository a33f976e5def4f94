"""Figures say which preset they are of, cover nothing by that, and need only data."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from hgnpipe.reporting.plotting import figure_style, save_figure
from hgnpipe.reporting.strips import save_animation


def drawn(folder):
    """A figure in a folder, as pixels, and the texts that belong to it."""
    folder.mkdir(parents=True)
    with figure_style():
        figure, axes = plt.subplots()
        axes.set_xlabel(
            "a label that is long enough to reach into the right corner" * 2
        )
        save_figure(figure, [folder / "fig.png"])
    words = [text.get_text() for text in figure.texts]
    label = axes.xaxis.label.get_window_extent()
    below = [text.get_window_extent().y1 <= label.y0 for text in figure.texts]
    return np.asarray(Image.open(folder / "fig.png")), words, below


def test_a_figure_of_a_preset_says_so_below_all_else(tmp_path):
    one, words, below = drawn(tmp_path / "results/tiny/figures")
    assert words == ["tiny preset"] and below == [True]
    other, words, _ = drawn(tmp_path / "results/large/figures")
    assert words == ["large preset"] and (one != other).any()


def test_a_figure_elsewhere_says_nothing_of_presets(tmp_path):
    assert drawn(tmp_path / "here")[1] == []


def test_an_animation_of_a_preset_says_so_in_its_corner(tmp_path):
    white = np.full((2, 60, 120, 3), 255, np.uint8)
    for name in ("results/tiny/figures", "here"):
        (tmp_path / name).mkdir(parents=True)
        save_animation(white, [tmp_path / name / "a.gif"])
    one, other = (
        np.asarray(Image.open(tmp_path / name / "a.gif").convert("L"))
        for name in ("results/tiny/figures", "here")
    )
    assert (other > 250).all() and (one[40:, 60:] < 200).any()
    assert (one[:30] > 250).all()


MINE = {
    "text.usetex": True,
    "axes.facecolor": "black",
    "figure.facecolor": "black",
    "savefig.bbox": "tight",
    "savefig.transparent": True,
    "font.sans-serif": ["Nothing"],
    "axes.grid": True,
    "axes.prop_cycle": matplotlib.cycler(color=["red"]),
    "image.cmap": "jet",
    "pdf.compression": 0,
    "axes.formatter.use_locale": True,
}


def formats(folder):
    """Bytes of a figure in every format."""
    folder.mkdir()
    paths = [folder / f"figure.{kind}" for kind in ("pdf", "png", "svg")]
    with figure_style():
        figure, axes = plt.subplots()
        axes.plot([1.5, 3], [2, 4e5], label="$H$")
        axes.legend()
        axes.imshow([[0, 1], [2, 3]])
        save_figure(figure, paths)
    return [path.read_bytes() for path in paths]


@pytest.fixture
def mine():
    """A user's own settings."""
    with matplotlib.rc_context(MINE):
        yield


def test_a_figure_has_the_same_bytes_whatever_the_users_settings(tmp_path, request):
    expected = formats(tmp_path / "plain")
    request.getfixturevalue("mine")
    assert formats(tmp_path / "mine") == expected
    assert all(matplotlib.rcParams[key] == value for key, value in MINE.items())
