"""Figures depend on the data alone."""

import matplotlib
import matplotlib.pyplot as plt
import pytest

from hgnpipe.reporting.plotting import figure_style, save_figure

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


def drawn(folder):
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
    expected = drawn(tmp_path / "plain")
    request.getfixturevalue("mine")
    assert drawn(tmp_path / "mine") == expected
    assert all(matplotlib.rcParams[key] == value for key, value in MINE.items())
