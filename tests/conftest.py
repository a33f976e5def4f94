"""Checks every annotated type and shape of the library while the tests run."""

from beartype import BeartypeConf, beartype
from jaxtyping import install_import_hook

# As in Python's own rules, an integer may stand where a float is annotated.
typechecker = beartype(conf=BeartypeConf(is_pep484_tower=True))
install_import_hook("hgnpipe", f"{__name__}.typechecker")

import shutil  # noqa: E402
from pathlib import Path  # noqa: E402

import pytest  # noqa: E402
import torch  # noqa: E402
from pipeline import copy_sources, make, shown  # noqa: E402

from hgnpipe.models.hgn import HGN  # noqa: E402

torch.set_num_threads(1)


@pytest.fixture
def tiny_hgn():
    """Builder of small HGNs; the same options give the same weights."""

    def build(**options):
        torch.manual_seed(0)
        sizes = {"num_frames": 4, "image_size": 8, "num_filters": 4}
        return HGN(**{**sizes, "latent_channels": 2, **options})

    return build


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A project whose smoke preset is built, for looking only; and what was shown."""
    project = copy_sources(tmp_path_factory.mktemp("workflow") / "hgnpipe")
    return project, shown(make(project))


@pytest.fixture(scope="session")
def fresh(tmp_path_factory):
    """A project where nothing is built, for looking only."""
    return copy_sources(tmp_path_factory.mktemp("workflow") / "fresh")


@pytest.fixture
def project(finished, tmp_path):
    """A copy of the finished project, for a test of its own."""
    return Path(shutil.copytree(finished[0], tmp_path / "moved")).resolve()
