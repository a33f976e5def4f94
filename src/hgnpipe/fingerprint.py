"""Fingerprint of the code behind a result: what a rule reruns on, beside its inputs.

A rule lists the fingerprint of its script among its params, and so reruns when code
that the script uses has changed, in the script or in the library. The code is read,
never run: what counts are the modules that import statements name; one that is imported
by a name in a string must be named by the rule. Plumbing does not count: how files are
written, and how a job shows its progress.

Syntax trees are compared, not text. Comments, docstrings and formatting do not count,
nor does what refuses a mistake: what is raised, and `require`. Nor do the place of the
repository, the time of the files and the version of Python.
"""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]

UNSEEN_FIELDS = {"ctx", "kind", "type_comment", "type_ignores"}
"""Fields of syntax tree nodes that do not change what the code does."""

PLUMBING = ("hgnpipe.files", "hgnpipe.runtime")
"""Packages whose code changes no number that it is not supposed to."""

SETS_NUMBERS = {"hgnpipe.runtime.device"}
"""Modules in them that count all the same: this one sets the precision."""

Import = tuple[int, str, tuple[str, ...]]
"""An import statement: dots before the name, the name, what is taken from it."""


def code_hash(script: str | Path, *also: str, root: str | Path = REPOSITORY) -> str:
    """Fingerprint of a script and of every module that it imports, and they in turn.

    Modules are looked for where Python does when it runs the script: beside the script
    and in ``root/src``. Those found elsewhere are not ours and do not count.

    Args:
        script: Path of the script, relative to ``root``.
        also: Full names of modules that are imported by a name in a string, for
            example ``"hgnpipe.models.hgn"``.
        root: Folder of the repository.

    Returns:
        Sixteen hexadecimal digits.

    Raises:
        ValueError: If the script, or a module of ours that it or ``also`` names, does
            not exist or is not valid Python.
    """
    digests = _digests(script, also, root)
    return hashlib.sha256(str(sorted(digests.items())).encode()).hexdigest()[:16]


class Source(str):
    """Fingerprint of a file of the repository, and beside it the place of that file.

    As a param of a rule it is the fingerprint alone that counts: nothing reruns because
    the repository has moved, or is used from another folder.

    Attributes:
        path: The file; as short as it can be typed where the repository is worked in.
    """

    path: str

    def __new__(cls, digest: str, name: str) -> "Source":
        """Of a file by its path in the repository."""
        source = super().__new__(cls, digest)
        here = Path.cwd() == REPOSITORY
        source.path = name if here else str(REPOSITORY / name)
        return source


def text_hash(*patterns: str) -> str:
    """Fingerprint of all texts of the repository with such paths, like `code_hash`."""
    paths = [path for pattern in patterns for path in REPOSITORY.glob(pattern)]
    texts = sorted((path.name, path.read_bytes()) for path in paths)
    return hashlib.sha256(repr(texts).encode()).hexdigest()[:16]


def reached(script: str | Path, *also: str, root: str | Path = REPOSITORY) -> set[str]:
    """Names of the modules that count for `code_hash`, the script as ``__main__``."""
    return set(_digests(script, also, root))


def _digests(
    script: str | Path, also: tuple[str, ...], root: str | Path
) -> dict[str, str]:
    """What each module that counts does, as a digest, by its name."""
    path = Path(root, script)
    if not path.is_file():
        raise ValueError(f"There is no script {str(script)!r} in {root}.")
    places = (path.parent, Path(root, "src"))
    files = {"__main__": path}
    for name in also:
        files |= dict(_with_parents(name, places, f"The rule of {script}"))
    digests: dict[str, str] = {}
    while waiting := files.keys() - digests.keys():
        for name in waiting:
            digests[name], imports = _read(files[name])
            found = _imported(name, files[name], imports, places)
            files |= {name: file for name, file in found if _counts(name)}
    return digests


