import json
import shutil
import subprocess
import sys
import time
from fnmatch import fnmatch
from pathlib import Path
from textwrap import dedent

import pytest

from hgnpipe.fingerprint import PLUMBING, code_hash, reached

REPOSITORY = Path(__file__).parents[1]

SCRIPT = "workflow/scripts/models/train.py"

FILES = {
    SCRIPT: """
        from typing import TYPE_CHECKING

        import numpy as np
        import palette
        from hgnpipe.files.whole import write
        from hgnpipe.models import build
        from hgnpipe.runtime import device, progress
        if TYPE_CHECKING:
            from hgnpipe.types import Array

        def main(num: int = 3) -> None:
            from hgnpipe import late
            print(f"{build(num)=:>{num}} {num:}" "!", "\\U0001fae8", b"\\xff", 1e-3)
    """,
    "workflow/scripts/models/palette.py": "BLUE = 'blue'",
    "workflow/scripts/models/other.py": "import hgnpipe.unrelated",
    "src/hgnpipe/__init__.py": "VERSION = '1'",
    "src/hgnpipe/models/__init__.py": """
        import importlib
        from . import base
        FAMILIES = {"hgn": "hgnpipe.models.hgn"}

        def build(num):
            return importlib.import_module(FAMILIES["hgn"]), base.NUM
    """,
    "src/hgnpipe/models/base.py": """
        from ..integrators import euler as step
        from .. import nets
        NUM = {"a": 1, **{}}
    """,
    "src/hgnpipe/models/hgn.py": "from hgnpipe.nn.geco import Geco",
    "src/hgnpipe/integrators.py": """
        class Error(Exception):
            pass

        def euler(q, p, dt=(0.1,), *, order: int):
            if order < 1:
                raise Error("too low")
            require(q, "q", q, "true")
            while dt:
                q = q + dt * p
            else:
                q = not q
            return [q, p][::-1]
    """,
    "src/hgnpipe/nets.py": "import math\nLEAK = -0.2",
    "src/hgnpipe/late.py": "NOW = None",
    "src/hgnpipe/nn/__init__.py": "",
    "src/hgnpipe/nn/geco.py": "class Geco: ...",
    "src/hgnpipe/files/__init__.py": "",
    "src/hgnpipe/files/whole.py": "from hgnpipe.files import hdf5",
    "src/hgnpipe/files/hdf5.py": "import h5py",
    "src/hgnpipe/runtime/__init__.py": "",
    "src/hgnpipe/runtime/progress.py": "from .. import unrelated",
    "src/hgnpipe/runtime/device.py": "TF32 = True",
    "src/hgnpipe/types.py": "Array = list",
    "src/hgnpipe/unrelated.py": "x = 1",
}
FILES = {path: dedent(text).strip() for path, text in FILES.items()}

USED = [
    "workflow/scripts/models/palette.py",
    "src/hgnpipe/__init__.py",
    "src/hgnpipe/models/__init__.py",
    "src/hgnpipe/models/base.py",
    "src/hgnpipe/integrators.py",
    "src/hgnpipe/nets.py",
    "src/hgnpipe/late.py",
    "src/hgnpipe/runtime/device.py",
    SCRIPT,
]

WITHOUT_EFFECT = {
    "a comment": ("return [q", "# why\n    return [q"),
    "blank lines": ("def euler", "\n\n\ndef euler"),
    "line breaks": ("[q, p][::-1]", "[\n  q,\n  p,\n][ : : -1]"),
    "parentheses": ("q + dt * p", "(q + (dt * p))"),
    "spelling of numbers": ("(0.1,)", "(1e-1,)"),
    "a docstring of the module": ("class Error", "'''Doc.'''\nclass Error"),
    "a docstring of a class": ("pass", "'''Doc.'''"),
    "a docstring of a function": ("while dt", "'''Doc.'''\n    while dt"),
    "the wording of what is raised": ("too low", "below 1"),
    "where it came from": ('Error("too low")', 'Error("low") from None'),
    "what is required": ('require(q, "q", q, "true")', 'require(p, "p", p, "false")'),
    "another requirement": (
        "require(",
        "require(order, 'order', 0, '1')\n    require(",
    ),
    "no requirement": ('require(q, "q", q, "true")', ""),
    "a docstring of a value": ("def euler", "'''Doc.'''\ndef euler"),
}

WITH_EFFECT = {
    "a number": ("0.1", "0.2"),
    "the type of a number": ("(0.1,)", "(True,)"),
    "an operator": ("q + dt", "q - dt"),
    "a name": ("euler", "midpoint"),
    "an annotation": ("order: int", "order: float"),
    "a default": ("order: int", "order: int = None"),
    "order": ("[q, p]", "[p, q]"),
    "nesting": ("[q, p]", "[[q, p]]"),
    "indentation": ("    return", "        return"),
    "a deletion": ("else:\n        q = not q", ""),
    "when something is raised": ("order < 1", "order < 2"),
    "that something is raised": ('raise Error("too low")', "return q"),
    "the value of a requirement": ("    require(", "    q = require("),
}


