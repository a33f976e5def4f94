import copy
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from hgnpipe import config as module
from hgnpipe.config import (
    check_config,
    check_device,
    for_system,
    read_flags,
    system_options,
)
from hgnpipe.data.points import SPLITS, draw_points
from hgnpipe.flows import build_flow, load_flow, save_flow
from hgnpipe.models import build_model, complete_options, load_model, save_model
from hgnpipe.systems import build_system
from hgnpipe.training.batches import PointBatches, VideoBatches
from hgnpipe.training.loop import TrainingOptions, fit

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "workflow" / "schemas" / "config.schema.yaml"
SHIPPED = yaml.safe_load((ROOT / "config.yaml").read_text())

GOOD = """
preset: tiny
device: cpu
precision: tf32
reproducible: false
threads: 1
only_finished: false
systems:
  spring: {kind: mass_spring, noise_std: 0.1, radius: [0.1, 1.0]}
  orbit: {kind: two_body}
targets:
  blobs: {kind: modes, num_modes: 3}
  mine: {kind: table, file: mine.csv}
labels: {hgn: HGN}
presets:
  tiny:
    data: {seed: 0, num_train: 4, num_test: 2, num_frames: 6, image_size: 16}
    systems: [spring, orbit]
    seeds: [0, 1]
    evaluation:
      {num_trajectories: 2, batch_size: 2, num_extended: 2, horizons: [2],
       symetric_repeats: 1, example: 0, num_samples: 2}
    models:
      hgn:
        family: hgn
        options: {num_filters: 4, num_decoded: 3}
        training: &training {num_iterations: 2, batch_size: 2, learning_rate: 1.0e-3}
      hnn:
        family: pixelhnn
        options: {latent_size: {spring: 2, orbit: 8}, hidden_size: 8}
        training: *training
    flows:
      data: {seed: 0, num_train: 4, num_validation: 2, num_test: 3}
      targets: {blobs: [nhf, rnvp], mine: [nhf]}
      other_targets: [rnvp]
      seeds: [0, 1]
      evaluation:
        {num_points: 3, num_importance_samples: [1, 2], num_watched: 2,
         num_watched_samples: 1, grid_size: 5, shown: nhf, compared: blobs,
         reference: rnvp, repeats: 1}
      models:
        nhf:
          family: nhf
          options: {num_steps: 1, hidden_size: 8}
          training: {num_iterations: 2, batch_size: 2, learning_rate: 1.0e-3}
        rnvp:
          family: realnvp
          options: {num_steps: 2, hidden_size: 8}
          training: {num_iterations: 2, batch_size: 2, learning_rate: 1.0e-3}
"""


@pytest.fixture
def check(tmp_path):
    """Check a configuration, as Snakemake would."""

    def run(config, code="code"):
        check_config(config, SCHEMA, tmp_path / "checked", code)

    return run


@pytest.fixture
def good():
    return copy.deepcopy(yaml.safe_load(GOOD))


def entries():
    """Every preset, model and system; one system per model in the larger presets."""
    for preset, block in SHIPPED["presets"].items():
        for number, model in enumerate(block["models"]):
            systems = block["systems"]
            if preset != "smoke":
                systems = [systems[number % len(systems)]]
            yield from ((preset, model, system) for system in systems)


def flows():
    """Every preset and flow."""
    for preset, block in SHIPPED["presets"].items():
        yield from ((preset, name) for name in block["flows"]["models"])


def test_the_shipped_configuration_passes(check):
    check(SHIPPED)


def test_a_good_configuration_passes(check, good):
    check(good)


@pytest.mark.parametrize("flag", ["only_finished", "reproducible"])
@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("False", False), (True, True), ("yes", "yes"), (None, None)],
)
def test_a_flag_of_the_command_line_arrives_as_text(flag, text, value):
    config = {flag: text}
    read_flags(config)
    assert config[flag] is value or config[flag] == value == "yes"


