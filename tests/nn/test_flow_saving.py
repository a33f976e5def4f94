"""What is particular to flows; what all families share is tested with the models."""

import pytest
import torch
from damage import rewrite

from hgnpipe.flows import (
    FLOWS,
    FORMAT,
    build_flow,
    flow_class,
    load_flow,
    save_flow,
)
from hgnpipe.flows.base import Flow
from hgnpipe.models import build_model, load_model, save_model

OPTIONS = {"num_dims": 2, "num_steps": 2, "hidden_size": 8}

every_family = pytest.mark.parametrize("family", FLOWS)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "flows" / "flow.safetensors"


def noise(seed=0):
    return torch.Generator().manual_seed(seed)


def saved(path, family="nhf", **arguments):
    """A flow whose weights are not those that a seed gives, and its file."""
    flow = build_flow(family, seed=1, **OPTIONS)
    with torch.no_grad():
        for weight in flow.parameters():
            weight.add_(0.01)
    save_flow(flow, path, family=family, options=OPTIONS, **arguments)
    return flow.eval()


def refusal(path, load=load_flow):
    """The one line with which a file is refused."""
    with pytest.raises(ValueError) as error:
        load(path)
    assert "\n" not in str(error.value)
    return str(error.value)


@every_family
def test_a_family_is_in_a_module_of_its_name_and_is_a_flow(family):
    assert flow_class(family).__module__ == f"hgnpipe.flows.{family}"
    assert isinstance(build_flow(family, **OPTIONS), Flow)


@every_family
def test_a_loaded_flow_holds_every_number_that_was_saved(path, family):
    flow = saved(path, family)
    loaded = load_flow(path).state_dict()
    assert loaded.keys() == flow.state_dict().keys()
    for name, tensor in flow.state_dict().items():
        assert torch.equal(loaded[name], tensor), name


@every_family
def test_a_loaded_flow_samples_and_judges_the_same_bit_for_bit(path, family):
    flow = saved(path, family)
    loaded = load_flow(path)
    samples = flow.sample(5, noise())
    assert torch.equal(loaded.sample(5, noise()), samples)
    densities = (f.log_density(samples, 3, noise()) for f in (loaded, flow))
    for one, other in zip(*densities, strict=True):
        assert one.isfinite().all() and torch.equal(one, other)


def test_a_loaded_flow_has_the_options_that_are_no_weights(path):
    options = {**OPTIONS, "dt": 0.3, "prior": "soft_uniform", "sigma": 2.5}
    save_flow(build_flow("nhf", **options), path, family="nhf", options=options)
    loaded = load_flow(path)
    assert (loaded.dt, loaded.prior_name, loaded.sigma) == (0.3, "soft_uniform", 2.5)


@every_family
def test_a_loaded_flow_is_ready_to_use(path, family):
    saved(path, family)
    assert not load_flow(path).training


def test_a_missing_file_is_named(path):
    assert refusal(path) == f"{path} does not exist."


@pytest.mark.parametrize("family", ["os.system", "hgnpipe.flows.nhf.NHF", "builtins"])
def test_only_known_families_are_imported(path, family):
    saved(path)
    rewrite(path, FORMAT, family=family)
    assert f"Unknown flow family '{family}'. Known: nhf, " in refusal(path)


def test_a_model_is_no_flow(path):
    options = {"image_size": 8, "latent_size": 2, "hidden_size": 8, "num_filters": 4}
    model = build_model("pixelhnn", **options)
    save_model(model, path, family="pixelhnn", options=options)
    assert refusal(path) == (
        f"{path} is a file of format 'hgnpipe model 2'; expected 'hgnpipe flow 2'."
    )


@every_family
def test_a_flow_is_no_model(path, family):
    saved(path, family)
    assert refusal(path, load_model) == (
        f"{path} is a file of format 'hgnpipe flow 2'; expected 'hgnpipe model 2'."
    )


@every_family
@pytest.mark.parametrize("change", ["other shapes", "missing", "too many"])
def test_weights_that_do_not_fit_the_flow_are_refused(path, family, change):
    state = saved(path, family).state_dict()
    tensors = {name: tensor.contiguous() for name, tensor in state.items()}
    if change == "missing":
        tensors.popitem()
    elif change == "too many":
        tensors["more"] = torch.ones(2)
    else:
        tensors = {name: torch.ones(3, 2) for name in tensors}
    rewrite(path, FORMAT, tensors)
    assert refusal(path).startswith(f"{path} does not fit flow family {family!r}")


@every_family
def test_the_seed_alone_fixes_the_weights(family):
    weights = []
    for global_seed, seed in ((0, 4), (1, 4), (1, 5)):
        torch.manual_seed(global_seed)
        flow = build_flow(family, seed=seed, **OPTIONS)
        weights.append(torch.cat([weight.ravel() for weight in flow.parameters()]))
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[1], weights[2])


@every_family
def test_drawing_weights_leaves_the_global_generator_alone(family):
    before = torch.get_rng_state()
    build_flow(family, seed=3, **OPTIONS)
    assert torch.equal(torch.get_rng_state(), before)
