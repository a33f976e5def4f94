import shutil
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent

import pytest

from hgnpipe.fingerprint import code_hash

REPOSITORY = Path(__file__).parents[1]

SCRIPT = "workflow/scripts/models/train.py"

FILES = {
    SCRIPT: """
        from typing import TYPE_CHECKING

        import numpy as np
        import palette
        from hgnpipe.models import build
        if TYPE_CHECKING:
            from hgnpipe.types import Array

        def main(num: int = 3) -> None:
            from hgnpipe import late
            print(f"{build(num)=:>{num}} {num:}" "!", "\\U0001fae8", b"\\xff", 1e-3)
    """,
    "workflow/scripts/palette.py": "BLUE = 'blue'",
    "workflow/scripts/other.py": "import hgnpipe.unrelated",
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
            while dt:
                q = q + dt * p
            else:
                q = not q
            return [q, p][::-1]
    """,
    "src/hgnpipe/nets.py": "import math\nLEAK = -0.2",
    "src/hgnpipe/late.py": "NOW = None",
    "src/hgnpipe/geco.py": "class Geco: ...",
    "src/hgnpipe/types.py": "Array = list",
    "src/hgnpipe/unrelated.py": "x = 1",
}
FILES = {path: dedent(text).strip() for path, text in FILES.items()}

USED = [
    "workflow/scripts/palette.py",
    "src/hgnpipe/__init__.py",
    "src/hgnpipe/models/__init__.py",
    "src/hgnpipe/models/base.py",
    "src/hgnpipe/integrators.py",
    "src/hgnpipe/nets.py",
    "src/hgnpipe/late.py",
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


@pytest.mark.parametrize("path", ["src/hgnpipe/models/hgn.py", "src/hgnpipe/geco.py"])
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


@pytest.mark.parametrize(
    "script", sorted((REPOSITORY / "workflow" / "scripts").rglob("*.py")), ids=str
)
def test_every_script_of_the_workflow_has_a_fingerprint(script):
    relative = script.relative_to(REPOSITORY)
    assert code_hash(relative) == code_hash(script) != ""


OF_FLOWS = {"points": [], "train_flow": ["nhf", "realnvp"], "evaluate_flow": ["nhf"]}
OF_VIDEOS = ["systems", "simulation", "rendering", "models/hgn", "models/pixelhnn"]


@pytest.mark.parametrize("module", OF_VIDEOS)
@pytest.mark.parametrize("script", OF_FLOWS)
def test_code_of_the_videos_does_not_count_for_the_flows(tmp_path, script, module):
    for folder in ("src", "workflow"):
        shutil.copytree(REPOSITORY / folder, tmp_path / folder)
    path = f"workflow/scripts/{script}.py"
    families = [f"hgnpipe.flows.{family}" for family in OF_FLOWS[script]]
    before = code_hash(path, *families, root=tmp_path)
    with open(tmp_path / "src" / "hgnpipe" / f"{module}.py", "a") as file:
        file.write("\nnew = 1\n")
    assert code_hash(path, *families, root=tmp_path) == before


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