@pytest.mark.parametrize("name", SHIPPED["systems"])
def test_every_shipped_system_is_the_one_that_it_says(name):
    block = SHIPPED["systems"][name]
    options = build_system(block["kind"], **system_options(block)).options()
    for option, value in block.items():
        if option != "kind":
            assert options[option] == (tuple(value) if option == "radius" else value)


@pytest.mark.parametrize(("preset", "name", "system"), list(entries()))
def test_every_entry_trains_saves_loads_and_predicts(preset, name, system, tmp_path):
    data = SHIPPED["presets"][preset]["data"]
    block = SHIPPED["presets"][preset]["models"][name]
    length, size = data["num_frames"], data["image_size"]
    frames = np.random.default_rng(0).integers(
        0, 256, (2, length, size, size, 3), np.uint8
    )
    family, options = block["family"], for_system(block["options"], system)
    options = complete_options(family, options, length, size)
    model = build_model(family, **options)
    before = [weight.clone() for weight in model.parameters()]
    training = for_system(block["training"], system)
    how = TrainingOptions(**{**training, "num_iterations": 1, "batch_size": 1})
    history = fit(model, VideoBatches(frames), how)
    assert np.isfinite(history["loss"]).all()
    pairs = zip(before, model.parameters(), strict=True)
    assert any(not torch.equal(old, new) for old, new in pairs)
    path = tmp_path / "model.safetensors"
    save_model(model, path, family=family, options=options)
    seen = torch.from_numpy(frames[:1] / np.float32(255)).permute(0, 1, 4, 2, 3)
    expected, found = model.predict(seen), load_model(path).predict(seen)
    for one, other in zip(expected, found, strict=True):
        assert one.isfinite().all() and torch.equal(one, other)


@pytest.mark.parametrize("name", SHIPPED["targets"])
def test_every_shipped_target_has_points_of_known_density(name):
    block = SHIPPED["targets"][name]
    options, sizes = system_options(block), dict.fromkeys(SPLITS, 50)
    points = draw_points(block["kind"], options, sizes, 0)
    assert points.train.shape == (50, 2)
    assert np.isfinite(points.log_density).all()
    assert len(points.modes) == options.get("num_modes", 0)


@pytest.mark.parametrize(("preset", "name"), list(flows()))
def test_every_flow_trains_saves_loads_and_finds_the_same_density(
    preset, name, tmp_path
):
    flows = SHIPPED["presets"][preset]["flows"]
    block = flows["models"][name]
    points = np.random.default_rng(0).normal(size=(4, 2))
    options = {"num_dims": 2, **block["options"]}
    flow = build_flow(block["family"], **options)
    before = [weight.clone() for weight in flow.parameters()]
    training = {**block["training"], "num_iterations": 1, "batch_size": 2}
    history = fit(flow, PointBatches(points), TrainingOptions(**training))
    assert np.isfinite(history["loss"]).all()
    pairs = zip(before, flow.parameters(), strict=True)
    assert any(not torch.equal(old, new) for old, new in pairs)
    path = tmp_path / "flow.safetensors"
    save_flow(flow, path, family=block["family"], options=options)
    expected, found = (
        one.log_density(
            torch.from_numpy(points).float(), 3, torch.Generator().manual_seed(0)
        )
        for one in (flow, load_flow(path))
    )
    for one, other in zip(expected, found, strict=True):
        assert one.isfinite().all() and torch.equal(one, other)


@pytest.mark.parametrize("preset", SHIPPED["presets"])
def test_every_shipped_model_and_flow_has_a_label(preset):
    block = SHIPPED["presets"][preset]
    names = {*block["models"], *block["flows"]["models"], "target", "gaussian"}
    assert names <= set(SHIPPED["labels"])


@pytest.mark.parametrize("preset", SHIPPED["presets"])
def test_every_shipped_flow_learns_a_target(preset):
    flows = SHIPPED["presets"][preset]["flows"]
    learning = {name for names in flows["targets"].values() for name in names}
    assert learning == set(flows["models"])


