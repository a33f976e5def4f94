"""How a model gets its options: family <- row <- the row's own block in a preset.

Each layer is laid over the one before, value by value. A value that is a mapping from
systems to values is that of the system, or of ``default``; a layer that has neither
leaves the option to the layers below, and in the end to the family.
"""

from collections.abc import Mapping
from typing import Any

from hgnpipe.config.schema import Overlay, Row

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


def options_of(
    name: str, row: Row, overlay: Overlay, system: str | None = None
) -> dict[str, Any]:
    """Options of a row in a preset, for one system."""
    layers = (overlay.get(row.family, {}), *own_layers(name, row, overlay))
    return {k: v for layer in layers for k, v in for_system(layer, system).items()}


def own_layers(name: str, row: Row, overlay: Overlay) -> tuple[dict[str, Any], ...]:
    """Options that were written for this row alone."""
    block = overlay.get(name, {}) if name != row.family else {}
    return row.options, block


def training_of(
    name: str, row: Row, overlay: Overlay, system: str | None = None
) -> dict[str, Any]:
    """Training of a row in a preset: its family's, and its own laid over it."""
    return options_of(name, row.model_copy(update={"options": {}}), overlay, system)
