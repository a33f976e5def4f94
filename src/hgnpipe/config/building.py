"""Everything that the configuration names is built, small or without its weights.

That is how options are checked: by the constructors that they are for.
"""

from collections.abc import Mapping
from typing import Any

from hgnpipe.collection import lookup, require
from hgnpipe.config.overlay import DEFAULT, options_of, own_layers, training_of
from hgnpipe.config.reading import at, lookup_all
from hgnpipe.config.schema import Config, Flows, Overlay, Row


def check_kinds(config: Config) -> None:
    """Build every system and density, and find every family, of presets or not.

    Raises:
        Mistake: If one cannot be built or found.
    """
    from hgnpipe.data.points import check_density
    from hgnpipe.flows import FLOWS
    from hgnpipe.models import MODELS
    from hgnpipe.systems import SYSTEMS, build_system

    for name, block in config.systems.items():
        with at("systems", name, "kind"):
            SYSTEMS.find(block.kind)
        with at("systems", name):
            build_system(block.kind, **block.options)
    for name, block in config.densities.items():
        with at("densities", name):
            check_density(block.kind, block.options)
    for kind, collection in {"models": MODELS, "flows": FLOWS}.items():
        for name, row in getattr(config, kind).items():
            with at(kind, name, "family"):
                collection.find(row.family)
            with at(kind, name):
                other = name in collection.names() and name != row.family
                require(not other, "name", name, f"no other family's than {row.family}")


def check_preset(config: Config, name: str) -> dict[str, Any]:
    """Build every model, without its weights, and every flow of a preset.

    Returns:
        Family, options and training of every model for every system, and of every
        flow, without options that have no effect.

    Raises:
        Mistake: If something cannot be built; the message says where and why.
    """
    from hgnpipe.flows import FLOWS
    from hgnpipe.models import MODELS

    preset, where = config.presets[name], ("presets", name)
    models = {m: config.models[m] for m in preset.models or config.models}
    for key in ("options", "training"):
        _check_overlay(
            (*where, key), getattr(preset, key), config.models, MODELS, config.systems
        )
    blocks: dict[str, Any] = {"models": {}, "flows": {}}
    for model, row in models.items():
        blocks["models"][model] = {
            system: _check_model(config, where, model, row, system)
            for system in preset.systems
        }
    if preset.flows is not None:
        where = (*where, "flows")
        for key in ("options", "training"):
            overlay = getattr(preset.flows, key)
            _check_overlay((*where, key), overlay, config.flows, FLOWS, ())
        for flow in dict.fromkeys(f for fs in preset.flows.learn.values() for f in fs):
            row = config.flows[flow]
            blocks["flows"][flow] = _check_flow(preset.flows, where, flow, row)
    return blocks


def _check_overlay(where, overlay: Overlay, rows, collection, systems) -> None:
    """Check the names of families and rows, and those of systems in their values."""
    for name, options in overlay.items():
        with at(*where):
            known = [*collection.names(), *rows]
            lookup(f"{collection.kind} or row", name, dict.fromkeys(known))
        for option, value in options.items():
            if isinstance(value, Mapping) and systems:
                with at(*where, name, option):
                    lookup_all("system", value, [*systems, DEFAULT])


def _check_model(
    config: Config, where: tuple[str, ...], name: str, row: Row, system: str
) -> dict[str, Any]:
    """Family, options and training of one model for one system."""
    import torch

    from hgnpipe.models import MODELS, build_model, complete_options
    from hgnpipe.systems import build_system
    from hgnpipe.training.batches import check_length

    preset = config.presets[where[1]]
    data, block = preset.data, config.systems[system]
    with at("systems", system):
        coordinates = build_system(block.kind, **block.options).num_coordinates
    options = options_of(name, row, preset.options, system)
    with at(*where, "options", name, hint=f" ({system})"), torch.device("meta"):
        completed = complete_options(
            row.family,
            options,
            num_frames=data.num_frames,
            image_size=data.image_size,
            latent_size=2 * coordinates,
        )
        built = build_model(row.family, **completed)
        check_length(built, data.num_frames, data.image_size)
        options = _effective(name, row, preset.options, options, completed, MODELS)
    training = training_of(name, row, preset.training, system)
    with at(*where, "training", name, hint=f" ({system})"):
        _check_training(training)
    return {"family": row.family, "options": options, "training": training}


def _check_flow(
    flows: Flows, where: tuple[str, ...], name: str, row: Row
) -> dict[str, Any]:
    """Family, options and training of one flow; small: it is built with its weights."""
    from hgnpipe.flows import FLOWS, build_flow

    options = options_of(name, row, flows.options)
    with at(*where, "options", name):
        require("num_dims" not in options, "num_dims", "given", "left to the points")
        completed = {"num_dims": 2, **options}
        build_flow(row.family, **completed)
        options = _effective(name, row, flows.options, options, completed, FLOWS)
    training = training_of(name, row, flows.training)
    with at(*where, "training", name):
        _check_training(training)
    return {"family": row.family, "options": options, "training": training}


def _check_training(options: Mapping[str, Any]) -> None:
    from hgnpipe.training.loop import read_training

    read_training(options)


def _effective(name, row, overlay, options, completed, collection) -> dict[str, Any]:
    """Options without those that have no effect; a row's own must have one.

    Those of a family are for all of its rows, of which some may have no use for one.
    """
    unused = collection.unused(row.family, completed)
    for layer in own_layers(name, row, overlay):
        idle = sorted(unused & layer.keys())
        if idle:
            raise ValueError(
                f"{', '.join(idle)} of {name} has no effect beside its other options: "
                f"leave it out."
            )
    return {k: v for k, v in options.items() if k not in unused}