MISSING = object()
TINY = "presets.tiny"
DATA, HGN, HNN = f"{TINY}.data", f"{TINY}.models.hgn", f"{TINY}.models.hnn"
FIT = f"{HGN}.training"
FLOWS = f"{TINY}.flows"
POINTS, JUDGED, TRY = f"{FLOWS}.data", f"{FLOWS}.evaluation", f"{FLOWS}.models"
NHF, RNVP = f"{TRY}.nhf", f"{TRY}.rnvp"
NHF_FIT = f"{NHF}.training"
EDITS = [
    # what is changed, to what (as YAML), and what the message must say beside the place
    ("preset", "tony", "Unknown preset 'tony'. Known: tiny."),
    ("device", "gpu", "'gpu' is not one of ['auto', 'cpu', 'cuda']"),
    ("threads", "0", "minimum of 1"),
    ("threads", "'2'", "not of type 'integer'"),
    ("threads", MISSING, "'threads' is a required property"),
    ("presets", MISSING, "'presets' is a required property"),
    ("extra", "1", "Known: preset, device, precision, reproducible, threads"),
    ("labels.hgn", "3", "not of type 'string'"),
    ("systems.spring.kind", "spring", "Known: mass_spring, pendulum"),
    ("systems.spring.kind", MISSING, "'kind' is a required property"),
    ("systems.spring.mass", "2.0", "Unknown option 'mass' of system 'mass_spring'"),
    ("systems.spring.name", "two_body", "Unknown option 'name' of system"),
    ("systems.spring.noise_std", "-0.1", "noise_std is -0.1; it must be zero or"),
    ("systems.spring.noise_std", "1e-3", "'noise_std'", "'1e-3'", "float"),
    ("systems.spring.frame_dt", "0", "frame_dt is 0; it must be positive"),
    ("systems.spring.radius", "[1.0, 0.5]", "0 < low <= high"),
    ("systems.spring.radius", "1.0", "Option 'radius'", "tuple[float, float]"),
    (f"{TINY}.systems", "[spring, moon]", "Unknown system 'moon'", "spring, orbit"),
    (f"{TINY}.systems", "[]", "non-empty"),
    (f"{TINY}.seeds", "[0, 0]", "non-unique"),
    (f"{TINY}.seeds", "0", "not of type 'array'"),
    (f"{TINY}.sistems", "[]", "Known: data, systems, seeds, evaluation, models, flows"),
    (f"{DATA}.num_train", "0", "minimum of 1"),
    (f"{DATA}.num_test", "-3", "minimum of 1"),
    (f"{DATA}.num_test", "true", "not of type 'integer'"),
    (f"{DATA}.num_train", "1e3", "write it like 1000"),
    (f"{DATA}.num_train", "4.0", "not of type 'integer'"),
    (f"{DATA}.num_train", "many", "not of type 'integer'"),
    (f"{DATA}.num_frames", "2", "minimum of 3"),
    (f"{DATA}.image_size", "33", "not one of [8, 16, 32, 64, 128]"),
    (f"{DATA}.seed", "-1", "minimum of 0"),
    (f"{DATA}.seed", "2020-01-01", "not of type 'integer'"),
    (f"{DATA}.seed", MISSING, "'seed' is a required property"),
    (f"{DATA}.split", "1", "Known: seed, num_train, num_test, num_frames, image_size"),
    (f"{TINY}.evaluation.batch_size", "0", "minimum of 1"),
    (f"{TINY}.evaluation.num", "0", "Known: num_trajectories, batch_size"),
    (f"{TINY}.evaluation.horizons", "[]", "non-empty"),
    (f"{TINY}.evaluation.horizons", "[30, 0]", "minimum of 1"),
    (f"{TINY}.evaluation.num_extended", "1", "minimum of 2"),
    (f"{TINY}.evaluation.example", "2", "example is 2; it must be below 2"),
    ("only_finished", "maybe", "not of type 'boolean'"),
    ("reproducible", "maybe", "not of type 'boolean'"),
    ("precision", "fp16", "'fp16' is not one of ['tf32', 'fp32']"),
    (f"{TINY}.models", "{}", "non-empty"),
    (f"{TINY}.models.a-b", "{}", "'a-b' does not match"),
    (f"{HGN}.family", "hgm", "Unknown model family 'hgm'. Known: hgn, pixelhnn."),
    (f"{HGN}.family", MISSING, "'family' is a required property"),
    (f"{HGN}.option", "{}", "Known: family, options, training"),
    (f"{HGN}.options", "[]", "not of type 'object'"),
    (f"{HGN}.options.width", "3", "Unknown option 'width' of model family 'hgn'"),
    (f"{HGN}.options.seed", "3", "Unknown option 'seed' of model family 'hgn'"),
    (f"{HGN}.options.family", "hgn", "Unknown option 'family' of model family 'hgn'"),
    (f"{HGN}.options.integrator", "leapforg", "Known: euler, leapfrog, rk4"),
    (f"{HGN}.options.num_decoded", "7", "between 1 and num_frames (6)"),
    (f"{HGN}.options.num_filters", "true", "'num_filters'", "True", "int"),
    (f"{HGN}.options.num_filters", "'8'", "'num_filters'", "'8'", "int"),
    (f"{HGN}.options.num_frames", "9", "this model needs 9 frames or more of 16x16"),
    (f"{HGN}.options.image_size", "32", "needs 6 frames or more of 32x32"),
    (f"{HGN}.options.kappa", "1e-3", "'kappa'", "'1e-3'", "float"),
    (f"{HGN}.options.dt", "{spring: 0.1}", "no value for system 'orbit'", "spring"),
    (f"{HNN}.options.latent_size.orbit", "3", "latent_size is 3; it must be even"),
    (f"{HNN}.options.latent_size", MISSING, "Missing option 'latent_size'"),
    (f"{FIT}.num_iterations", "0", "num_iterations is 0; it must be 1 or more"),
    (f"{FIT}.num_iterations", "{orbit: 2}", "no value for system 'spring'", "orbit"),
    (f"{FIT}.learning_rate", "1e-3", "'learning_rate'", "'1e-3'", "float"),
    (f"{FIT}.learning_rate", "-1.0", "learning_rate is -1.0; it must be positive"),
    (f"{FIT}.learning_rate", MISSING, "Missing option 'learning_rate' of training"),
    (f"{FIT}.batchsize", "2", "Unknown option 'batchsize' of training"),
    ("targets", MISSING, "'targets' is a required property"),
    ("targets", "[]", "not of type 'object'"),
    ("targets.a-b", "{kind: rings}", "'a-b' does not match"),
    ("targets.blobs", "rings", "not of type 'object'"),
    ("targets.blobs.kind", MISSING, "'kind' is a required property"),
    ("targets.blobs.kind", "1", "not of type 'string'"),
    ("targets.blobs.kind", "modse", "Unknown target 'modse'. Known: checkerboard"),
    ("targets.blobs.kind", "modse", "rings, spirals, table, two_moons."),
    ("targets.mine.kind", "modes", "Unknown option 'file' of target 'modes'"),
    ("targets.blobs.num_mode", "2", "Unknown option 'num_mode' of target 'modes'"),
    ("targets.blobs.file", "my.csv", "Unknown option 'file' of target 'modes'"),
    ("targets.blobs.num_modes", "0", "num_modes is 0; it must be 1 or more"),
    ("targets.blobs.num_modes", "2.0", "'num_modes'", "2.0", "int"),
    ("targets.blobs.std", "0", "std is 0; it must be positive"),
    ("targets.blobs.std", "1e-1", "'std'", "'1e-1'", "write it like 1.0e-01"),
    ("targets.mine.held_out", "0.5", "held_out is 0.5;", "above 0 and below 0.5"),
    ("targets.mine.held_out", "0", "held_out is 0; it must be above 0"),
    ("targets.mine.held_out", "1e-1", "'held_out'", "'1e-1'", "float"),
    ("targets.mine.heldout", "0.1", "Unknown option 'heldout' of target 'table'"),
    ("targets.mine.file", MISSING, "Missing option 'file' of target 'table'"),
    ("targets.mine.file", "1", "Option 'file' of target 'table' is 1", "str"),
    ("targets.mine.columns", "x", "Option 'columns' of target 'table' is 'x'", "list"),
    ("targets.mine.columns", "[1, 2]", "Option 'columns' of target 'table' is [1, 2]"),
    (FLOWS, MISSING, "'flows' is a required property"),
    (f"{FLOWS}.target", "{}", "Known: data, targets, other_targets, seeds"),
    (f"{FLOWS}.seeds", "[0, 0]", "non-unique"),
    (f"{FLOWS}.seeds", "[]", "non-empty"),
    (f"{FLOWS}.seeds", "[-1]", "minimum of 0"),
    (f"{POINTS}.num_train", "1", "minimum of 2"),
    (f"{POINTS}.num_train", "1e3", "write it like 1000"),
    (f"{POINTS}.num_validation", "1", "minimum of 2"),
    (f"{POINTS}.num_test", "2.0", "not of type 'integer'"),
    (f"{POINTS}.seed", "-1", "minimum of 0"),
    (f"{POINTS}.num_validation", MISSING, "'num_validation' is a required property"),
    (f"{POINTS}.num_val", "2", "Known: seed, num_train, num_validation, num_test"),
    (f"{FLOWS}.targets", "{}", "non-empty"),
    (f"{FLOWS}.targets.blob", "[nhf]", "Unknown target 'blob'. Known: blobs, mine."),
    (f"{FLOWS}.targets.blobs", "[]", "non-empty"),
    (f"{FLOWS}.targets.blobs", "nhf", "not of type 'array'"),
    (f"{FLOWS}.targets.blobs", "[nhf, nhf]", "non-unique"),
    (f"{FLOWS}.targets.mine", "[nhf, rnpv]", "Unknown flow 'rnpv'. Known: nhf, rnvp."),
    (f"{FLOWS}.targets.mine", "[hgn]", "Unknown flow 'hgn'. Known: nhf, rnvp."),
    (f"{FLOWS}.other_targets", "[rnpv]", "Unknown flow 'rnpv'. Known: nhf, rnvp."),
    (f"{FLOWS}.other_targets", "[]", "non-empty"),
    (f"{FLOWS}.other_targets", "[nhf, nhf]", "non-unique"),
    (f"{FLOWS}.other_targets", "nhf", "not of type 'array'"),
    (f"{FLOWS}.other_targets", MISSING, "'other_targets' is a required property"),
    (f"{JUDGED}.shown", "hgn", "Unknown flow 'hgn'. Known: nhf, rnvp."),
    (f"{JUDGED}.shown", "[nhf]", "not of type 'string'"),
    (f"{JUDGED}.reference", "rnpv", "Unknown flow 'rnpv'. Known: nhf, rnvp."),
    (f"{JUDGED}.compared", "blob", "Unknown target of this preset 'blob'. Known:"),
    (f"{JUDGED}.compared", "mine", "'mine'; it must be a density that can be drawn"),
    (f"{JUDGED}.num_points", "1", "minimum of 2"),
    (f"{JUDGED}.num_importance_samples", "10", "not of type 'array'"),
    (f"{JUDGED}.num_importance_samples", "[]", "non-empty"),
    (f"{JUDGED}.num_importance_samples", "[10, 0]", "minimum of 1"),
    (f"{JUDGED}.num_importance_samples", "[1, 1e2]", "write it like 100"),
    (f"{JUDGED}.num_importance_samples", "[1, 1]", "non-unique"),
    (f"{JUDGED}.num_watched", "1", "minimum of 2"),
    (f"{JUDGED}.num_watched_samples", "0", "minimum of 1"),
    (f"{JUDGED}.grid_size", "1", "minimum of 2"),
    (f"{JUDGED}.repeats", "0", "minimum of 1"),
    (f"{JUDGED}.repeats", MISSING, "'repeats' is a required property"),
    (f"{JUDGED}.repeat", "1", "Known: num_points, num_importance_samples"),
    (TRY, "{}", "non-empty"),
    (f"{TRY}.a-b", "{}", "'a-b' does not match"),
    (f"{NHF}.family", "nhff", "Unknown flow family 'nhff'. Known: nhf, realnvp."),
    (f"{NHF}.family", "hgn", "Unknown flow family 'hgn'. Known: nhf, realnvp."),
    (f"{NHF}.family", MISSING, "'family' is a required property"),
    (f"{NHF}.option", "{}", "Known: family, options, training"),
    (f"{NHF}.options", "[]", "not of type 'object'"),
    (f"{NHF}.options.width", "3", "Unknown option 'width' of flow family 'nhf'"),
    (f"{RNVP}.options.dt", "0.1", "Unknown option 'dt' of flow family 'realnvp'"),
    (f"{NHF}.options.seed", "3", "Unknown option 'seed' of flow family 'nhf'"),
    (f"{NHF}.options.family", "nhf", "Unknown option 'family' of flow family 'nhf'"),
    (f"{NHF}.options.num_steps", "0", "num_steps is 0; it must be 1 or more"),
    (f"{NHF}.options.num_steps", "'1'", "'num_steps'", "'1'", "int"),
    (f"{NHF}.options.num_steps", "{blobs: 1, mine: 1}", "'num_steps'", "int"),
    (f"{RNVP}.options.hidden_size", "0", "hidden_size is 0; it must be 1 or more"),
    (f"{NHF}.options.dt", "-0.5", "dt is -0.5; it must be positive"),
    (f"{NHF}.options.dt", "5e-1", "'dt'", "'5e-1'", "write it like 5.0e-01"),
    (f"{NHF}.options.prior", "uniform", "Unknown prior 'uniform'. Known: normal, soft"),
    (f"{NHF}.options.gradient_rms", "0", "gradient_rms is 0; it must be positive"),
    (f"{NHF_FIT}.num_iterations", "0", "num_iterations is 0; it must be 1 or more"),
    (f"{NHF_FIT}.num_iterations", "{blobs: 2, mine: 2}", "'num_iterations'", "int"),
    (f"{NHF_FIT}.learning_rate", "1e-3", "'learning_rate'", "'1e-3'", "float"),
    (f"{NHF_FIT}.learning_rate", MISSING, "Missing option 'learning_rate'"),
    (f"{RNVP}.training.batchsize", "2", "Unknown option 'batchsize' of training"),
]  # fmt: skip


