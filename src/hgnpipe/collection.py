"""Look things up by the name a user wrote, and fail with the names that exist.

A folder is a registry: every file in it holds one class or function of the file's name,
and adding one is adding a file. The signature of what is built is the schema of its
options: one that it does not know, or of another type, is an error that names it.
"""

import importlib
import inspect
import json
import math
import pkgutil
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, TypeVar

from pydantic import ConfigDict, ValidationError, create_model

T = TypeVar("T")

WORDS = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
    list: "a list",
    tuple: "a list",
    type(None): "null",
}
"""What values of a type are called, as in YAML."""
STRICT = ConfigDict(
    extra="forbid", strict=True, allow_inf_nan=False, protected_namespaces=()
)


@dataclass(frozen=True)
class Collection:
    """Classes or functions of one kind, a file each in the folder of a package.

    Attributes:
        kind: What messages call one of them, for example ``system``.
        package: Full name of the package.
    """

    kind: str
    package: str

    def names(self) -> list[str]:
        """Names of the files, in order; none of them is imported.

        ``base`` and files that begin with an underscore are what the others share.
        """
        folder = importlib.import_module(self.package).__path__
        files = (module.name for module in pkgutil.iter_modules(folder))
        return sorted(n for n in files if n != "base" and not n.startswith("_"))

    def find(self, name: str) -> Callable[..., Any]:
        """What the file ``name`` is there for: its ``two_body`` or ``TwoBody``.

        Raises:
            ValueError: If there is no such file, the message lists those that are
                there; or if nothing in it is called like it.
        """
        lookup(self.kind, name, dict.fromkeys(self.names()))
        found = vars(importlib.import_module(f"{self.package}.{name}"))
        for key, value in found.items():
            if key[0] != "_" and _plain(key) == _plain(name) and callable(value):
                return value
        raise ValueError(
            f"{self.package}.{name} defines no class or function of its name."
        )

    def all(self) -> dict[str, Callable[..., Any]]:
        """What every file is there for, by its name."""
        return {name: self.find(name) for name in self.names()}

    def check(self, name: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """See `check_options`; nothing is built.

        Raises:
            ValueError: If the name or an option is unknown, an option is missing, or of
                a wrong type.
        """
        return check_options(f"{self.kind} {name!r}", self.find(name), options)

    def build(self, name: str, /, **options: Any) -> Any:
        """What the file ``name`` makes of these options.

        Raises:
            ValueError: If the name or an option is unknown, or a value out of range.
        """
        return self.find(name)(**self.check(name, options))

    def unused(self, name: str, options: Mapping[str, Any]) -> set[str]:
        """Those of the options that have no effect beside the others.

        A class that has such options says so by a static method ``unused_options``,
        from all its options, those left out at their defaults, to names.
        """
        found = self.find(name)
        parameters = inspect.signature(found).parameters.values()
        defaults = {parameter.name: parameter.default for parameter in parameters}
        say = getattr(found, "unused_options", lambda options: set())
        return say(defaults | dict(options)) & options.keys()


def lookup(kind: str, name: str, registry: Mapping[str, T]) -> T:
    """Entry of ``registry`` called ``name``.

    Raises:
        ValueError: If there is none; the message lists the known names.
    """
    if name not in registry:
        raise ValueError(
            f"Unknown {kind} {name!r}. Known: {', '.join(sorted(registry))}."
        )
    return registry[name]


def check_options(
    owner: str, constructor: Callable[..., Any], options: Mapping[str, Any]
) -> dict[str, Any]:
    """Check names and types of options against the signature of ``constructor``.

    Returns:
        The options, with lists, all that YAML and JSON have, as tuples where the
        signature says so.

    Raises:
        ValueError: If an option is unknown, missing, not finite, or of a type that its
            annotation does not allow.
    """
    parameters = inspect.signature(constructor).parameters
    target = constructor.__init__ if inspect.isclass(constructor) else constructor
    hints = {name: Any for name in parameters} | typing.get_type_hints(target)
    fields = {
        name: (hints[name], ... if parameter.default is parameter.empty else None)
        for name, parameter in parameters.items()
    }
    schema = create_model("Options", __config__=STRICT, **fields)
    # As JSON, because there a list may stand for a tuple. What JSON lacks fits nowhere.
    text = json.dumps(dict(options), default=lambda value: {})
    try:
        fitted = schema.model_validate_json(text)
    except ValidationError as error:
        wrong = {str(one["loc"][0]): one["type"] for one in error.errors()}
    else:
        return {
            name: getattr(fitted, name) if isinstance(value, list) else value
            for name, value in options.items()
        }
    for name in wrong:
        if name not in parameters:
            known = ", ".join(parameters)
            raise ValueError(f"Unknown option {name!r} of {owner}. Known: {known}.")
    for name in options:
        if name in wrong:
            legal = legal_values(hints[name]) + number_hint(options[name])
            legal = "finite" if wrong[name] == "finite_number" else legal
            require(False, f"Option {name!r} of {owner}", options[name], legal)
    raise ValueError(f"Missing option {next(iter(wrong))!r} of {owner}.")


def require(condition: bool, name: str, value: object, legal: str) -> None:
    """Check a value that a user wrote.

    Raises:
        ValueError: "``name`` is ``value``; it must be ``legal``."
    """
    if not condition:
        raise ValueError(f"{name} is {value!r}; it must be {legal}.")


def number_hint(value: object) -> str:
    """What to write instead, for a number that YAML has read as text."""
    try:
        number = float(value) if isinstance(value, str) else None
    except ValueError:
        number = None
    if number is None or not math.isfinite(number):
        return ""
    legal = f"{number:.0f}" if number.is_integer() else f"{number:.1e}"
    return f" (YAML reads this as text; write it like {legal})"


def legal_values(hint: Any) -> str:
    """What may stand where ``hint`` is annotated, in words."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        # A list of numbers that stands beside a tuple of two is the same, untyped.
        pairs = [part for part in parts if typing.get_origin(part) is tuple]
        lists = [part for part in parts if typing.get_origin(part) is list]
        kept = [part for part in parts if not (pairs and part in lists)]
        return " or ".join(map(legal_values, kept))
    if origin is typing.Literal:
        return " or ".join(map(repr, parts))
    if origin is tuple and parts and Ellipsis not in parts:
        return f"a list of {len(parts)} {_plural(parts[0])}"
    if origin in (list, tuple) and parts:
        return f"a list of {_plural(parts[0])}"
    kind = origin or hint
    if isinstance(kind, type) and issubclass(kind, (Mapping, PurePath)):
        return "keys and their values" if issubclass(kind, Mapping) else "a path"
    return WORDS.get(kind, getattr(kind, "__name__", str(kind)))


def _plural(hint: Any) -> str:
    words = legal_values(hint)
    return words if words.startswith("keys") else words.removeprefix("a ") + "s"


def _plain(name: str) -> str:
    """A name without what tells ``two_body`` from ``TwoBody``."""
    return name.replace("_", "").lower()
