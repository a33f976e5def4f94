"""Options in words: what signatures and docstrings say of them.

A signature says the names, the types and the defaults; the sections ``Args`` or
``Attributes`` of the docstring what they mean.
"""

import inspect
import json
import re
import textwrap
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from hgnpipe.collection import legal_values

SECTION = re.compile(r"^(?:Args|Attributes):\n((?:(?: .*)?\n)*)", re.MULTILINE)
ENTRY = re.compile(r"^    (\w+): (.*(?:\n        .*)*)", re.MULTILINE)
INDENTED: dict[str, Any] = {
    "width": 80,
    "initial_indent": " " * 6,
    "subsequent_indent": " " * 6,
    "break_on_hyphens": False,
}


class Option(NamedTuple):
    """One argument of a constructor or function.

    Attributes:
        name: Its name.
        legal: Legal values, in words.
        default: Its default as YAML writes it; empty where it must be given.
        meaning: What the docstring says of it.
    """

    name: str
    legal: str
    default: str
    meaning: str


def options_of(owner: Callable[..., Any]) -> list[Option]:
    """All arguments, in the order of the signature."""
    target = owner.__init__ if inspect.isclass(owner) else owner
    hints, meanings = typing.get_type_hints(target), meanings_of(owner)
    return [
        Option(
            name,
            legal_values(hints.get(name, Any)),
            "" if one.default is one.empty else json.dumps(one.default, default=str),
            meanings.get(name, ""),
        )
        for name, one in inspect.signature(owner).parameters.items()
    ]


def meanings_of(owner: Callable[..., Any]) -> dict[str, str]:
    """What docstrings say of arguments, by name; of a class also those of its bases."""
    places = reversed(owner.__mro__) if inspect.isclass(owner) else [owner]
    found = {}
    for place in places:
        for section in SECTION.findall(inspect.cleandoc(place.__doc__ or "") + "\n"):
            for name, text in ENTRY.findall(section):
                found[name] = " ".join(text.split())
    return found


def help_text(title: str, options: Iterable[Option], mark: str = "") -> str:
    """Options below each other, for a terminal."""
    lines = [title]
    for one in options:
        default = f"; default {one.default}" if one.default else ", required"
        text = f"{one.meaning} ({one.legal}{default})"
        lines.append(f"  {mark}{one.name}")
        lines += textwrap.wrap(text, **INDENTED)
    return "\n".join(lines)


def families_help(families: Mapping[str, Callable[..., Any]], training: Any) -> str:
    """Options of every family, and of trainings, for ``--help`` of a script."""
    parts = [
        help_text(f"options of family {name}:", options_of(family))
        for name, family in families.items()
    ]
    return "\n\n".join([*parts, help_text("training:", options_of(training))])


def explain_mistake(main: Callable[..., Any], message: str) -> str:
    """What is wrong with a command line, in words, from what jsonargparse says."""
    message = " ".join(message.split())
    found = re.fullmatch(
        r'Parser key "(\w+)[\w.]*": (.*) (?:Got|Given) value: (.*)', message
    )
    if found is None:
        return message
    name, what, value = found.groups()
    hint = typing.get_type_hints(main).get(name, Any)
    if keys := re.search(r"(Missing required|Unexpected) keys: \{(.*)\}", what):
        verb = "lacks" if keys[1].startswith("Missing") else "has the unknown key"
        known = ", ".join(typing.get_type_hints(hint))
        return f"--{name} {verb} {keys[2]}; its keys are {known}"
    inside = re.search(r"Expected a <class '(\w+)'>", what)
    if typing.is_typeddict(hint) and inside and inside[1] != "dict":
        kinds = {kind.__name__: kind for kind in (int, float, bool, str, list, tuple)}
        legal = legal_values(kinds.get(inside[1], Any))
        return f"--{name}: {value} stands where {legal} must stand"
    return f"--{name} is {value}; it must be {legal_values(hint)}"