def edited(config, where, value):
    """Change one entry; answers the path that the message must name."""
    *path, last = where.split(".")
    block = config
    for key in path:
        block = block[key]
    if value is MISSING:
        del block[last]
    else:
        block[last] = yaml.safe_load(value)
    structural = path if value is MISSING else [*path, last]
    # What follows is in the words.
    for end in ("options", "training", "spring", "blobs", "mine"):
        if end in structural and (path[0], last) != ("systems", "kind"):
            structural = structural[: structural.index(end) + 1]
    return structural


@pytest.mark.parametrize(
    ("where", "value", "words"),
    [(where, value, words) for where, value, *words in EDITS],
    ids=[f"{where}={'' if v is MISSING else v}" for where, v, *_ in EDITS],
)
def test_a_mistake_is_one_line_that_names_its_place_and_what_is_legal(
    check, good, where, value, words
):
    place = edited(good, where, value)
    with pytest.raises(ValueError) as error:
        check(good)
    message = str(error.value)
    assert message.startswith("config.yaml: ") and "\n" not in message
    # An unknown key is reported by the block that it stands in, and named there.
    assert ".".join(place) in message or (
        ".".join(place[:-1]) in message and repr(place[-1]) in message
    )
    for word in words:
        assert word in message


def test_a_flow_cannot_have_the_name_of_a_model(check, good):
    flows = good["presets"]["tiny"]["flows"]
    flows["models"]["hgn"] = flows["models"]["nhf"]
    with pytest.raises(ValueError) as error:
        check(good)
    message = str(error.value)
    assert message.startswith("config.yaml: presets.tiny.flows.models: ")
    assert "['hgn']" in message and "\n" not in message