def write(root, files):
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


def edited(root, path, old, new):
    """Fingerprint after an edit of one file."""
    assert old in FILES[path]
    write(root, {path: FILES[path].replace(old, new)})
    return code_hash(SCRIPT, root=root)


@pytest.fixture
def root(tmp_path):
    write(tmp_path / "repository", FILES)
    return tmp_path / "repository"


@pytest.fixture
def before(root):
    return code_hash(SCRIPT, root=root)


@pytest.mark.parametrize(("old", "new"), WITHOUT_EFFECT.values(), ids=WITHOUT_EFFECT)
def test_an_edit_that_does_nothing_leaves_the_fingerprint(root, before, old, new):
    assert edited(root, "src/hgnpipe/integrators.py", old, new) == before


@pytest.mark.parametrize(("old", "new"), WITH_EFFECT.values(), ids=WITH_EFFECT)
def test_an_edit_that_does_something_changes_the_fingerprint(root, before, old, new):
    assert edited(root, "src/hgnpipe/integrators.py", old, new) != before


@pytest.mark.parametrize("path", USED)
def test_each_file_that_the_script_reaches_counts(root, before, path):
    write(root, {path: FILES[path] + "\nnew = 1"})
    assert code_hash(SCRIPT, root=root) != before


@pytest.mark.parametrize("path", sorted(FILES.keys() - set(USED)))
def test_no_other_file_counts(root, before, path):
    write(root, {path: FILES[path] + "\nnew = 1"})
    assert code_hash(SCRIPT, root=root) == before


def test_code_that_moves_to_another_module_changes_the_fingerprint(root, before):
    swapped = {
        "src/hgnpipe/nets.py": FILES["src/hgnpipe/late.py"],
        "src/hgnpipe/late.py": FILES["src/hgnpipe/nets.py"],
    }
    write(root, swapped)
    assert code_hash(SCRIPT, root=root) != before


def test_an_import_for_type_checkers_alone_does_not_count(root, before):
    assert edited(root, SCRIPT, "hgnpipe.types", "hgnpipe.unrelated") == before


@pytest.mark.parametrize(
    "path", ["src/hgnpipe/models/hgn.py", "src/hgnpipe/nn/geco.py"]
)
def test_a_module_named_by_the_rule_counts_with_what_it_imports(root, path):
    before = code_hash(SCRIPT, "hgnpipe.models.hgn", root=root)
    write(root, {path: FILES[path] + "\nnew = 1"})
    assert code_hash(SCRIPT, "hgnpipe.models.hgn", root=root) != before


def test_naming_a_module_that_is_imported_anyway_changes_nothing(root, before):
    assert code_hash(SCRIPT, "hgnpipe.models.base", root=root) == before


def test_the_order_in_which_modules_are_named_does_not_matter(root):
    names = ["hgnpipe.models.hgn", "hgnpipe.unrelated"]
    one, other = (
        code_hash(SCRIPT, *order, root=root) for order in (names, names[::-1])
    )
    assert one == other


def test_a_repository_that_moves_keeps_its_fingerprint(root, before, monkeypatch):
    moved = shutil.move(root, root.with_name("moved"))
    assert code_hash(SCRIPT, root=moved) == before
    assert code_hash(Path(moved) / SCRIPT, root=moved) == before
    monkeypatch.chdir(moved)
    assert code_hash(SCRIPT, root=".") == before


