"""How a model gets its options: family <- row <- the row's own block in a preset.

Each layer is laid over the one before, value by value. A value that is a mapping from
systems to values is that of the system, or of ``default``; a layer that has neither
leaves the option to the layers below, and in the end to the family.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from hgnpipe.config.schema import Options, Overlay, Row

DEFAULT = "default"


def for_system(options: Mapping[str, Any], system: str | None) -> dict[str, Any]:
    """Options for one system; without one, mappings stay as they are."""
    resolved = {}
    for name, value in options.items():
        if system is not None and isinstance(value, Mapping):
            if system not in value and DEFAULT not in value:
                continue
            value = value.get(system, value.get(DEFAULT))
        resolved[name] = value
    return resolved


class Layer(NamedTuple):
    """Options that were written in one place.

    Attributes:
        path: Keys that lead there.
        options: What is written there.
        own: Whether it is for one row alone.
    """

    path: tuple[str, ...]
    options: Options
    own: bool


def layers_of(
    name: str, row: Row, overlay: Overlay, path: tuple[str, ...], row_path: str = ""
) -> list[Layer]:
    """Where options of a row in a preset may be written, the lowest layer first.

    Args:
        name: Name of the row.
        row: The row; its own options count where there is a ``row_path``.
        overlay: Options of a preset.
        path: Keys that lead to them.
        row_path: Key of the block of rows: ``models`` or ``flows``.
    """
    layers = [Layer((*path, row.family), overlay.get(row.family, {}), own=False)]
    if row_path:
        layers.append(Layer((row_path, name, "options"), row.options, own=True))
    if name != row.family:
        layers.append(Layer((*path, name), overlay.get(name, {}), own=True))
    return layers


def merged(layers: Sequence[Layer], system: str | None = None) -> dict[str, Any]:
    """Options of all layers, for one system."""
    options: dict[str, Any] = {}
    for layer in layers:
        options |= for_system(layer.options, system)
    return options
