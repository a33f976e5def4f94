"""Sweeps: a row of a preset becomes rows that differ in a value, or in several.

``learning_rate: {sweep: [1.0e-3, 2.0e-3]}`` of the row ``hgn_leapfrog`` makes the rows
``hgn_leapfrog.learning_rate=0.001`` and ``hgn_leapfrog.learning_rate=0.002`` in its
place. They are rows like any other: whoever reads the configuration sees no sweep.
"""

import itertools
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from hgnpipe.collection import number_hint, require
from hgnpipe.config.reading import at
from hgnpipe.config.schema import Config, Options, Preset

KEY = "sweep"
MOST = 100
"""Rows of one sweep."""
PARTS = ("options", "training")

Rows = dict[str, dict[str, dict[str, Any]]]
"""What tells the rows of a sweep apart, by the row that is swept and by their names:
value by option."""


class Swept(NamedTuple):
    """One value that is swept: where it belongs to, see `PARTS`, and its values."""

    part: str
    values: list[Any]


def sweeps(config: Config, preset: str) -> Rows:
    """Sweeps of a preset; of rows that it lists.

    Raises:
        Mistake: If a sweep is none, or not of a row.
    """
    _check_places(config, preset)
    listed = config.presets[preset].models or config.models
    found = {row: _swept(config, preset, row) for row in listed if row in config.models}
    return {
        row: {_name(row, values): values for values in _products(swept)}
        for row, swept in found.items()
        if swept
    }


def expanded(config: Config) -> Config:
    """The configuration with the rows that sweeps stand for; without any as it is.

    Raises:
        Mistake: If a sweep is none, or not of a row.
    """
    made = {preset: sweeps(config, preset) for preset in config.presets}
    if not any(made.values()):
        return config
    models = dict(config.models)
    for preset, found in made.items():
        for name, rows in found.items():
            row, swept = config.models[name], _swept(config, preset, name)
            for new, values in rows.items():
                own = {o: v for o, v in values.items() if swept[o].part == "options"}
                label = f"{row.label}, {new.removeprefix(f'{name}.')}"
                options = {**_without(row.options), **own}
                changes = {"label": label, "options": options}
                models[new] = row.model_copy(update=changes)
    presets = {
        preset: _with_rows(config, block, made[preset])
        for preset, block in config.presets.items()
    }
    return config.model_copy(update={"models": models, "presets": presets})


def base_of(name: object) -> object:
    """The row that is swept, of one of its rows; anything else stays as it is."""
    return re.sub(r"\.\w+=\S*", "", name) if isinstance(name, str) else name


def value_word(value: object) -> str:
    """A value as it stands in names of rows, and so of folders."""
    if isinstance(value, list):
        return "_".join(map(value_word, value))
    words = {True: "true", False: "false", None: "null"}
    return words[value] if value is None or isinstance(value, bool) else str(value)


def _with_rows(config: Config, block: Preset, made: Rows) -> Preset:
    """A preset with the rows of its sweeps instead of those that are swept."""
    listed = block.models or [*config.models]
    changes: dict[str, Any] = {
        "models": [new for row in listed for new in made.get(row, [row])]
    }
    for part in PARTS:
        overlay = dict(getattr(block, part))
        for row, rows in made.items():
            if row == config.models[row].family:
                continue
            own = overlay.pop(row, {})
            for new, values in rows.items():
                chosen = {o: v for o, v in values.items() if _is(own.get(o))}
                overlay[new] = {**_without(own), **chosen}
        changes[part] = overlay
    return block.model_copy(update=changes)


def _swept(config: Config, preset: str, row: str) -> dict[str, Swept]:
    """What is swept of a row, by option; a preset's block is laid over the row's."""
    block, model = config.presets[preset], config.models[row]
    found: dict[str, Swept] = {}
    for part in PARTS:
        layers = {("models", row): model.options} if part == "options" else {}
        if row != model.family:
            layers["presets", preset, part] = getattr(block, part).get(row, {})
        top = {option: where for where, layer in layers.items() for option in layer}
        for option, where in top.items():
            if not _is(value := layers[where][option]):
                continue
            place = (*where, "options") if where[0] == "models" else (*where, row)
            with at(*place, option):
                legal = "an option or a training value, not both"
                require(option not in found, option, value, legal)
                found[option] = Swept(part, _checked(value))
    num = math.prod(len(swept.values) for swept in found.values())
    with at("presets", preset, "models"):
        legal = f"at most {MOST}: all swept values are combined"
        require(num <= MOST, f"number of rows that {row} is swept to", num, legal)
    return found


def _checked(sweep: Mapping[str, Any]) -> list[Any]:
    """Values of a sweep.

    Raises:
        ValueError: If it is none.
    """
    legal = f"{{{KEY}: [...]}} alone, for all systems; a preset that has values by "
    legal += "system cannot be laid over with it: write one of your own"
    require([*sweep] == [KEY], KEY, dict(sweep), legal)
    values = sweep[KEY]
    several = isinstance(values, list) and len(values) >= 2
    require(several, KEY, values, "a list of two values or more")
    for value in values:
        _check_value(value)
    same = [(type(value) is bool, value) for value in values]  # True == 1
    words = [value_word(value) for value in values]
    for one, word in zip(same, words, strict=True):
        once = same.count(one) == words.count(word) == 1
        require(once, KEY, values, f"different values: {word} is there twice")
    return values


def _check_value(value: object) -> None:
    """Check that a value can name a row."""
    for part in value if isinstance(value, list) and value else [value]:
        text = isinstance(part, str)
        legal = "a number, a word, true, false, null, or a list of those"
        fits = part is None or isinstance(part, (bool, int, float))
        fits |= text and re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", part) is not None
        require(fits, "value of a sweep", value, legal + number_hint(part))


def _check_places(config: Config, preset: str) -> None:
    """Check that sweeps of a preset are written where a row has values of its own."""
    families = {row.family for row in config.models.values()}
    block = config.presets[preset]
    rows = block.models or config.models
    for part in PARTS:
        for name, options in getattr(block, part).items():
            for option, value in options.items():
                with at("presets", preset, part, name, option):
                    own = name in rows and name not in families
                    legal = "that of one of its rows: write it below the row's name"
                    require(own or not _is(value), f"sweep of {name}", value, legal)
                    _check_whole(value)
    for name, row in config.models.items():
        for option, value in row.options.items():
            with at("models", name, "options", option):
                _check_whole(value)


def _check_whole(value: object) -> None:
    """Check that no sweep is hidden in what differs by system."""
    parts = value.values() if isinstance(value, Mapping) else ()
    legal = f"the whole value: {{{KEY}: [...]}}, for all systems"
    require(not any(map(_is, parts)), "sweep", value, legal)


def _products(swept: Mapping[str, Swept]) -> Iterator[dict[str, Any]]:
    """All combinations of swept values, by option."""
    for values in itertools.product(*(one.values for one in swept.values())):
        yield dict(zip(swept, values, strict=True))


def _name(row: str, values: Mapping[str, Any]) -> str:
    words = ",".join(f"{option}={value_word(v)}" for option, v in values.items())
    return f"{row}.{words}"


def _is(value: object) -> bool:
    return isinstance(value, Mapping) and KEY in value


def _without(options: Options) -> Options:
    return {option: value for option, value in options.items() if not _is(value)}