def test_a_windows_checkout_keeps_its_fingerprint(root, before):
    for path in FILES:
        text = (root / path).read_bytes()
        (root / path).write_bytes(b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n"))
    assert code_hash(SCRIPT, root=root) == before


def test_modules_that_import_each_other_do_not_hang(root, before):
    assert edited(
        root, "src/hgnpipe/nets.py", "import math", "from hgnpipe.models import *"
    )


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_another_version_of_python_finds_the_same_fingerprint(root, before, version):
    python = shutil.which(f"python{version}")
    if not python or subprocess.run([python, "-c", ""], capture_output=True).returncode:
        pytest.skip(f"no python{version} here")
    program = (
        "import sys; from hgnpipe.fingerprint import code_hash;"
        "print(*sys.version_info[:2], code_hash(sys.argv[1], root=sys.argv[2]))"
    )
    command = [python, "-B", "-c", program, SCRIPT, root]
    source = REPOSITORY / "src"
    done = subprocess.run(command, cwd=source, capture_output=True, text=True)
    assert done.stdout == f"{version.replace('.', ' ')} {before}\n", done.stderr


def test_a_script_that_does_not_exist_is_named(root):
    with pytest.raises(ValueError, match=r"no script 'workflow/scripts/trian.py'"):
        code_hash("workflow/scripts/trian.py", root=root)


@pytest.mark.parametrize("name", ["hgnpipe.models.hng", "hgnpype", "", "hgnpipe..hgn"])
def test_a_module_that_the_rule_misspells_is_named(root, name):
    with pytest.raises(ValueError, match=rf"rule of {SCRIPT} names '{name}', but"):
        code_hash(SCRIPT, name, root=root)


def test_an_import_of_a_missing_module_is_named_with_its_file(root):
    with pytest.raises(ValueError, match=r"nets.py names 'hgnpipe.maths', but"):
        edited(root, "src/hgnpipe/nets.py", "import math", "import hgnpipe.maths")


def test_a_file_that_does_not_parse_is_named_with_the_line(root):
    with pytest.raises(ValueError, match=r"nets.py, line 2, is not valid Python"):
        edited(root, "src/hgnpipe/nets.py", "LEAK =", "LEAK = =")


def test_every_script_of_the_workflow_has_a_fingerprint():
    for script in (REPOSITORY / "workflow" / "scripts").rglob("*.py"):
        relative = script.relative_to(REPOSITORY)
        assert code_hash(relative) == code_hash(script) != ""


def test_the_modules_that_count_are_named(root):
    own = {"models", "models.base", "integrators", "nets", "late", "runtime.device"}
    expected = {"__main__", "palette", "hgnpipe", *(f"hgnpipe.{name}" for name in own)}
    assert reached(SCRIPT, root=root) == expected
    more = {"hgnpipe.models.hgn", "hgnpipe.nn", "hgnpipe.nn.geco"}
    assert reached(SCRIPT, "hgnpipe.models.hgn", root=root) == expected | more


# The workflow as it is


SCRIPTS = sorted(
    str(path.relative_to(REPOSITORY / "workflow" / "scripts").with_suffix(""))
    for path in (REPOSITORY / "workflow" / "scripts").rglob("*.py")
    if path.parent.name != "gpu"  # by hand: nothing runs them again
)

FOUND_BY_NAME = {
    "systems": [
        "data/*", "models/*", "observed/*", "figures/fig05*", "benchmarks/data",
        "benchmarks/step", "benchmarks/scaling",
    ],
    "models": [
        "models/train", "models/evaluate", "models/measure_dynamics",
        "models/make_films", "observed/evaluate_observed", "observed/measure_observed",
        "observed/make_observed_films",
    ],
    "densities": ["flows/draw_points", "figures/fig10*"],
    "flows": [
        "flows/train_flow", "flows/evaluate_flow", "flows/*portra*",
        "benchmarks/flow_costs",
    ],
}  # fmt: skip
"""What a script finds by its name: the rules say which."""

BY_GPU_OR_THREADS = {
    "data/simulate", "data/extend", *FOUND_BY_NAME["flows"],
    *(script for script in SCRIPTS if fnmatch(script, "models/*")),
    *(script for script in SCRIPTS if fnmatch(script, "observed/[em]*")),
    "benchmarks/data", "benchmarks/step", "benchmarks/scaling",
}  # fmt: skip
TRAJECTORIES = FOUND_BY_NAME["systems"]
HGN_ALONE = ["benchmarks/naive_hgn", "benchmarks/step", "benchmarks/scaling"]

RERUNNING = {
    "models/hgn.py": [*FOUND_BY_NAME["models"], *HGN_ALONE],
    "models/_latent_video.py": [*FOUND_BY_NAME["models"], *HGN_ALONE],
    "models/latent_ode.py": FOUND_BY_NAME["models"],
    "models/pixelhnn.py": [*FOUND_BY_NAME["models"], "models/check_pixelhnn"],
    "flows/nhf.py": FOUND_BY_NAME["flows"],
    "flows/_priors.py": FOUND_BY_NAME["flows"],
    "data/solver.py": TRAJECTORIES,
    "systems/pendulum.py": TRAJECTORIES,
    "densities/rings.py": FOUND_BY_NAME["densities"],
    "runtime/device.py": sorted(BY_GPU_OR_THREADS),
}
"""Scripts that an edit of a module reruns, exactly."""

RERUNNING_NOTHING = {
    "a new system": ("systems/quartic.py", None, "class Quartic: ..."),
    "a new density": ("densities/blob.py", None, "def blob(): ..."),
    "a new family of models": ("models/ours.py", None, "class Ours: ..."),
    "a new family of flows": ("flows/ours.py", None, "class Ours: ..."),
    "another error of files": ("files/whole.py", "does not exist", "is not there"),
    "another error of names": ("collection.py", "Unknown {kind}", "No {kind}"),
    "another error of HGN": ("models/_latent_parts.py", "2 or more", "at least 2"),
    "another error of networks": ("nn/networks.py", "it must be one", "make it one"),
    "the progress bar": ("runtime/progress.py", "", "NEW = 1\n"),
    "provenance": ("runtime/provenance.py", "", "NEW = 1\n"),
    "how files are written": ("files/hdf5.py", "", "NEW = 1\n"),
}


def found_by_name(script):
    """Modules that rules with this script name, if they use everything there is."""
    for package, scripts in FOUND_BY_NAME.items():
        if any(fnmatch(script, pattern) for pattern in scripts):
            folder = REPOSITORY / "src" / "hgnpipe" / package
            for path in sorted(folder.glob("[a-z]*.py")):
                yield f"hgnpipe.{package}.{path.stem}"


def every_hash(root):
    return {
        script: code_hash(
            f"workflow/scripts/{script}.py", *found_by_name(script), root=root
        )
        for script in SCRIPTS
    }


@pytest.fixture(scope="module")
def workflow(tmp_path_factory):
    """Copy of the code, to edit, and its fingerprints."""
    copy = tmp_path_factory.mktemp("code")
    shutil.copytree(REPOSITORY / "src" / "hgnpipe", copy / "src" / "hgnpipe")
    scripts = Path("workflow", "scripts")
    shutil.copytree(REPOSITORY / scripts, copy / scripts)
    return copy, every_hash(copy)


def rerun(workflow, module, old, new):
    """Scripts whose fingerprint an edit of a module, undone again, changes."""
    copy, before = workflow
    path = copy / "src" / "hgnpipe" / module
    text = path.read_text("utf-8") if path.exists() else None
    assert (text is None) == (old is None) and (not old or old in text)
    path.write_text((text or "").replace(old, new) if old else f"{text or ''}{new}")
    try:
        after = every_hash(copy)
    finally:
        path.write_text(text, "utf-8") if text is not None else path.unlink()
    return {script for script in SCRIPTS if after[script] != before[script]}


@pytest.mark.parametrize("edit", RERUNNING_NOTHING)
def test_what_changes_no_result_reruns_nothing(workflow, edit):
    assert rerun(workflow, *RERUNNING_NOTHING[edit]) == set()


@pytest.mark.parametrize("module", RERUNNING)
def test_an_edit_of_a_module_reruns_exactly_what_uses_it(workflow, module):
    expected = {s for s in SCRIPTS if any(fnmatch(s, p) for p in RERUNNING[module])}
    assert rerun(workflow, module, "", "\nNEW = 1\n") == expected != set()


IMPORTS = """
import json, os, runpy, sys
import matplotlib.pyplot, pandas, scipy.stats, torch
for script in sys.argv[1:]:
    if not os.fork():
        sys.path.insert(0, os.path.dirname(script))
        runpy.run_path(script, run_name="imported")
        names = [name for name in sys.modules if name.partition(".")[0] == "hgnpipe"]
        print(json.dumps([script, names]), flush=True)
        os._exit(0)
    os.wait()
"""


@pytest.fixture(scope="module")
def imported():
    """Modules of ours that every script imports, each in a process of its own."""
    paths = [str(REPOSITORY / "workflow" / "scripts" / f"{s}.py") for s in SCRIPTS]
    command = [sys.executable, "-c", IMPORTS, *paths]
    source = REPOSITORY / "src"
    done = subprocess.run(command, cwd=source, capture_output=True, text=True)
    lines = map(json.loads, done.stdout.splitlines())
    found = {SCRIPTS[paths.index(path)]: names for path, names in lines}
    assert found.keys() == set(SCRIPTS), done.stderr
    return found


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_module_that_a_script_imports_counts_or_is_plumbing(imported, script):
    counted = reached(f"workflow/scripts/{script}.py")
    missed = set(imported[script]) - counted
    assert all(
        f"{name}.".startswith(tuple(f"{p}." for p in PLUMBING)) for name in missed
    )
    assert "hgnpipe.runtime.device" not in missed


def test_deep_nesting_does_not_grow_exponentially(root):
    nested = "x = " + "[" * 80 + "'\\'\"'" + "]" * 80
    write(root, {SCRIPT: nested})
    start = time.process_time()
    code_hash(SCRIPT, root=root)
    assert time.process_time() - start < 1


def test_importing_the_fingerprint_imports_the_standard_library_alone():
    program = (
        "import sys, hgnpipe.fingerprint;"
        "print({m.partition('.')[0] for m in sys.modules}"
        " - sys.stdlib_module_names - {'__main__', 'hgnpipe'})"
    )
    command = [sys.executable, "-S", "-c", program]
    source = REPOSITORY / "src"
    done = subprocess.run(command, cwd=source, capture_output=True, text=True)
    assert done.stdout == "set()\n", done.stderr
