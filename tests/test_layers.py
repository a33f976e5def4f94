import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]

WRONG_IMPORTS = [  # in one copy each, so that every one is noticed by itself
    ("hamiltonian.py", "import hgnpipe.integrators"),
    ("hamiltonian.py", "from hgnpipe.files import whole"),
    ("integrators.py", "from hgnpipe.collection import require"),
    ("collection.py", "from hgnpipe.systems import SYSTEMS"),
    ("systems/base.py", "def late():\n    from hgnpipe.training.loop import fit"),
    ("systems/two_body.py", "from hgnpipe.systems.three_body import ThreeBody"),
    ("models/hgn.py", "from hgnpipe.evaluation import errors"),
    ("models/hgn.py", "import hgnpipe.systems"),
    ("models/hgn.py", "import hgnpipe.models.pixelhnn"),
    ("models/latent_ode.py", "import hgnpipe.models.hgn"),
    ("models/base.py", "from hgnpipe.models import hgn"),
    ("models/_latent_video.py", "from hgnpipe.models.hgn import HGN"),
    ("models/hgn.py", "from hgnpipe.flows import build_flow"),
    ("densities/base.py", "from hgnpipe.data.points import SPLITS"),
    ("densities/rings.py", "import hgnpipe.systems"),
    ("densities/rings.py", "from hgnpipe.densities.spirals import spirals"),
    ("flows/nhf.py", "from hgnpipe.evaluation import likelihood"),
    ("flows/nhf.py", "from hgnpipe.densities import build_density"),
    ("flows/nhf.py", "from hgnpipe.models.base import SequenceModel"),
    ("flows/nhf.py", "import hgnpipe.flows.realnvp"),
    ("flows/realnvp.py", "def late():\n    from hgnpipe.flows.nhf import NHF"),
    ("flows/_priors.py", "from hgnpipe.flows import nhf"),
    ("flows/base.py", "from hgnpipe.flows.nhf import NHF"),
    ("flows/base.py", "from hgnpipe.flows import _priors"),
    ("nn/saving.py", "from hgnpipe.models import MODELS"),
    ("nn/energies.py", "from hgnpipe.flows.base import Flow"),
    ("data/videos.py", "from hgnpipe.training import batches"),
    ("training/loop.py", "from hgnpipe.evaluation import errors"),
    ("evaluation/errors.py", "from hgnpipe.reporting import runs"),
    ("reporting/runs.py", "from hgnpipe.config import schema"),
    ("files/whole.py", "from hgnpipe.nn import networks"),
    ("runtime/progress.py", "from hgnpipe.files import whole"),
    ("fingerprint.py", "import hgnpipe.files"),
    ("new_module.py", ""),
]


def lint_imports(source):
    """Check the contracts of pyproject.toml on the package in the folder ``source``."""
    command = "import sys; from importlinter import cli; sys.exit(cli.lint_imports())"
    return subprocess.run(
        [sys.executable, "-c", command],
        cwd=source,
        env={**os.environ, "PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
    )


@pytest.fixture
def copy(tmp_path):
    """Copy of the package and of the contracts, to plant imports in."""
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(
        REPOSITORY / "src" / "hgnpipe", tmp_path / "hgnpipe", ignore=ignored
    )
    return tmp_path


def test_imports_point_down_only(copy):
    done = lint_imports(copy)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("module", "line"), WRONG_IMPORTS)
def test_an_import_that_points_up_or_sideways_is_noticed(copy, module, line):
    with open(copy / "hgnpipe" / module, "a") as file:
        file.write(f"\n{line}\n")
    done = lint_imports(copy)
    assert done.returncode == 1
    assert "BROKEN" in done.stdout
