import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]

UPWARD_IMPORTS = [
    ("hamiltonian.py", "import hgnpipe.integrators"),
    ("hamiltonian.py", "from hgnpipe import files"),
    ("registry.py", "from hgnpipe.systems import SYSTEMS"),
    ("systems.py", "def late():\n    from hgnpipe.training.loop import fit"),
    ("models/hgn.py", "from hgnpipe import evaluation"),
    ("models/hgn.py", "import hgnpipe.systems"),
    ("models/hgn.py", "import hgnpipe.models.pixelhnn"),
    ("models/base.py", "from hgnpipe.models import hgn"),
    ("models/hgn.py", "from hgnpipe.flows import build_flow"),
    ("targets.py", "from hgnpipe.data.points import SPLITS"),
    ("targets.py", "import hgnpipe.systems"),
    ("flows/nhf.py", "from hgnpipe import density"),
    ("flows/nhf.py", "from hgnpipe.targets import build_target"),
    ("flows/nhf.py", "from hgnpipe.models.base import SequenceModel"),
    ("flows/nhf.py", "import hgnpipe.flows.realnvp"),
    ("flows/realnvp.py", "def late():\n    from hgnpipe.flows.nhf import NHF"),
    ("flows/priors.py", "from hgnpipe.flows import nhf"),
    ("flows/base.py", "from hgnpipe.flows.nhf import NHF"),
    ("flows/base.py", "from hgnpipe.flows import priors"),
    ("families.py", "from hgnpipe.models import FAMILIES"),
    ("energies.py", "from hgnpipe.flows.base import Flow"),
    ("fingerprint.py", "import hgnpipe.files.whole"),
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


@pytest.mark.parametrize(("module", "line"), UPWARD_IMPORTS)
def test_an_import_that_points_up_or_sideways_is_noticed(copy, module, line):
    with open(copy / "hgnpipe" / module, "a") as file:
        file.write(f"\n{line}\n")
    done = lint_imports(copy)
    assert done.returncode == 1
    assert "BROKEN" in done.stdout
