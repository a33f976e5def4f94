import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]

UP = [
    ("reporting/strips", "config"),
    ("evaluation/dynamics", "reporting.runs"),
    ("training/loop", "evaluation.errors"),
    ("data/solver", "training.batches"),
    ("systems/pendulum", "data.points"),
    ("systems/base", "training.loop"),
    ("densities/rings", "data.points"),
    ("models/hgn", "evaluation"),
    ("models/hgn", "config"),
    ("flows/nhf", "evaluation.likelihood"),
    ("nn/saving", "models"),
    ("nn/energies", "flows.base"),
    ("integrators", "nn.networks"),
    ("hamiltonian", "integrators"),
    ("files/tensors", "hamiltonian"),
    ("runtime/device", "files.whole"),
    ("collection", "systems"),
    ("collection", "runtime.command"),
    ("fingerprint", "files.whole"),
]
"""A module, and what it must not import because that lies higher."""

SIDEWAYS = [
    ("models/hgn", "systems.base"),
    ("models/hgn", "flows"),
    ("flows/nhf", "models.base"),
    ("flows/nhf", "densities"),
    ("densities/base", "systems"),
    ("systems/_gravity", "models.base"),
    ("models/hgn", "models.pixelhnn"),
    ("models/base", "models.hgn"),
    ("flows/nhf", "flows.realnvp"),
    ("flows/base", "flows.nhf"),
    ("flows/base", "flows._priors"),
    ("flows/_priors", "flows.nhf"),
    ("systems/pendulum", "systems.mass_spring"),
    ("systems/base", "systems.two_body"),
    ("systems/base", "systems._gravity"),
    ("systems/_one_body", "systems.pendulum"),
    ("systems/_one_body", "systems._gravity"),
    ("densities/rings", "densities.spirals"),
    ("densities/base", "densities.modes"),
    ("collection", "fingerprint"),
    ("fingerprint", "collection"),
    ("hamiltonian", "files.whole"),
    ("integrators", "runtime.device"),
    ("integrators", "collection"),
]
"""A module, and what it must not import though that does not lie higher."""

PLANTED = [*UP, *SIDEWAYS]


def lint_imports(source):
    """Check the contracts of pyproject.toml on the package in the folder ``source``."""
    program = (
        "import sys; from importlinter import cli;"
        "sys.exit(cli.lint_imports(no_cache=True, no_logo=True))"
    )
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=source,
        env={**os.environ, "PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
    )


def copied(folder):
    """Copy of the package and of the contracts, to plant imports in."""
    shutil.copy(REPOSITORY / "pyproject.toml", folder)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "src" / "hgnpipe", folder / "hgnpipe", ignore=ignored)
    return folder


def plant(folder, module, line):
    with open(folder / "hgnpipe" / f"{module}.py", "a") as file:
        file.write(f"\n{line}\n")


def test_imports_point_down_only(tmp_path):
    done = lint_imports(copied(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def noticed(tmp_path_factory):
    """What is said of a package with every planted import."""
    folder = copied(tmp_path_factory.mktemp("planted"))
    for module, imported in PLANTED:
        plant(folder, module, f"def late():\n    import hgnpipe.{imported}")
    done = lint_imports(folder)
    assert done.returncode == 1 and "BROKEN" in done.stdout
    return done.stdout


@pytest.mark.parametrize(("module", "imported"), PLANTED)
def test_an_import_that_points_up_or_sideways_is_noticed(noticed, module, imported):
    importer = re.escape(f"hgnpipe.{module.replace('/', '.')}")
    arrow = rf"^-\s+{importer} -> {re.escape(f'hgnpipe.{imported}')} \(l\."
    assert re.search(arrow, noticed, re.MULTILINE)


@pytest.mark.parametrize(
    ("module", "imported"),
    [("models/new", "pixelhnn"), ("flows/new", "nhf"), ("systems/new", "pendulum")],
)
def test_a_new_file_in_a_folder_is_under_its_contract(tmp_path, module, imported):
    package, _, _ = module.partition("/")
    folder = copied(tmp_path)
    plant(folder, module, f"import hgnpipe.{package}.base")
    assert lint_imports(folder).returncode == 0
    plant(folder, module, f"from hgnpipe.{package} import {imported}")
    assert lint_imports(folder).returncode == 1


def test_a_new_module_outside_of_the_folders_must_be_placed(tmp_path):
    folder = copied(tmp_path)
    plant(folder, "new_module", "")
    done = lint_imports(folder)
    assert done.returncode == 1 and "new_module" in done.stdout
