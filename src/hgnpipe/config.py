"""What ``config.yaml`` says, checked before any work starts.

Structure is checked against ``workflow/schemas/config.schema.yaml``, meaning by
building what is named: every system, and every model for every system.
"""

import hashlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError, best_match

from hgnpipe.collection import lookup, number_hint, require

Config = Mapping[str, Any]
FILE = "config.yaml"
# For JSON schema 4.0 is an integer; for a command line it is not.
TYPES = Draft202012Validator.TYPE_CHECKER.redefine(
    "integer", lambda _, value: type(value) is int
)
Validator = validators.extend(Draft202012Validator, type_checker=TYPES)


def check_config(config: Config, schema: Path, remember: Path, code: str) -> None:
    """Check everything that ``config.yaml`` says.

    Args:
        config: The configuration as Snakemake has read it.
        schema: JSON schema of its structure, as YAML.
        remember: Folder of the configurations that passed: building models means
            importing torch, which not every call of Snakemake need wait for.
        code: Fingerprint of the code that would build the models.

    Raises:
        ValueError: One line: the key, what is wrong, and what is legal.
    """
    structure = schema.read_text()
    text = repr((config, code, structure))  # JSON would stumble over a date
    passed = remember / hashlib.sha256(text.encode()).hexdigest()[:32]
    if passed.exists():
        return
    check_structure(config, yaml.safe_load(structure))
    check_names(config)
    check_sizes(config)
    check_meaning(config)
    remember.mkdir(parents=True, exist_ok=True)
    passed.touch()


def read_flags(config: dict[str, Any]) -> None:
    """Make booleans of what ``--config only_finished=true`` hands over as text."""
    known = {"true": True, "false": False}
    for flag in ("only_finished", "reproducible"):
        value = config.get(flag)
        if isinstance(value, str):
            config[flag] = known.get(value.lower(), value)


def check_structure(config: Config, schema: Mapping[str, Any]) -> None:
    """Check keys and types against a JSON schema.

    Raises:
        ValueError: If one is wrong; the message says where and what is legal.
    """
    error = best_match(Validator(schema).iter_errors(config))
    if error is not None:
        where = ".".join(map(str, error.absolute_path)) or "top level"
        raise ValueError(f"{FILE}: {where}: {_explain(error)}")


def check_names(config: Config) -> None:
    """Check that the preset exists, and that presets name what exists.

    Raises:
        ValueError: If not; the message lists what exists.
    """
    presets, systems = config["presets"], config["systems"]
    if config["preset"] not in presets:
        raise ValueError(
            f"{FILE}: preset: Unknown preset {config['preset']!r}. "
            f"Known: {', '.join(presets)}."
        )
    for preset, block in presets.items():
        for system in block["systems"]:
            if system not in systems:
                raise ValueError(
                    f"{FILE}: presets.{preset}.systems: Unknown system {system!r}. "
                    f"Known: {', '.join(systems)}."
                )
        _check_flow_names(config, f"presets.{preset}", block)


def _check_flow_names(config: Config, where: str, block: Config) -> None:
    flows = block["flows"]
    learned, models = flows["targets"], flows["models"]
    both = sorted(models.keys() & block["models"].keys())
    with _located(f"{where}.flows.models"):
        require(not both, "name of a flow", both, "another than those of the models")
    for target, names in learned.items():
        with _located(f"{where}.flows.targets"):
            lookup("target", target, config["targets"])
        _check_flows(f"{where}.flows.targets.{target}", names, models)
    _check_flows(f"{where}.flows.other_targets", flows["other_targets"], models)
    for key, known in {
        "shown": models,
        "reference": models,
        "compared": learned,
    }.items():
        with _located(f"{where}.flows.evaluation.{key}"):
            kind = "target of this preset" if key == "compared" else "flow"
            name = flows["evaluation"][key]
            lookup(kind, name, known)
            drawn = key != "compared" or not is_table(config["targets"][name])
            require(drawn, key, name, "a density that can be drawn, not a table")


def _check_flows(where: str, names: Sequence[str], models: Config) -> None:
    with _located(where):
        for name in names:
            lookup("flow", name, models)


def check_sizes(config: Config) -> None:
    """Check that every preset has the video that figures of one rollout show.

    Raises:
        ValueError: If there are too few videos.
    """
    for preset, block in config["presets"].items():
        data, evaluation = block["data"], block["evaluation"]
        have = min(data["num_train"], data["num_test"], evaluation["num_trajectories"])
        example = evaluation["example"]
        with _located(f"presets.{preset}.evaluation.example"):
            require(example < have, "example", example, f"below {have}")


