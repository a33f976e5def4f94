"""Types from what Snakemake has read; a mistake is one line that names its place."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from hgnpipe.collection import legal_values, lookup, number_hint
from hgnpipe.config.schema import NAME, Config

KINDS = {
    "int": int,
    "float": float,
    "bool": bool,
    "string": str,
    "list": list,
    "dict": dict,
    "model": dict,
}
"""Types whose names the kinds of pydantic's errors begin with."""


class Mistake(ValueError):
    """What is wrong, and where: the keys that lead there."""

    def __init__(self, where: Sequence[object], message: str) -> None:
        super().__init__(message)
        self.where = where


def read_config(config: Mapping[str, Any]) -> Config:
    """Configuration with types; flags of the command line arrive as text.

    Raises:
        Mistake: If a key or a type is wrong.
    """
    flags = {"true": True, "false": False}
    given = [k for k in ("only_finished", "reproducible", "graphs") if k in config]
    words = {k: flags.get(str(config[k]).lower(), config[k]) for k in given}
    if isinstance(threads := config.get("threads"), str) and threads.isdecimal():
        words["threads"] = int(threads)
    try:
        return Config.model_validate({**config, **words})
    except ValidationError as error:
        raise _explained(error.errors(include_url=False)[0]) from None


@contextmanager
def at(*where: str) -> Iterator[None]:
    """Where in the configuration a `ValueError` of this block comes from."""
    try:
        yield
    except Mistake:
        raise
    except ValueError as error:
        raise Mistake(where, str(error)) from None


def lookup_all(kind: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Check that all names are known, see `hgnpipe.collection.lookup`."""
    for name in names:
        lookup(kind, name, dict.fromkeys(known))


def find_block(kind: str, name: str, preset: str, blocks: Mapping[str, Any]) -> Any:
    """Block of a preset by its name.

    Raises:
        ValueError: If there is none; the message lists those that exist.
    """
    if name not in blocks:
        raise ValueError(
            f"Unknown {kind} {name!r} of preset {preset!r}. Known: {', '.join(blocks)}."
        )
    return blocks[name]


def _explained(error: Mapping[str, Any]) -> Mistake:
    """One line of what pydantic found."""
    where, kind, value = list(error["loc"]), error["type"], error["input"]
    if where and where[-1] == "[key]":
        name = where[-2]
        legal = "letters, digits and underscores, a letter first"
        return Mistake(where[:-2], f"name is {name!r}; it must be {legal}.")
    if kind == "missing":
        return Mistake(where[:-1], f"{where[-1]!r} is missing.")
    message = error["msg"].removeprefix("Value error, ").replace("\n", " ")
    if kind == "value_error":
        return Mistake(where, message)
    if kind == "string_pattern_mismatch":
        legal = "a name" if error["ctx"]["pattern"] == NAME else "one line of text"
        if legal != "a name":
            legal += " without | $ ` \\, not empty, not beginning with a blank or _"
        return Mistake(where, f"{where[-1]} is {value!r}; it must be {legal}.")
    legal = re.sub(r"^\w+ should (be|have)", r"it must \1", message)
    legal = legal.replace(" after validation", "")
    if (word := kind.partition("_")[0]) in KINDS:
        legal = f"it must be {legal_values(KINDS[word])}"
    shown = repr(value) if len(repr(value)) < 80 else type(value).__name__
    name = next((str(key) for key in reversed(where) if isinstance(key, str)), "it")
    hint = number_hint(value)
    return Mistake(where, f"{name} is {shown}; {legal}{hint}.")


def file_of(where: Sequence[object], files: Sequence[str | Path]) -> str | Path:
    """The last of the files that goes furthest along the keys."""
    depths = []
    for file in files:
        try:
            block = yaml.safe_load(Path(file).read_text("utf-8"))
        except (OSError, yaml.YAMLError):
            block = None
        depth = 0
        for key in where:
            if not isinstance(block, Mapping) or key not in block:
                break
            block, depth = block[key], depth + 1
        depths.append(depth)
    furthest = max(depths, default=0)
    return [f for f, depth in zip(files, depths, strict=True) if depth == furthest][-1]