def _counts(module: str) -> bool:
    plumbing = any(f"{module}.".startswith(f"{package}.") for package in PLUMBING)
    return module in SETS_NUMBERS or not plumbing


def _imported(
    importer: str, path: Path, imports: tuple[Import, ...], places: tuple[Path, ...]
) -> Iterator[tuple[str, Path]]:
    """Names and files of the modules of ours that the import statements load."""
    package = importer.split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    for level, module, names in imports:
        parts = package[: len(package) + 1 - level] if level else []
        parts += filter(None, module.split("."))
        if not parts or _find(parts[0], places) is None:
            continue
        yield from _with_parents(".".join(parts), places, str(path))
        for name in names:  # a module, or something that is defined in one
            name = ".".join([*parts, name])
            if file := _find(name, places):
                yield name, file


def _with_parents(
    name: str, places: tuple[Path, ...], user: str
) -> Iterator[tuple[str, Path]]:
    """Names and files of a module and of the packages around it: Python loads all."""
    for module in accumulate(name.split("."), "{}.{}".format):
        if not (file := _find(module, places)):
            raise ValueError(f"{user} names {module!r}, but there is no such module.")
        yield module, file


def _find(name: str, places: tuple[Path, ...]) -> Path | None:
    stems = [place.joinpath(*name.split(".")) for place in places]
    pairs = [(s / "__init__.py", s.with_name(f"{s.name}.py")) for s in stems]
    return next((file for pair in pairs for file in pair if file.is_file()), None)


def _read(path: Path) -> tuple[str, tuple[Import, ...]]:
    """Digest of what a file does, and its import statements."""
    try:
        return _digest(path.read_bytes())
    except SyntaxError as error:
        message = f"{path}, line {error.lineno}, is not valid Python: {error.msg}."
        raise ValueError(message) from error


@cache  # by content, so that an edited file is read anew
def _digest(source: bytes) -> tuple[str, tuple[Import, ...]]:
    words: list[str] = []
    imports: list[Import] = []
    _spell(ast.parse(source), words, imports)
    return hashlib.sha256("\n".join(words).encode()).hexdigest(), tuple(imports)


def _spell(node: Any, words: list[str], imports: list[Import]) -> None:
    """Append the parts of a syntax tree to ``words``, its imports to ``imports``."""
    if not isinstance(node, ast.AST):
        words.append(ascii(node))  # repr depends on the Unicode tables of the version
        return
    if isinstance(node, ast.Import):
        imports += [(0, alias.name, ()) for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        names = tuple(alias.name for alias in node.names)
        imports.append((node.level, node.module or "", names))
    words.append(type(node).__name__ + "(")
    for field in node._fields:
        value = None if isinstance(node, ast.Raise) else getattr(node, field, None)
        parts = list(_effective(value, node)) if isinstance(value, list) else [value]
        # Fields that newer versions of Python add are unset or empty in older code.
        if field in UNSEEN_FIELDS or parts in ([], [None]):
            continue
        words.append(field)
        for part in parts:
            _spell(part, words, imports)
    words.append(")")


def _effective(nodes: list[Any], parent: ast.AST) -> Iterator[Any]:
    """Those of some sibling nodes that do something when the code runs."""
    for node in nodes:
        lone = node.value if isinstance(node, ast.Expr) else None
        if isinstance(node, ast.Pass) or isinstance(lone, ast.Constant):
            continue  # an Expr of a Constant is a docstring or "..."
        if getattr(getattr(lone, "func", None), "id", "") == "require":
            continue
        if isinstance(parent, ast.JoinedStr) and getattr(node, "value", None) == "":
            continue  # Python 3.12 puts empty strings into f-strings
        test = node.test if isinstance(node, ast.If) else None
        if "TYPE_CHECKING" in (getattr(test, "id", ""), getattr(test, "attr", "")):
            yield from _effective(node.orelse, parent)
        else:
            yield node
