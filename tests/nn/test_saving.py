"""Models and flows alike: every family, in the variants of the tables."""

import json

import h5py
import pytest
import torch
from damage import rewrite
from safetensors import safe_open
from safetensors.torch import save_file

from hgnpipe import flows, models
from hgnpipe.flows.base import Flow
from hgnpipe.models.base import SequenceModel

BUILD = {"model": models.build_model, "flow": flows.build_flow}
SAVE = {"model": models.save_model, "flow": flows.save_flow}
LOAD = {"model": models.load_model, "flow": flows.load_flow}
FORMATS = {"model": models.FORMAT, "flow": flows.FORMAT}
FAMILIES = {"model": models.MODELS, "flow": flows.FLOWS}
CONTRACTS = {"model": SequenceModel, "flow": Flow}

SIZES = {"num_frames": 4, "image_size": 8, "num_filters": 4, "latent_channels": 2}
SMALL = {"image_size": 8, "latent_size": 2, "hidden_size": 8, "num_filters": 4}
FLOW = {"num_dims": 2, "num_steps": 2, "hidden_size": 8}
VARIANTS = {
    "hgn_leapfrog": ("model", "hgn", SIZES),
    "hgn_euler": ("model", "hgn", {**SIZES, "integrator": "euler"}),
    "hgn_determ": ("model", "hgn", {**SIZES, "deterministic": True}),
    "hgn_no_f_psi": ("model", "hgn", {**SIZES, "f_psi": False}),
    "hgn_centred": (
        "model", "hgn", {**SIZES, "centre_frames": True, "gradient_rms": 0.5},
    ),
    "hgn_joint": (
        "model", "hgn", {**SIZES, "integrator": "rk4", "separable": False},
    ),
    "latent_gru": ("model", "latent_gru", {**SIZES, "num_pairs": 1}),
    "latent_ode": ("model", "latent_ode", SIZES),
    "hnn": ("model", "pixelhnn", SMALL),
    "hnn_conv": ("model", "pixelhnn", {**SMALL, "convolutional": True}),
    "nhf": ("flow", "nhf", FLOW),
    "nhf_normal": ("flow", "nhf", {**FLOW, "prior": "normal", "dt": 0.3}),
    "rnvp": ("flow", "realnvp", FLOW),
}  # fmt: skip
ONE_OF_EACH = {"model": "hgn_leapfrog", "flow": "nhf"}

every_variant = pytest.mark.parametrize("variant", VARIANTS)
every_kind = pytest.mark.parametrize("kind", ONE_OF_EACH)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs" / "network.safetensors"


def built(variant, seed=0):
    kind, family, options = VARIANTS[variant]
    return BUILD[kind](family, seed=seed, **options)


def saved(path, variant, **arguments):
    """A network whose weights are not those that a seed gives, and its file."""
    kind, family, options = VARIANTS[variant]
    network = built(variant, seed=1)
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.01)
    if kind == "model":
        network.set_frame_statistics(torch.linspace(0, 1, 192).reshape(3, 8, 8), 0.3)
    SAVE[kind](network, path, family=family, options=options, **arguments)
    return network.eval()


def noise(seed=0):
    return torch.Generator().manual_seed(seed)


def results(kind, network):
    """What a network is there for: a prediction, or samples and their densities."""
    if kind == "model":
        made = network.predict(torch.rand(2, 5, 3, 8, 8, generator=noise()))
        return [x for x in made if x is not None]
    samples = network.sample(5, noise())
    return [samples, *network.log_density(samples, 3, noise())]


def weights(network):
    return torch.cat([weight.ravel() for weight in network.parameters()])


def refusal(path, kind):
    """The one line with which a file is refused."""
    with pytest.raises(ValueError) as error:
        LOAD[kind](path)
    assert "\n" not in str(error.value)
    return str(error.value)


@every_kind
def test_the_variants_cover_every_family(kind):
    covered = {family for k, family, _ in VARIANTS.values() if k == kind}
    assert covered == set(FAMILIES[kind].names())


@every_variant
def test_a_family_is_in_a_module_of_its_name_and_keeps_its_contract(variant):
    kind, family, _ = VARIANTS[variant]
    assert FAMILIES[kind].find(family).__module__ == f"hgnpipe.{kind}s.{family}"
    assert isinstance(built(variant), CONTRACTS[kind])


@every_variant
def test_a_loaded_network_does_the_same_bit_for_bit(path, variant):
    kind, network = VARIANTS[variant][0], saved(path, variant)
    loaded = LOAD[kind](path)
    for one, other in zip(results(kind, loaded), results(kind, network), strict=True):
        assert one.isfinite().all() and torch.equal(one, other)


@every_variant
def test_a_loaded_network_holds_every_number_that_was_saved(path, variant):
    network = saved(path, variant)
    loaded = LOAD[VARIANTS[variant][0]](path).state_dict()
    assert loaded.keys() == network.state_dict().keys()
    for name, tensor in network.state_dict().items():
        assert torch.equal(loaded[name], tensor), name


def test_a_loaded_flow_has_the_options_that_are_no_weights(path):
    options = {**FLOW, "dt": 0.3, "prior": "soft_uniform", "sigma": 2.5}
    flow = flows.build_flow("nhf", **options)
    flows.save_flow(flow, path, family="nhf", options=options)
    loaded = flows.load_flow(path)
    assert (loaded.dt, loaded.prior_name, loaded.sigma) == (0.3, "soft_uniform", 2.5)


