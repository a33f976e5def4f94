"""Is a file YAML, and nothing but data? Asked before anything is made of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
TAGS = {*yaml.SafeLoader.yaml_constructors, "tag:yaml.org,2002:merge"}
TEMPLATE = "__use_yte__"
"""With this key Snakemake would take the file as a template, and run what it holds."""


def check_yaml(path: Path) -> None:
    """Check that a file holds YAML with keys and values; a missing one is no mistake.

    Raises:
        ValueError: If not, or if it names Python objects, or a key twice, or is a
            template; one line, with the number of the line in the file.
    """
    if not path.exists():
        return
    try:
        text = path.read_text("utf-8")
        root = yaml.compose(text, Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line
        tab = "\t" in "".join(text.splitlines()[line : line + 1])
        hint = " (indent with blanks, not with tabs)" if tab else ""
        raise ValueError(
            f"{path}: line {line + 1} is not YAML: {error.problem}{hint}."
        ) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        why = " ".join(str(error).split())
        raise ValueError(f"{path} cannot be read as YAML: {why}.") from None
    if not isinstance(root, yaml.MappingNode):
        found = "empty" if root is None else "no mapping"
        raise ValueError(f"{path} is {found}; it must hold keys and their values.")
    for node in _nodes(root, set()):
        _check_node(path, node)


def _nodes(node: yaml.Node, seen: set[int]) -> Iterator[yaml.Node]:
    """A node and all below it, each once."""
    if id(node) in seen:
        return
    seen.add(id(node))
    yield node
    if isinstance(node, yaml.CollectionNode):
        for part in node.value:
            for child in part if isinstance(part, tuple) else (part,):
                yield from _nodes(child, seen)


def _check_node(path: Path, node: Any) -> None:
    if node.tag not in TAGS:
        raise ValueError(
            f"{path}: line {node.start_mark.line + 1} has the tag {node.tag!r}; "
            f"it must hold plain data: text, numbers, lists, keys."
        )
    if not isinstance(node, yaml.MappingNode):
        return
    keys: set[str] = set()
    for key, _ in node.value:
        where, name = f"{path}: line {key.start_mark.line + 1}", str(key.value)
        if name == TEMPLATE:
            raise ValueError(f"{where} has the key {name}; templates are not allowed.")
        if name in keys and name != "<<":
            raise ValueError(f"{where} has the key {name!r} for the second time.")
        keys.add(name)


def value_in(path: Path, key: str) -> Any:
    """What a file says at a key of the top level; None if either is missing."""
    if not path.exists():
        return None
    return yaml.load(path.read_text("utf-8"), Loader).get(key)
