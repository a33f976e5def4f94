"""Everything that the configuration names is built, small or without its weights.

That is how options are checked: by the constructors that they are for.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from hgnpipe.collection import lookup, require
from hgnpipe.config.overlay import DEFAULT, Layer, layers_of, merged
from hgnpipe.config.reading import Mistake, at, lookup_all
from hgnpipe.config.schema import Config, Flows, HNNCheck, Overlay, Preset, Row
from hgnpipe.config.sense import check_batch_size, is_drawn, weights_counted


def check_preset(config: Config, name: str) -> dict[str, Any]:
    """Build every model, without its weights, and every flow of a preset.

    Returns:
        Family, options and training of every model for every system, and of every
        flow, without options that have no effect.

    Raises:
        Mistake: If something cannot be built; the message says where and why.
    """
    preset, where = config.presets[name], ("presets", name)
    blocks: dict[str, Any] = {"models": _check_models(config, preset, where)}
    if preset.hnn_check is not None:
        frames = preset.data.num_frames
        _check_hnn_check(config, preset.hnn_check, frames, (*where, "hnn_check"))
    flows = preset.flows
    return blocks | {
        "flows": _check_flows(config, flows, (*where, "flows")) if flows else {}
    }


def _check_models(
    config: Config, preset: Preset, where: tuple[str, ...]
) -> dict[str, Any]:
    """What every model gets for every system."""
    from hgnpipe.models import MODELS

    rows = {m: config.models[m] for m in preset.models or config.models}
    paths = {key: (*where, key) for key in ("options", "training")}
    for key, path in paths.items():
        overlay = getattr(preset, key)
        _check_overlay(path, overlay, config.models, MODELS, config.systems)
    blocks: dict[str, Any] = {}
    for model, row in rows.items():
        options = layers_of(model, row, preset.options, paths["options"], "models")
        training = layers_of(model, row, preset.training, paths["training"])
        blocks[model] = {}
        for system in preset.systems:
            found, num = _check_model(config, preset, row, options, system)
            blocks[model][system] = {
                "family": row.family,
                "options": found,
                "training": _check_training(training, num, system),
            }
    return blocks


def _check_flows(
    config: Config, flows: Flows, where: tuple[str, ...]
) -> dict[str, Any]:
    """What every flow gets."""
    from hgnpipe.flows import FLOWS

    paths = {key: (*where, key) for key in ("options", "training")}
    for key, path in paths.items():
        _check_overlay(path, getattr(flows, key), config.flows, FLOWS, ())
    blocks = {}
    for flow in dict.fromkeys(f for fs in flows.learn.values() for f in fs):
        row = config.flows[flow]
        options = layers_of(flow, row, flows.options, paths["options"], "flows")
        training = layers_of(flow, row, flows.training, paths["training"])
        learned = [d for d, names in flows.learn.items() if flow in names]
        known = any(is_drawn(config, density) for density in learned)
        num = flows.data.num_train if known else None
        blocks[flow] = {
            "family": row.family,
            "options": _check_flow(row, options),
            "training": _check_training(training, num),
        }
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
    config: Config, preset: Preset, row: Row, layers: list[Layer], system: str
) -> tuple[dict[str, Any], int]:
    """Options of one model for one system: it is built without its weights.

    Returns:
        The options, and how many samples there are to train on: windows of videos.
    """
    import torch

    from hgnpipe.models import MODELS, build_model, complete_options
    from hgnpipe.systems import build_system
    from hgnpipe.training.batches import check_length

    data, kind = preset.data, config.systems[system]
    coordinates = build_system(kind.kind, **kind.options).num_coordinates
    options = merged(layers, system)
    counted = weights_counted(options)
    with _at_layer(layers, system), torch.device("meta"), counted:
        completed = complete_options(
            row.family,
            options,
            num_frames=data.num_frames,
            image_size=data.image_size,
            latent_size=2 * (coordinates or 1),  # of observed ones it is read
        )
        MODELS.check(row.family, completed)
        built = build_model(row.family, **completed)
        longest = data.num_frames + 2 * data.num_around
        check_length(built, longest, data.image_size, built.window)
        check_length(built, data.num_frames, data.image_size, built.num_frames)
        length = longest if built.window > data.num_frames else data.num_frames
        num = data.num_train * (length - built.window + 1)
        return _effective(layers, options, MODELS.unused(row.family, completed)), num


def _check_flow(row: Row, layers: list[Layer]) -> dict[str, Any]:
    """Options of one flow; small: it is built with its weights."""
    from hgnpipe.flows import FLOWS, build_flow

    options = merged(layers)
    with _at_layer(layers), weights_counted(options):
        require("num_dims" not in options, "num_dims", "given", "left to the points")
        completed = {"num_dims": 2, **options}
        FLOWS.check(row.family, completed)
        build_flow(row.family, **completed)
        return _effective(layers, options, FLOWS.unused(row.family, completed))


def _check_hnn_check(
    config: Config, check: HNNCheck, num_frames: int, where: tuple[str, ...]
) -> None:
    """Check trainings, and build PixelHNN without its weights."""
    import torch

    from hgnpipe.evaluation.pixel_check import build_pixelhnn
    from hgnpipe.systems import build_system
    from hgnpipe.training.options import read_training

    kind = config.systems[check.pixels.system]
    coordinates = build_system(kind.kind, **kind.options).num_coordinates
    counted = weights_counted(check.pixels.options)
    with at(*where, "pixels", "options"), torch.device("meta"), counted:
        built = build_pixelhnn(check.pixels.model_dump(), 2 * coordinates)
    windows = {"states": num_frames, "pixels": num_frames - built.window + 1}
    for part, num in windows.items():
        block = getattr(check, part)
        with at(*where, part, "training"):
            training = read_training(block.training)
        with at(*where, part, "training", "batch_size"):
            check_batch_size(training.batch_size, block.num_train * num)


def _check_training(
    layers: list[Layer], num: int | None, system: str | None = None
) -> dict[str, Any]:
    """Options of a training on so many samples; None where that is not known."""
    from hgnpipe.training.options import read_training

    options = merged(layers, system)
    with _at_layer(layers, system):
        check_batch_size(read_training(options).batch_size, num)
    return options


def _effective(
    layers: list[Layer], options: dict[str, Any], unused: set[str]
) -> dict[str, Any]:
    """Options without those that have no effect; a row's own must have one.

    Those of a family are for all of its rows, of which some may have no use for one.
    """
    for layer in layers:
        if layer.own and (idle := sorted(unused & layer.options.keys())):
            raise ValueError(
                f"{', '.join(idle)} has no effect beside the other options: leave it "
                f"out."
            )
    return {k: v for k, v in options.items() if k not in unused}


@contextmanager
def _at_layer(layers: list[Layer], system: str | None = None) -> Iterator[None]:
    """Where a mistake was written: the uppermost layer with an option that it names."""
    try:
        yield
    except ValueError as error:
        words = set(re.findall(r"\w+", str(error).partition("Known: ")[0]))
        guilty = [layer for layer in layers if words & layer.options.keys()]
        *path, last = (guilty or layers[:1])[-1].path
        hint = f" ({system})" if system else ""
        raise Mistake((*path, last + hint), str(error)) from None
