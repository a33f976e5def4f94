import copy
import json
import re

import numpy as np
import pytest
import torch
import yaml
from good_config import GOOD, MISSING
from pipeline import REPOSITORY
from snakemake.utils import update_config

from hgnpipe.config import checks
from hgnpipe.config.checks import check_config
from hgnpipe.config.environment import check_device
from hgnpipe.config.reading import read_config
from hgnpipe.data.points import SPLITS, draw_points
from hgnpipe.flows import build_flow, load_flow, save_flow
from hgnpipe.models import build_model, complete_options, load_model, save_model
from hgnpipe.systems import build_system
from hgnpipe.training.batches import PointBatches, VideoBatches
from hgnpipe.training.loop import fit
from hgnpipe.training.options import TrainingOptions

SHIPPED = yaml.safe_load((REPOSITORY / "config.yaml").read_text())


@pytest.fixture
def check(tmp_path):
    """Check a configuration, as Snakemake would."""

    def run(config, code="code"):
        return check_config(config, tmp_path / "checked", code=code)

    return run


@pytest.fixture
def good():
    return copy.deepcopy(yaml.safe_load(GOOD))


@pytest.fixture(scope="session")
def shipped(tmp_path_factory):
    """What every model and flow of the shipped configuration gets."""
    return check_config(SHIPPED, tmp_path_factory.mktemp("checked")).blocks


def entries():
    """Every preset, model and system; one system per model in the larger presets."""
    for preset, block in SHIPPED["presets"].items():
        for number, model in enumerate(block["models"]):
            systems = block["systems"]
            if preset != "smoke":
                systems = [systems[number % len(systems)]]
            yield from ((preset, model, system) for system in systems)


def flows():
    """Every preset and flow that learns something there."""
    for preset, block in SHIPPED["presets"].items():
        learn = block.get("flows", {"learn": {}})["learn"]
        learned = {name for names in learn.values() for name in names}
        yield from ((preset, name) for name in SHIPPED["flows"] if name in learned)


def test_the_shipped_configuration_passes(check):
    check(SHIPPED)


def test_the_ablations_pass_when_laid_over_it(check):
    ablations = yaml.safe_load((REPOSITORY / "workflow/ablations.yaml").read_text())
    config = copy.deepcopy(SHIPPED)
    update_config(config, ablations)
    blocks = check(config).blocks
    seeds = {preset["data"]["seed"] for preset in SHIPPED["presets"].values()}
    for name, preset in ablations["presets"].items():
        assert blocks[name]["models"].keys() == {*preset["models"]}
        assert preset["data"]["seed"] not in seeds
    rows = blocks["ablation"]["models"].values()
    assert len({row["pendulum"]["options"]["kappa"] for row in rows}) == 4
    assert {"mass_spring", "mass_spring_clean"} == {
        *blocks["without_noise"]["models"]["hnn"]
    }


def test_the_readings_pass_and_each_differs_from_the_first_in_one_thing(check):
    laid_over = yaml.safe_load((REPOSITORY / "workflow/readings.yaml").read_text())
    config = copy.deepcopy(SHIPPED)
    update_config(config, laid_over)
    blocks = check(config).blocks["readings"]["models"]
    options = {row: systems["pendulum"]["options"] for row, systems in blocks.items()}
    base = options.pop(laid_over["presets"]["readings"]["readings"])
    changed = {
        row: {k: v for k, v in own.items() if base.get(k) != v}
        for row, own in options.items()
    }
    assert {str(more) for more in changed.values() if len(more) != 1} == {
        "{'num_frames': 5, 'num_targets': 31, 'seen': 'first'}",
        "{'separable': False, 'integrator': 'rk4'}",
    }
    assert {"integrator": "rk4"} in changed.values()  # what that is compared with


def test_the_baselines_get_what_hgn_vector_gets(check):
    rows = check(SHIPPED).blocks["extended"]["models"]
    for system, block in rows["hgn_vector"].items():
        for name in ("latent_gru", "latent_ode"):
            own = rows[name][system]
            assert own["training"] == block["training"]
            differing = {"gradient_rms"} & block["options"].keys()
            expected = {k: v for k, v in block["options"].items() if k not in differing}
            assert own["options"] == expected