def test_columns_of_a_table_can_be_chosen(check, good):
    good["targets"]["mine"] |= {"columns": ["x", "y"], "held_out": 0.1}
    check(good)


def test_the_file_of_a_table_need_not_be_there_yet(check, good, tmp_path):
    good["targets"]["mine"]["file"] = str(tmp_path / "later.csv")
    check(good)


def test_targets_that_no_preset_lists_are_checked_as_well(check, good):
    good["targets"]["other"] = {"kind": "rings", "radius": -1.0}
    with pytest.raises(ValueError, match=r"config\.yaml: targets\.other: radius is -1"):
        check(good)


@pytest.fixture
def builds(monkeypatch):
    """Counts how often models are built to check a configuration."""
    calls = []
    check_meaning = module.check_meaning
    monkeypatch.setattr(
        module, "check_meaning", lambda config: calls.append(1) or check_meaning(config)
    )
    return calls


def test_a_configuration_that_passed_is_not_built_again(check, good, builds):
    check(good)
    check(json.loads(json.dumps(good)))
    assert len(builds) == 1


def test_a_changed_configuration_is_built_again(check, good, builds):
    check(good)
    good["threads"] = 2
    check(good)
    assert len(builds) == 2


def test_changed_code_builds_the_configuration_again(check, good, builds):
    check(good, code="old")
    check(good, code="new")
    assert len(builds) == 2