def check_meaning(config: Config) -> None:
    """Build every system and target, and every model and flow without its weights.

    Raises:
        ValueError: If something cannot be built; the message says where and why.
    """
    import torch

    from hgnpipe.data.points import check_density
    from hgnpipe.flows import FLOWS, build_flow
    from hgnpipe.models import MODELS, build_model, complete_options
    from hgnpipe.systems import SYSTEMS, build_system
    from hgnpipe.training.batches import check_length
    from hgnpipe.training.loop import read_training

    latent_sizes = {}
    for name, block in config["systems"].items():
        kind = block["kind"]
        with _located(f"systems.{name}.kind"):
            SYSTEMS.find(kind)
        with _located(f"systems.{name}"):
            system = build_system(kind, **system_options(block))
            latent_sizes[name] = 2 * system.num_coordinates
    for preset, block in config["presets"].items():
        data = block["data"]
        for name, model in block["models"].items():
            family, where = model["family"], f"presets.{preset}.models.{name}"
            with _located(f"{where}.family"):
                MODELS.find(family)
            for system in block["systems"]:
                with _located(f"{where}.options ({system})"), torch.device("meta"):
                    options = complete_options(
                        family,
                        for_system(model["options"], system),
                        num_frames=data["num_frames"],
                        image_size=data["image_size"],
                        latent_size=latent_sizes[system],
                    )
                    MODELS.check(family, options)
                    built = build_model(family, **options)
                    check_length(built, data["num_frames"], data["image_size"])
                with _located(f"{where}.training ({system})"):
                    read_training(for_system(model["training"], system))
    for name, block in config["targets"].items():
        with _located(f"targets.{name}"):
            check_density(block["kind"], system_options(block))
    for preset, block in config["presets"].items():
        for name, flow in block["flows"]["models"].items():
            where = f"presets.{preset}.flows.models.{name}"
            with _located(f"{where}.family"):
                FLOWS.find(flow["family"])
            with _located(f"{where}.options"):  # small: built with its weights
                given = "num_dims" in flow["options"]
                require(not given, "num_dims", "given", "left to the points")
                options = {"num_dims": 2, **flow["options"]}
                FLOWS.check(flow["family"], options)
                build_flow(flow["family"], **options)
            with _located(f"{where}.training"):
                read_training(flow["training"])


def for_system(options: Mapping[str, Any], system: str) -> dict[str, Any]:
    """Options for one system: a value that is a mapping holds one value per system.

    Raises:
        ValueError: If such a mapping has no value for the system.
    """
    resolved = {}
    for name, value in options.items():
        if isinstance(value, Mapping):
            if system not in value:
                raise ValueError(
                    f"{name} has no value for system {system!r}; "
                    f"it has them for {', '.join(value)}."
                )
            value = value[system]
        resolved[name] = value
    return resolved


def system_options(block: Mapping[str, Any]) -> dict[str, Any]:
    """Options of what a block of ``systems`` or ``targets`` describes."""
    return {k: v for k, v in block.items() if k != "kind"}


def is_table(target: Mapping[str, Any]) -> bool:
    """Whether a block of ``targets`` is a table of points, of any dimension."""
    return target["kind"] == "table"


def check_device(device: str) -> None:
    """Check that a job on this machine can have its device.

    Raises:
        ValueError: If CUDA is asked for and not available.
    """
    if device == "cuda":  # the others need no torch to be found legal
        from hgnpipe.runtime.device import find_device

        with _located("device"):
            find_device(device)


def share_environment() -> None:
    """Let ``python`` in shell commands be this Python, with this package.

    Without it, ``.venv/bin/snakemake`` in a shell where the environment is not active
    would start its jobs with another Python, and an environment that Snakemake makes
    would lack the package.
    """
    _put_first("PATH", str(Path(sys.executable).parent))
    _put_first("PYTHONPATH", str(Path(__file__).resolve().parents[1]))


def _put_first(variable: str, folder: str) -> None:
    folders = [f for f in os.environ.get(variable, "").split(os.pathsep) if f]
    if folders[:1] != [folder]:
        os.environ[variable] = os.pathsep.join([folder, *folders])


class _located:
    """Prefix of a `ValueError`: where in the configuration it comes from."""

    def __init__(self, where: str) -> None:
        self.where = where

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: object, __: object) -> None:
        if isinstance(error, ValueError):
            raise ValueError(f"{FILE}: {self.where}: {error}") from None


def _explain(error: ValidationError) -> str:
    """What is wrong, in one line, with a hint for the classic of YAML."""
    message = error.message.replace("\n", " ")
    if error.validator == "additionalProperties":
        known = ", ".join(error.schema.get("properties", {}))
        return f"{message} Known: {known}."
    hint = number_hint(error.instance) if error.validator == "type" else ""
    return f"{message}{hint}."