def test_a_good_configuration_passes(check, good):
    check(good)


@pytest.mark.parametrize("flag", ["only_finished", "reproducible", "graphs"])
@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("False", False), (True, True)]
)
def test_a_flag_of_the_command_line_arrives_as_text(good, flag, text, value):
    good[flag] = text
    assert getattr(read_config(good), flag) is value


def test_a_number_of_threads_arrives_as_text(good):
    good["threads"] = "3"
    assert read_config(good).threads == 3


def test_a_system_whose_constants_vary_is_none_to_check_hnn_with(check, good):
    good["systems"]["spring"]["m"] = [0.5, 1.0]
    words = "presets.tiny.hnn_check: system is 'spring'; .* constants are not drawn"
    with pytest.raises(ValueError, match=words):
        check(good)
    del good["presets"]["tiny"]["hnn_check"]
    found = check(good).blocks["tiny"]["models"]
    assert found.keys() == {"hgn", "hnn"}


@pytest.mark.parametrize("name", SHIPPED["systems"])
def test_every_shipped_system_is_the_one_that_it_says(name):
    block = SHIPPED["systems"][name]
    given = {k: v for k, v in block.items() if k != "kind"}
    options = build_system(block["kind"], **given).options()
    for option, value in given.items():
        assert options[option] == (tuple(value) if isinstance(value, list) else value)


@pytest.mark.parametrize(("preset", "name", "system"), list(entries()))
def test_every_entry_trains_saves_loads_and_predicts(
    shipped, preset, name, system, tmp_path
):
    data = SHIPPED["presets"][preset]["data"]
    block = shipped[preset]["models"][name][system]
    length, size = data["num_frames"], data["image_size"]
    longest = length + 2 * data.get("num_around", 0)
    frames = np.random.default_rng(0).integers(
        0, 256, (2, longest, size, size, 3), np.uint8
    )
    kind = SHIPPED["systems"][system]["kind"]
    family, options = (
        block["family"],
        complete_options(
            block["family"],
            block["options"],
            num_frames=length,
            image_size=size,
            latent_size=2 * build_system(kind).num_coordinates,
        ),
    )
    model = build_model(family, **options)
    before = [weight.clone() for weight in model.parameters()]
    how = {**block["training"], "num_iterations": 1, "batch_size": 1}
    how |= {"start_iterations": 1}
    history = fit(
        model,
        VideoBatches(frames),
        TrainingOptions(**how),
        other=lambda number: build_model(family, seed=number, **options),
    )
    assert np.isfinite(history["loss"]).all()
    pairs = zip(before, model.parameters(), strict=True)
    assert any(not torch.equal(old, new) for old, new in pairs)
    path = tmp_path / "model.safetensors"
    save_model(model, path, family=family, options=options)
    seen = torch.from_numpy(frames[:1] / np.float32(255)).permute(0, 1, 4, 2, 3)
    expected, found = model.predict(seen), load_model(path).predict(seen)
    assert (expected.energy is None) is not hasattr(model, "hamiltonian")
    for one, other in zip(expected, found, strict=True):
        if one is None:
            assert other is None
        else:
            assert one.isfinite().all() and torch.equal(one, other)


@pytest.mark.parametrize("name", SHIPPED["densities"])
def test_every_shipped_density_has_points_of_known_density(name):
    block = SHIPPED["densities"][name]
    options = {k: v for k, v in block.items() if k != "kind"}
    sizes = dict.fromkeys(SPLITS, 50)
    points = draw_points(block["kind"], options, sizes, 0)
    assert points.train.shape == (50, 2)
    assert np.isfinite(points.log_density).all()
    assert len(points.modes) == options.get("num_modes", 0)


@pytest.mark.parametrize(("preset", "name"), list(flows()))
def test_every_flow_trains_saves_loads_and_finds_the_same_density(
    shipped, preset, name, tmp_path
):
    block = shipped[preset]["flows"][name]
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