def test_a_configuration_that_failed_is_not_remembered(check, good):
    edited(good, f"{HGN}.options.width", "3")
    for _ in range(2):
        with pytest.raises(ValueError, match="width"):
            check(good)


def test_a_value_per_system_is_the_one_of_the_system():
    options = {"a": {"spring": 1, "orbit": 2}, "b": 3}
    assert for_system(options, "orbit") == {"a": 2, "b": 3}


@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_a_device_that_is_always_there_passes(device):
    check_device(device)


def test_a_gpu_that_is_not_there_is_found_before_the_work_starts(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match=r"^config\.yaml: device: device is 'cuda'"):
        check_device("cuda")


@pytest.mark.parametrize("block", ["presets", "systems", "targets"])
def test_a_name_that_is_a_number_is_a_mistake(check, good, block):
    good[block][1] = good[block].popitem()[1]
    with pytest.raises(ValueError, match=rf"^config\.yaml: {block}.*1") as error:
        check(good)
    assert "\n" not in str(error.value)


NAMED = ["systems", "targets", "presets", f"{TINY}.models", f"{FLOWS}.models"]


@pytest.mark.parametrize("place", NAMED)
@pytest.mark.parametrize(
    "name", ["../out", "/tmp/out", "a/b", "..", ".", "", "a b", "a\n", "a;b", "-a", 1]
)
def test_a_name_that_could_lead_out_of_the_project_is_refused(check, good, place, name):
    block = good
    for key in place.split("."):
        block = block[key]
    block[name] = copy.deepcopy(next(iter(block.values())))
    with pytest.raises(ValueError) as error:
        check(good)
    assert str(error.value).startswith(f"config.yaml: {place}: ")
    assert "\n" not in str(error.value) and repr(name) in str(error.value)


def test_every_rule_writes_below_results_and_every_wildcard_is_a_name_or_number():
    rules = sorted((ROOT / "workflow" / "rules").glob("*.smk"))
    text = "\n".join(path.read_text() for path in rules)
    section = r"\n    (?:output|log|benchmark):\n((?: {8}.*\n)+)"
    written = re.findall(r'"([^"]*/[^"]*)"', "\n".join(re.findall(section, text)))
    assert len(written) > 100
    written = [path for path in written if not path.endswith(".rst")]  # captions
    assert [path for path in written if not path.startswith("results/")] == []
    wildcards = {name for path in written for name in re.findall(r"{(\w+)}", path)}
    limited = re.findall(r"^ {4,8}(\w+)=", (ROOT / "Snakefile").read_text(), re.M)
    assert wildcards - {*limited} == {"table", "figure"}  # limited by their rules
