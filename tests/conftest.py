"""Checks every annotated type and shape of the library while the tests run."""

from jaxtyping import install_import_hook

install_import_hook("hgnpipe", "beartype.beartype")

import pytest  # noqa: E402
import torch  # noqa: E402

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
