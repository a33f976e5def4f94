"""Everything that ``config.yaml`` says is checked before any work starts.

Structure is checked against the types of `hgnpipe.config.schema`, meaning by building
what is named. What every model gets in the end is remembered, so that not every call of
Snakemake need wait for torch.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hgnpipe.collection import lookup, require
from hgnpipe.config.building import check_preset
from hgnpipe.config.overlay import DEFAULT
from hgnpipe.config.reading import Mistake, at, file_of, lookup_all, read_config
from hgnpipe.config.schema import Config, Flows
from hgnpipe.config.sense import check_numbers, check_seen, is_drawn
from hgnpipe.config.settings import OTHERS, SCRIPTS, Settings
from hgnpipe.config.sweeps import KEY, base_of, expanded
from hgnpipe.files.whole import written_whole
from hgnpipe.fingerprint import REPOSITORY, code_hash
from hgnpipe.reporting.runs import REFERENCE_LABELS

FILE = "config.yaml"


def check_config(
    config: Mapping[str, Any],
    remember: Path,
    files: Sequence[str | Path] = (FILE,),
    code: str | None = None,
) -> Settings:
    """Check everything that the configuration says.

    Args:
        config: The configuration as Snakemake has read it.
        remember: Folder of the configurations that passed.
        files: Where it was read from; later ones were laid over earlier ones.
        code: Fingerprint of the code that would build the models.

    Returns:
        What the rules ask of it.

    Raises:
        ValueError: One line: the file, the key, what is wrong, and what is legal.
    """
    try:
        written = read_config(config)
        typed = expanded(written)
        key = repr((config, code or code_that_builds()))
        digest = hashlib.sha256(key.encode()).hexdigest()[:32]
        passed = remember / f"{digest}.json"
        if passed.exists():
            return Settings(
                typed, **json.loads(passed.read_text("utf-8")), written=written
            )
        check_names(typed)
        check_labels(typed)
        observed, varied = check_kinds(typed)
        check_simulated(typed, observed, varied)
        for name in typed.presets:
            check_numbers(typed, name)
        blocks = {name: check_preset(typed, name) for name in typed.presets}
    except Mistake as mistake:
        keys = [base_of(key) for key in mistake.where]
        where = ".".join(map(str, keys)) or "top level"
        file = file_of(keys, files)
        raise ValueError(f"{file}: {where}: {mistake}") from None
    with written_whole(passed) as path:
        path.write_text(json.dumps({"blocks": blocks, "observed": observed}), "utf-8")
    return Settings(typed, blocks, observed, written)


def check_names(config: Config) -> None:
    """Check that the preset exists, and that presets name what exists.

    Raises:
        Mistake: If not; the message lists what exists.
    """
    with at("preset"):
        lookup("preset", config.preset, config.presets)
    for name, preset in config.presets.items():
        with at("presets", name, "systems"):
            lookup_all("system", preset.systems, config.systems)
        with at("presets", name, "models"):
            lookup_all("model", preset.models or (), config.models)
        if preset.readings is not None:
            with at("presets", name, "readings"):
                rows = dict.fromkeys(preset.models or config.models)
                lookup("model of this preset", preset.readings, rows)
        if preset.flows is not None:
            _check_flow_names(config, preset.flows, ("presets", name, "flows"))
        if (check := preset.hnn_check) is not None:
            with at("presets", name, "hnn_check", "states", "systems"):
                lookup_all("system", check.states.systems, config.systems)
            with at("presets", name, "hnn_check", "pixels", "system"):
                lookup("system", check.pixels.system, config.systems)
        data, evaluation = preset.data, preset.evaluation
        have = min(data.num_train, data.num_test, evaluation.num_trajectories)
        example = evaluation.example
        with at("presets", name, "evaluation", "example"):
            require(example < have, "example", example, f"below {have}")


def check_kinds(config: Config) -> tuple[list[str], list[str]]:
    """Build every system and density, and find every family, of presets or not.

    Returns:
        Systems of which there are only videos, made elsewhere; and simulated ones whose
        constants are drawn.

    Raises:
        Mistake: If one cannot be built or found.
    """
    from hgnpipe.data.points import check_density
    from hgnpipe.flows import FLOWS
    from hgnpipe.models import MODELS
    from hgnpipe.systems import SYSTEMS, build_system
    from hgnpipe.systems._observed import Observed

    observed, varied = [], []
    for name, block in config.systems.items():
        with at("systems", name, "kind"):
            SYSTEMS.find(block.kind)
        with at("systems", name):
            system = build_system(block.kind, **block.options)
            if isinstance(system, Observed):
                observed.append(name)
            else:
                check_seen(system)
                varied += [name] * system.varies
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
    return observed, varied


def check_simulated(
    config: Config, observed: Sequence[str], varied: Sequence[str]
) -> None:
    """Check that the check of HNN, which needs true states, has them.

    Raises:
        Mistake: If one of its systems is of videos that were made elsewhere, or has
            constants that are drawn, which its networks are not told.
    """
    for name, preset in config.presets.items():
        if (check := preset.hnn_check) is None:
            continue
        for system in (*check.states.systems, check.pixels.system):
            with at("presets", name, "hnn_check"):
                good = system not in observed
                require(good, "system", system, "one that is simulated")
                same = system not in varied
                require(same, "system", system, "one whose constants are not drawn")


def _check_flow_names(config: Config, flows: Flows, where: tuple[str, ...]) -> None:
    for density, names in flows.learn.items():
        with at(*where, "learn"):
            lookup("density", density, {**config.densities, OTHERS: None})
        with at(*where, "learn", density):
            lookup_all("flow", names, config.flows)
    learned = [density for density in flows.learn if density != OTHERS]
    with at(*where, "learn"):
        require(len(learned) > 0, "learn", flows.learn, "densities and their flows")
    judged = flows.evaluation
    for key in ("shown", "reference"):
        if (flow := getattr(judged, key)) is not None:
            with at(*where, "evaluation", key):
                lookup("flow", flow, config.flows)
    if (density := judged.compared) is not None:
        with at(*where, "evaluation", "compared"):
            lookup("density of this preset", density, dict.fromkeys(learned))
            drawn = is_drawn(config, density)
            require(drawn, "compared", density, "a density that can be drawn, no table")


def check_labels(config: Config) -> None:
    """Check that no two rows of a table can be taken for each other.

    Raises:
        Mistake: If two can; the message names both.
    """
    seen: dict[str, str] = {}
    for name, label in REFERENCE_LABELS.items():
        seen |= {name: f"reference {name!r}", label: f"reference {name!r}"}
    for kind, rows in {"models": config.models, "flows": config.flows}.items():
        for name, row in rows.items():
            owner = f"{kind}.{name}"
            for key, word in {"name": name, "label": row.label}.items():
                if (other := seen.setdefault(word, owner)) != owner:
                    where = (kind, name, *(["label"] if key == "label" else []))
                    raise Mistake(where, f"{word!r} also names {other}.")
    with at("densities"):
        require(OTHERS not in config.densities, "name of a density", OTHERS, "another")
    with at("systems"):
        for word in (DEFAULT, KEY):
            require(word not in config.systems, "name of a system", word, "another")


def code_that_builds() -> str:
    """Fingerprint of all code that a configuration is checked with."""
    source = REPOSITORY / "src"
    names = [
        ".".join(path.relative_to(source).with_suffix("").parts)
        for package in ("systems", "densities", "models", "flows", "config")
        for path in sorted((source / "hgnpipe" / package).glob("[a-z]*.py"))
    ]
    return code_hash(f"{SCRIPTS}/models/train.py", *names)