@every_variant
def test_a_loaded_network_is_ready_to_use(path, variant):
    saved(path, variant)
    assert not LOAD[VARIANTS[variant][0]](path).training


@every_kind
def test_the_file_says_how_to_rebuild_the_network_and_where_it_came_from(path, kind):
    _, family, options = VARIANTS[ONE_OF_EACH[kind]]
    saved(path, ONE_OF_EACH[kind], provenance={"seed": 1, "commit": "abc"})
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    assert (metadata["format"], metadata["family"]) == (FORMATS[kind], family)
    assert json.loads(metadata["options"]) == options
    assert json.loads(metadata["provenance"]) == {"seed": 1, "commit": "abc"}


@every_kind
def test_saving_leaves_only_the_network(path, kind):
    saved(path, ONE_OF_EACH[kind])
    assert list(path.parent.iterdir()) == [path]


@every_kind
def test_a_missing_file_is_named(path, kind):
    assert refusal(path, kind) == f"{path} does not exist."


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        ("text", "text;"),
        ("empty", "empty;"),
        ("HDF5", "HDF5 of another program;"),
        ("truncated", "damaged or not safetensors ("),
    ],
)
def test_a_file_that_is_no_safetensors_is_named(path, damage, what):
    saved(path, "hgn_leapfrog")
    whole = path.read_bytes()
    if damage == "HDF5":
        h5py.File(path, "w").close()
    else:
        half = whole[: len(whole) // 2]
        path.write_bytes({"text": b"weights", "empty": b"", "truncated": half}[damage])
    message = refusal(path, "model")
    assert message.startswith(f"{path} is {what}")
    assert f"; expected {FORMATS['model']!r}." in message


@every_kind
def test_tensors_of_another_program_are_named_with_the_format(path, kind):
    path.parent.mkdir()
    save_file({"weight": torch.ones(2)}, path)
    expected = f"{path} is safetensors of another program; expected {FORMATS[kind]!r}."
    assert refusal(path, kind) == expected


@every_kind
def test_another_version_of_the_format_is_refused(path, kind):
    saved(path, ONE_OF_EACH[kind])
    rewrite(path, FORMATS[kind], format=f"hgnpipe {kind} 1")
    assert refusal(path, kind) == (
        f"{path} is a file of format 'hgnpipe {kind} 1'; expected {FORMATS[kind]!r}. "
        f"Delete it if a rule made it: `snakemake` makes it again."
    )


@every_variant
def test_models_and_flows_are_not_taken_for_each_other(path, variant):
    kind = VARIANTS[variant][0]
    other = {"model": "flow", "flow": "model"}[kind]
    saved(path, variant)
    assert refusal(path, other) == (
        f"{path} is a file of format {FORMATS[kind]!r}; expected {FORMATS[other]!r}."
    )


@every_kind
@pytest.mark.parametrize(
    "family", ["hgm", "base", "_priors", "os.system", "hgnpipe.flows.nhf.NHF", "../hgn"]
)
def test_only_known_families_are_imported(path, kind, family):
    saved(path, ONE_OF_EACH[kind])
    rewrite(path, FORMATS[kind], family=family)
    known = ", ".join(FAMILIES[kind].names())
    message = f"Unknown {kind} family {family!r}. Known: {known}."
    assert message in refusal(path, kind)


@every_kind
def test_options_that_the_family_does_not_have_are_named(path, kind):
    _, family, options = VARIANTS[ONE_OF_EACH[kind]]
    saved(path, ONE_OF_EACH[kind])
    rewrite(path, FORMATS[kind], options=json.dumps({**options, "width": 3}))
    message = f"Unknown option 'width' of {kind} family {family!r}"
    assert message in refusal(path, kind)


@every_variant
@pytest.mark.parametrize("change", ["other shapes", "missing", "too many"])
def test_weights_that_do_not_fit_the_network_are_refused(path, variant, change):
    kind, family, _ = VARIANTS[variant]
    state = saved(path, variant).state_dict()
    tensors = {name: tensor.contiguous() for name, tensor in state.items()}
    if change == "missing":
        tensors.popitem()
    elif change == "too many":
        tensors["more"] = torch.ones(2)
    else:
        tensors = {name: torch.ones(3, 2) for name in tensors}
    rewrite(path, FORMATS[kind], tensors)
    assert refusal(path, kind).startswith(
        f"{path} does not fit {kind} family {family!r}"
    )


@every_variant
def test_the_seed_alone_fixes_the_weights(variant):
    drawn = []
    for global_seed, seed in ((0, 4), (1, 4), (1, 5)):
        torch.manual_seed(global_seed)
        drawn.append(weights(built(variant, seed)))
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[1], drawn[2])


@every_variant
def test_drawing_weights_leaves_the_global_generator_alone(variant):
    before = torch.get_rng_state()
    built(variant, seed=3)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("seed", [2**64, 10**30])
def test_a_seed_that_torch_does_not_have_is_refused(seed):
    for build, options in (
        (models.build_model, {"family": "pixelhnn", "image_size": 8, "latent_size": 2}),
        (flows.build_flow, {"family": "realnvp", "num_dims": 2}),
    ):
        with pytest.raises(ValueError, match=f"^seed is {seed}; it must be below 2"):
            build(**options, seed=seed)
        build(**options, seed=2**64 - 1)
