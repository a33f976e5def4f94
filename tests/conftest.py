"""Fixtures that many tests share."""

import os
import shutil
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from jaxtyping import config as jaxtyping_config
from pipeline import RUN, contents, copy_sources, make, shown, train_longer

from hgnpipe.models.hgn import HGN

torch.set_num_threads(1)


def pytest_collection_modifyitems(items):
    """The slow files first: then no process waits long for the last one."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(autouse=True)
def smallest_numbers():
    """A script that trained in this process has left numbers below 1e-38 at zero."""
    yield
    torch.set_flush_denormal(False)


@pytest.fixture
def unchecked():
    """Annotations are not checked, as where users call: only our own checks answer."""
    jaxtyping_config.update("jaxtyping_disable", True)
    yield
    jaxtyping_config.update("jaxtyping_disable", False)


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
    """A project whose smoke preset is built, for looking only; and what was shown.

    Built once, whichever process of pytest-xdist asks first.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    project, terminal = folder / "finished/hgnpipe", folder / "finished/terminal.txt"
    with FileLock(folder / "finished.lock"):
        if not terminal.exists():
            shutil.rmtree(project.parent, ignore_errors=True)
            project.parent.mkdir()
            terminal.write_text(shown(make(copy_sources(project))), "utf-8")
    return project, terminal.read_text("utf-8")


@pytest.fixture(scope="session")
def fresh(tmp_path_factory):
    """A project where nothing is built, for looking only."""
    return copy_sources(tmp_path_factory.mktemp("workflow") / "fresh")


@pytest.fixture
def project(finished, tmp_path):
    """A copy of the finished project, for a test of its own."""
    return Path(shutil.copytree(finished[0], tmp_path / "moved")).resolve()


@pytest.fixture
def fresh_project(tmp_path):
    """A project of its own where nothing is built."""
    return copy_sources(tmp_path.resolve() / "hgnpipe")


@pytest.fixture
def longer(project):
    """A copy of the finished project where one training is longer and to be done."""
    train_longer(project)
    return project


@pytest.fixture(scope="session")
def undisturbed(finished, tmp_path_factory):
    """What the longer training makes."""
    project = tmp_path_factory.mktemp("workflow") / "undisturbed"
    shutil.copytree(finished[0], project)
    train_longer(project)
    make(project, f"{RUN}/model.safetensors")
    return contents(project)