TINY = "presets.tiny"
DATA, HGN, HNN = f"{TINY}.data", f"{TINY}.options.hgn", f"{TINY}.options.hnn"
STATES, PIXELS = f"{TINY}.hnn_check.states", f"{TINY}.hnn_check.pixels"
FIT, FLOWS = f"{TINY}.training.hgn", f"{TINY}.flows"
POINTS, JUDGED, LEARN = f"{FLOWS}.data", f"{FLOWS}.evaluation", f"{FLOWS}.learn"
NHF, NHF_FIT = f"{FLOWS}.options.nhf", f"{FLOWS}.training.nhf"
RNVP, RNVP_FIT = f"{FLOWS}.options.realnvp", f"{FLOWS}.training.realnvp"
INTEGER, FAR = "it must be a whole number", str(2**63)
EDITS = [
    # what is changed, to what (as YAML), and what the message must say beside the place
    ("preset", "tony", "Unknown preset 'tony'. Known: tiny."),
    ("device", "gpu", "device is 'gpu'; it must be 'auto', 'cpu' or 'cuda'"),
    ("threads", "0", "threads is 0; it must be greater than or equal to 1"),
    ("threads", "'two'", "threads is 'two'", INTEGER),
    ("threads", MISSING, "'threads' is missing"),
    ("presets", MISSING, "'presets' is missing"),
    ("extra", "1", "Known: preset, device, precision, reproducible, graphs, threads"),
    ("systems.spring.kind", "spring", "Known: coupled_springs, damped"),
    ("systems.spring.kind", MISSING, "'kind' is missing"),
    ("systems.spring.mass", "2.0", "Unknown option 'mass' of system 'mass_spring'"),
    ("systems.spring.name", "two_body", "Unknown option 'name' of system"),
    ("systems.spring.noise_std", "-0.1", "noise_std is -0.1; it must be zero or"),
    ("systems.spring.noise_std", "1e-3", "'noise_std'", "'1e-3'"),
    ("systems.spring.noise_std", ".inf", "noise_std", "inf"),
    ("systems.spring.frame_dt", "0", "frame_dt is 0; it must be positive"),
    ("systems.spring.radius", "[1.0, 0.5]", "0 < low <= high"),
    ("systems.spring.radius", "1.0", "is 1.0; it must be a list of 2 numbers"),
    ("systems.spring.m", "[2.0, 0.5]", "is [2.0, 0.5]; it must be a number, or a list"),
    ("systems.spring.k", "[-.inf, 1]", "of two finite ones, low <= high"),
    ("systems.spring.hue", "0.3", "'hue' of system 'mass_spring' is 0.3; it must be"),
    ("systems.spring.noise_std", "[0.1, 0.2]", "[0.1, 0.2]; it must be a number."),
    ("systems.default", "{kind: pendulum}", "'default'"),
    (f"{TINY}.systems", "[spring, moon]", "Unknown system 'moon'", "orbit, spring"),
    (f"{TINY}.systems", "[]", "at least 1"),
    (f"{TINY}.models", "[hgn, hmm]", "Unknown model 'hmm'", "hgn, hnn"),
    (f"{TINY}.models", "[]", "at least 1"),
    (f"{TINY}.models", "[hgn, hgn]", "hgn is listed twice"),
    (f"{TINY}.figures", "[fig06, fig99]", "'fig99'", "'fig05'"),
    (f"{TINY}.seeds", "[0, 0]", "0 is listed twice"),
    (f"{TINY}.seeds", "0", "it must be a list"),
    (f"{TINY}.seeds", f"[{FAR}]", f"less than {FAR}"),
    (f"{TINY}.sistems", "[]", "Known: systems, models, figures, seeds, data"),
    (f"{DATA}.num_train", "0", "greater than or equal to 1"),
    (f"{DATA}.num_test", "-3", "greater than or equal to 1"),
    (f"{DATA}.num_test", "true", "num_test is True", INTEGER),
    (f"{DATA}.num_train", "1e3", "write it like 1000"),
    (f"{DATA}.num_train", "4.0", "num_train is 4.0", INTEGER),
    (f"{DATA}.num_train", "many", "num_train is 'many'", INTEGER),
    (f"{DATA}.num_frames", "2", "greater than or equal to 3"),
    (f"{DATA}.image_size", "33", "it must be 8, 16, 32, 64 or 128"),
    (f"{DATA}.seed", "-1", "greater than or equal to 0"),
    (f"{DATA}.seed", FAR, f"less than {FAR}"),
    (f"{DATA}.seed", "2020-01-01", INTEGER),
    (f"{DATA}.seed", MISSING, "'seed' is missing"),
    (
        f"{DATA}.split", "1",
        "Known: seed, num_train, num_test, num_frames, num_around, image_size",
    ),
    (f"{TINY}.evaluation.batch_size", "0", "greater than or equal to 1"),
    (f"{TINY}.evaluation.num", "0", "Known: num_trajectories, batch_size"),
    (f"{TINY}.evaluation.horizons", "[]", "at least 1"),
    (f"{TINY}.evaluation.horizons", "[30, 0]", "greater than or equal to 1"),
    (f"{TINY}.evaluation.num_extended", "1", "greater than or equal to 2"),
    (f"{TINY}.evaluation.example", "2", "example is 2; it must be below 2"),
    (f"{TINY}.evaluation.num_trajectories", "1000", "at most 2, the number of videos"),
    (f"{TINY}.evaluation.num_extended", "3", "at most 2, the number of test videos"),
    (f"{TINY}.evaluation.horizons", "[1, 100000000]", "less: a file would have 154 GB"),
    (f"{TINY}.evaluation.num_samples", "100000000", "a file would have 1843 GB"),
    (f"{DATA}.num_frames", "10000000", "it must be less than or equal to 10000"),
    (f"{DATA}.num_around", "10000000", "it must be less than or equal to 10000"),
    (f"{DATA}.num_train", "100000000", "less: a file would have 461 GB, more than 100"),
    (f"{STATES}.num_train", "5", "at most 4, the number of trajectories"),
    (f"{PIXELS}.num_test", "3", "at most 2, the number of trajectories"),
    ("systems.spring.frame_dt", "100", "frame_dt is 100; it must be at most 4.4, in"),
    ("systems.spring.noise_std", "3", "noise_std is 3; it must be at most view, 2"),
    ("systems.spring.disc_radius", "3", "disc_radius is 3; it must be at most view"),
    ("systems.spring.radius", "[7.0, 8.0]", "begin outside of view, 2"),
    ("systems.orbit.frame_dt", "1000", "in which a body crosses the picture"),
    ("only_finished", "maybe", "it must be true or false"),
    ("reproducible", "maybe", "it must be true or false"),
    ("precision", "fp16", "precision is 'fp16'; it must be 'tf32' or 'fp32'"),
    ("models", "{}", "at least 1"),
    ("models.a-b", "{}", "'a-b'", "letters, digits and underscores"),
    ("models.hgn.family", "hgm", "'hgm'. Known: hgn, latent_gru, latent_ode, pix"),
    ("models.hgn.family", MISSING, "'family' is missing"),
    ("models.hgn.label", MISSING, "'label' is missing"),
    ("models.hgn.label", "3", "label is 3; it must be text"),
    ("models.hgn.label", "''", "label is ''", "one line of text", "not empty"),
    ("models.hgn.label", '"a\\nb"', "label is 'a\\nb'", "one line of text"),
    ("models.hgn.label", "a|b", "label is 'a|b'", "without |"),
    ("models.hgn.label", "$x$", "label is '$x$'", "$"),
    ("models.hgn.label", "_x", "label is '_x'", "beginning with"),
    ("models.hgn.label", "HNN", "'HNN' also names models.h"),
    ("models.hnn.label", "hgn", "'hgn' also names models.hgn"),
    ("models.hgn.label", "mean image", "also names reference 'mean_image'"),
    ("models.hgn.label", "gaussian", "also names reference 'gaussian'"),
    ("models.noise_floor", "{label: X, family: hgn}", "names reference 'noise_floor'"),
    ("flows.target", "{label: X, family: nhf}", "names reference 'target'"),
    ("flows.nhf.label", "HGN", "'HGN' also names models.hgn"),
    ("flows.hgn", "{label: X, family: nhf}", "'hgn' also names models.hgn"),
    ("models.pixelhnn", "{label: X, family: hgn}", "no other family's than hgn"),
    ("models.hgn.option", "{}", "Known: label, family, options"),
    ("models.hgn.options", "[]", "it must be keys and their values"),
    (f"{TINY}.options.hng", "{}", "Unknown model family or row 'hng'. Known: hgn"),
    (f"{TINY}.training.hng", "{}", "Unknown model family or row 'hng'. Known: hgn"),
    (f"{HGN}.width", "3", "Unknown option 'width' of model family 'hgn'"),
    (f"{HGN}.seed", "3", "Unknown option 'seed' of model family 'hgn'"),
    (f"{HGN}.family", "hgn", "Unknown option 'family' of model family 'hgn'"),
    (f"{HGN}.integrator", "leapforg", "Known: euler, leapfrog, rk4, yoshida4"),
    (f"{HGN}.num_decoded", "7", "between 1 and 6"),
    (f"{HGN}.num_filters", "true", "'num_filters'", "True; it must be a whole number"),
    (f"{HGN}.num_pairs", "two", "is 'two'; it must be a whole number or null"),
    (f"{HGN}.deterministic", "1", "is 1; it must be true or false"),
    (f"{HGN}.multiplier_bounds", "1", "is 1; it must be a list of 2 numbers"),
    (f"{HGN}.num_filters", "'8'", "'num_filters'", "'8'"),
    (f"{HGN}.num_frames", "9", "this model needs 9 frames or more of 16x16"),
    (f"{HGN}.image_size", "32", "needs 6 frames or more of 32x32"),
    (f"{HGN}.kappa", "1e-3", "'kappa'", "'1e-3'", "write it like 1.0e-03"),
    (f"{HGN}.kappa", ".inf", "kappa", "inf"),
    (f"{HGN}.kappa", ".nan", "kappa", "nan"),
    (f"{HGN}.kappa", "{sprong: 1.0e-3}", "Unknown system 'sprong'", "default, orbit"),
    ("models.hgn.options.first_horizon", "3", "first_horizon has no effect"),
    (f"{TINY}.options.hnn", "{num_filters: 8}", "num_filters has no effect"),
    (f"{TINY}.readings", "nobody", "Unknown model of this preset 'nobody'"),
    (f"{TINY}.options.hnn", "{latent_size: {orbit: 3}}", "latent_size is 3"),
    (f"{FIT}.num_iterations", "0", "num_iterations is 0; it must be 1 or more"),
    (f"{FIT}.num_iterations", "{orbit: 2}", "Missing option 'num_iterations'"),
    (f"{FIT}.learning_rate", "1e-3", "'learning_rate'", "'1e-3'"),
    (f"{FIT}.learning_rate", "-1.0", "learning_rate is -1.0; it must be positive"),
    (f"{FIT}.learning_rate", MISSING, "Missing option 'learning_rate' of training"),
    (f"{FIT}.batchsize", "2", "Unknown option 'batchsize' of training"),
    (f"{FIT}.batch_size", "5", "batch_size is 5; it must be at most 4, the number of"),
    (f"{TINY}.training.pixelhnn.batch_size", "17", "it must be at most 16"),
    (f"{STATES}.training.batch_size", "13", "it must be at most 12"),
    (f"{PIXELS}.training.batch_size", "9", "it must be at most 8"),
    (f"{NHF_FIT}.batch_size", "5", "it must be at most 4, the number of samples"),
    (f"{HGN}.num_filters", "100000", "num_filters is 100000; it must be less: a"),
    (f"{NHF}.hidden_size", "1000000", "network would have more than 1e+08 weights"),
    (f"{RNVP}.hidden_size", "1000000", "hidden_size is 1000000; it must be less"),
    (
        f"{PIXELS}.options", "{hidden_size: 1000000}",
        "hidden_size is 1000000; it must be less",
    ),
    (f"{JUDGED}.num_points", "4", "at most 3, the number of (num_test)"),
    (f"{JUDGED}.num_watched", "3", "at most 2, the number of (num_validation)"),
    (f"{JUDGED}.grid_size", "100000", "less: a file would have 160 GB"),
    (f"{TINY}.training", MISSING, "'training' is missing"),
    (f"{STATES}.systems", "[moon]", "Unknown system 'moon'", "orbit, spring"),
    (f"{STATES}.num_test", "1", "greater than or equal to 2"),
    (f"{STATES}.horizons", "[0]", "greater than or equal to 1"),
    (f"{STATES}.training.batchsize", "2", "Unknown option 'batchsize' of training"),
    (f"{PIXELS}.system", "moon", "Unknown system 'moon'", "orbit, spring"),
    (f"{PIXELS}.image_size", "7", "greater than or equal to 8"),
    (f"{PIXELS}.options.width", "3", "Unknown option 'width' of pixelhnn"),
    (f"{PIXELS}.options", "{hidden_size: 0}", "hidden_size is 0; it must be 1 or"),
    (f"{PIXELS}.training.learning_rate", MISSING, "Missing option 'learning_rate'"),
    (f"{TINY}.hnn_check.pixel", "{}", "Known: states, pixels"),
    ("densities", "[]", "it must be keys and their values"),
    ("densities.a-b", "{kind: rings}", "'a-b'", "letters, digits and underscores"),
    ("densities.others", "{kind: rings}", "'others'"),
    ("densities.blobs", "rings", "it must be keys and their values"),
    ("densities.blobs.kind", MISSING, "'kind' is missing"),
    ("densities.blobs.kind", "1", "it must be text"),
    ("densities.blobs.kind", "modse", "Unknown density 'modse'. Known: checkerboard"),
    ("densities.blobs.kind", "modse", "rings, spirals, table, two_moons."),
    ("densities.mine.kind", "modes", "Unknown option 'file' of density 'modes'"),
    ("densities.blobs.num_mode", "2", "Unknown option 'num_mode' of density 'modes'"),
    ("densities.blobs.file", "my.csv", "Unknown option 'file' of density 'modes'"),
    ("densities.blobs.num_modes", "0", "num_modes is 0; it must be 1 or more"),
    ("densities.blobs.num_modes", "2.0", "'num_modes'", "2.0"),
    ("densities.blobs.std", "0", "std is 0; it must be positive"),
    ("densities.blobs.std", "1e-1", "'std'", "'1e-1'", "write it like 1.0e-01"),
    ("densities.mine.held_out", "0.5", "held_out is 0.5;", "above 0 and below 0.5"),
    ("densities.mine.held_out", "0", "held_out is 0; it must be above 0"),
    ("densities.mine.held_out", "1e-1", "'held_out'", "'1e-1'"),
    ("densities.mine.heldout", "0.1", "Unknown option 'heldout' of density 'table'"),
    ("densities.mine.file", MISSING, "Missing option 'file' of density 'table'"),
    ("densities.mine.file", "1", "'file' of density 'table' is 1"),
    ("densities.mine.columns", "x", "it must be a list of texts or whole numbers"),
    ("densities.mine.columns", "[1.5, 2]", "'columns' of density 'table' is"),
    (f"{FLOWS}.target", "{}", "Known: learn, seeds, data, evaluation, options"),
    (f"{FLOWS}.seeds", "[0, 0]", "0 is listed twice"),
    (f"{FLOWS}.seeds", "[]", "at least 1"),
    (f"{FLOWS}.seeds", "[-1]", "greater than or equal to 0"),
    (f"{POINTS}.num_train", "1", "greater than or equal to 2"),
    (f"{POINTS}.num_train", "1e3", "write it like 1000"),
    (f"{POINTS}.num_validation", "1", "greater than or equal to 2"),
    (f"{POINTS}.num_test", "2.0", INTEGER),
    (f"{POINTS}.seed", "-1", "greater than or equal to 0"),
    (f"{POINTS}.num_validation", MISSING, "'num_validation' is missing"),
    (f"{POINTS}.num_val", "2", "Known: seed, num_train, num_validation, num_test"),
    (LEARN, "{}", "at least 1"),
    (LEARN, "{others: [nhf]}", "densities and their flows"),
    (f"{LEARN}.blob", "[nhf]", "Unknown density 'blob'. Known: blobs, mine, others."),
    (f"{LEARN}.blobs", "[]", "at least 1"),
    (f"{LEARN}.blobs", "nhf", "it must be a list"),
    (f"{LEARN}.blobs", "[nhf, nhf]", "nhf is listed twice"),
    (f"{LEARN}.mine", "[nhf, rnpv]", "Unknown flow 'rnpv'. Known: nhf, rnvp."),
    (f"{LEARN}.mine", "[hgn]", "Unknown flow 'hgn'. Known: nhf, rnvp."),
    (f"{LEARN}.others", "[rnpv]", "Unknown flow 'rnpv'. Known: nhf, rnvp."),
    (f"{LEARN}.others", "[]", "at least 1"),
    (f"{LEARN}.others", "[nhf, nhf]", "nhf is listed twice"),
    (f"{JUDGED}.shown", "hgn", "Unknown flow 'hgn'. Known: nhf, rnvp."),
    (f"{JUDGED}.shown", "[nhf]", "it must be text"),
    (f"{JUDGED}.reference", "rnpv", "Unknown flow 'rnpv'. Known: nhf, rnvp."),
    (f"{JUDGED}.compared", "blob", "Unknown density of this preset 'blob'. Known:"),
    (f"{JUDGED}.compared", "mine", "'mine'; it must be a density that can be drawn"),
    (f"{JUDGED}.num_points", "1", "greater than or equal to 2"),
    (f"{JUDGED}.num_importance_samples", "10", "it must be a list"),
    (f"{JUDGED}.num_importance_samples", "[]", "at least 1"),
    (f"{JUDGED}.num_importance_samples", "[10, 0]", "greater than or equal to 1"),
    (f"{JUDGED}.num_importance_samples", "[1, 1e2]", "write it like 100"),
    (f"{JUDGED}.num_importance_samples", "[1, 1]", "1 is listed twice"),
    (f"{JUDGED}.num_watched", "1", "greater than or equal to 2"),
    (f"{JUDGED}.num_watched_samples", "0", "greater than or equal to 1"),
    (f"{JUDGED}.grid_size", "1", "greater than or equal to 2"),
    (f"{JUDGED}.repeats", "0", "greater than or equal to 1"),
    (f"{JUDGED}.repeats", MISSING, "'repeats' is missing"),
    (f"{JUDGED}.repeat", "1", "Known: num_points, num_importance_samples"),
    ("flows.a-b", "{}", "'a-b'", "letters, digits and underscores"),
    ("flows.nhf.family", "nhff", "Unknown flow family 'nhff'. Known: nhf, realnvp."),
    ("flows.nhf.family", "hgn", "Unknown flow family 'hgn'. Known: nhf, realnvp."),
    ("flows.nhf.family", MISSING, "'family' is missing"),
    ("flows.nhf.option", "{}", "Known: label, family, options"),
    (NHF, "[]", "it must be keys and their values"),
    (f"{FLOWS}.options.hng", "{}", "Unknown flow family or row 'hng'. Known: nhf"),
    (f"{NHF}.width", "3", "Unknown option 'width' of flow family 'nhf'"),
    (f"{RNVP}.dt", "0.1", "Unknown option 'dt' of flow family 'realnvp'"),
    (f"{NHF}.seed", "3", "Unknown option 'seed' of flow family 'nhf'"),
    (f"{NHF}.family", "nhf", "Unknown option 'family' of flow family 'nhf'"),
    (f"{NHF}.num_dims", "2", "num_dims", "left to the points"),
    ("flows.nhf.options.num_steps", "0", "num_steps is 0; it must be 1 or more"),
    ("flows.nhf.options.num_steps", "'1'", "'num_steps'", "'1'"),
    ("flows.nhf.options.num_steps", "{blobs: 1, mine: 1}", "'num_steps'"),
    ("flows.nhf.options.elbo_iterations", "5", "elbo_iterations has no effect"),
    (f"{RNVP}.hidden_size", "0", "hidden_size is 0; it must be 1 or more"),
    (f"{NHF}.dt", "-0.5", "dt is -0.5; it must be positive"),
    (f"{NHF}.dt", "5e-1", "'dt'", "'5e-1'", "write it like 5.0e-01"),
    (f"{NHF}.prior", "uniform", "Unknown prior 'uniform'. Known: normal, soft"),
    (f"{NHF}.gradient_rms", "0", "gradient_rms is 0; it must be positive"),
    (f"{NHF_FIT}.num_iterations", "0", "num_iterations is 0; it must be 1 or more"),
    (f"{NHF_FIT}.num_iterations", "{blobs: 2, mine: 2}", "'num_iterations'"),
    (f"{NHF_FIT}.learning_rate", "1e-3", "'learning_rate'", "'1e-3'"),
    (f"{NHF_FIT}.learning_rate", MISSING, "Missing option 'learning_rate'"),
    (f"{RNVP_FIT}.batchsize", "2", "Unknown option 'batchsize' of training"),
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
    place = path if value is MISSING else [*path, last]
    if not place:
        return ["top level"]
    if place[2:3] == ["options"] and place[0] in ("models", "flows"):
        place = place[:3]
    if last == "label" and value is not MISSING:
        place = place[:1]  # the other row may be the one that is named first
    # What follows is in the words.
    for number, key in enumerate(place):
        if key in ("options", "training") and number > 0 and place[0] == "presets":
            return place[: number + 2]
    return place[:2] if place[0] in ("systems", "densities") else place


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


def test_columns_of_a_table_can_be_chosen(check, good):
    good["densities"]["mine"] |= {"columns": ["x", "y"], "held_out": 0.1}
    check(good)


def test_the_file_of_a_table_need_not_be_there_yet(check, good, tmp_path):
    good["densities"]["mine"]["file"] = str(tmp_path / "later.csv")
    check(good)


def test_densities_that_no_preset_lists_are_checked_as_well(check, good):
    good["densities"]["other"] = {"kind": "rings", "radius": -1.0}
    with pytest.raises(
        ValueError, match=r"config\.yaml: densities\.other: radius is -1"
    ):
        check(good)


@pytest.fixture
def builds(monkeypatch):
    """Counts how often models are built to check a configuration."""
    calls = []
    check_preset = checks.check_preset
    monkeypatch.setattr(
        checks, "check_preset", lambda *told: calls.append(1) or check_preset(*told)
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
    edited(good, f"{HGN}.width", "3")
    for _ in range(2):
        with pytest.raises(ValueError, match="width"):
            check(good)


@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_a_device_that_is_always_there_passes(device):
    check_device(device)


def test_a_gpu_that_is_not_there_is_found_before_the_work_starts(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match=r"^config\.yaml: device: device is 'cuda'"):
        check_device("cuda")


@pytest.mark.parametrize("block", ["presets", "systems", "densities", "models"])
def test_a_name_that_is_a_number_is_a_mistake(check, good, block):
    good[block][1] = good[block].popitem()[1]
    with pytest.raises(ValueError, match=rf"^config\.yaml: {block}.*1") as error:
        check(good)
    assert "\n" not in str(error.value)


NAMED = ["systems", "densities", "presets", "models", "flows"]


@pytest.mark.parametrize("place", NAMED)
def test_a_name_that_could_lead_out_of_the_project_is_refused(check, good, place):
    for name in [
        "../out",
        "/tmp/out",
        "a/b",
        "..",
        ".",
        "",
        "a b",
        "a\n",
        "a;b",
        "-a",
        1,
    ]:
        config = copy.deepcopy(good)
        block = config[place]
        block[name] = copy.deepcopy(next(iter(block.values())))
        with pytest.raises(ValueError) as error:
            check(config)
        assert str(error.value).startswith(f"config.yaml: {place}: ")
        assert "\n" not in str(error.value) and repr(name) in str(error.value)


def test_every_rule_writes_below_results_and_every_wildcard_is_a_name_or_number():
    rules = sorted((REPOSITORY / "workflow" / "rules").glob("*.smk"))
    text = "\n".join(path.read_text() for path in rules)
    section = r"\n    (?:output|log|benchmark):\n((?: {8}.*\n)+)"
    written = re.findall(r'"([^"]*/[^"]*)"', "\n".join(re.findall(section, text)))
    assert len(written) > 100
    written = [path for path in written if not path.endswith(".rst")]  # captions
    assert [path for path in written if not path.startswith("results/")] == []
    wildcards = {name for path in written for name in re.findall(r"{(\w+)}", path)}
    limited = re.findall(r"^ {4,8}(\w+)=", (REPOSITORY / "Snakefile").read_text(), re.M)
    assert wildcards - {*limited} == {"table", "figure"}  # limited by their rules
