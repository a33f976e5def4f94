"""Look things up by the name a user wrote, and fail with the names that exist.

The signature of what is built is the schema of its options: they arrive as keywords,
and one that the constructor does not know is an error that names it.
"""

import inspect
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

T = TypeVar("T")


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
) -> None:
    """Check names and types of options against the signature of ``constructor``.

    Raises:
        ValueError: If an option is unknown, missing, or of a type that its annotation
            does not allow.
    """
    parameters = inspect.signature(constructor).parameters
    target = constructor.__init__ if inspect.isclass(constructor) else constructor
    hints = typing.get_type_hints(target)
    for option, value in options.items():
        if option not in parameters:
            raise ValueError(
                f"Unknown option {option!r} of {owner}. Known: {', '.join(parameters)}."
            )
        hint = hints.get(option, Any)
        legal = hint.__name__ if isinstance(hint, type) else str(hint)
        legal += number_hint(value)
        require(_fits(value, hint), f"Option {option!r} of {owner}", value, legal)
    for name, parameter in parameters.items():
        if parameter.default is inspect.Parameter.empty and name not in options:
            raise ValueError(f"Missing option {name!r} of {owner}.")


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
    if number is None:
        return ""
    legal = f"{number:.0f}" if number.is_integer() else f"{number:.1e}"
    return f" (YAML reads this as text; write it like {legal})"


def _fits(value: object, hint: Any) -> bool:
    """Whether a value from YAML or JSON may stand where ``hint`` is annotated."""
    if hint is Any:
        return True
    arguments = typing.get_args(hint)
    if isinstance(hint, types.UnionType):
        return any(_fits(value, argument) for argument in arguments)
    if typing.get_origin(hint) is tuple:
        return (
            isinstance(value, (list, tuple))
            and len(value) == len(arguments)
            and all(map(_fits, value, arguments))
        )
    if typing.get_origin(hint) is list:
        return isinstance(value, list) and all(_fits(v, arguments[0]) for v in value)
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint)
