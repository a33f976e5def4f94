import json

import h5py
import pytest
import torch
from damage import rewrite
from safetensors import safe_open
from safetensors.torch import save_file

from hgnpipe.models import (
    FAMILIES,
    FORMAT,
    build_model,
    complete_options,
    family_class,
    load_model,
    save_model,
)

SIZES = {"num_frames": 4, "image_size": 8, "num_filters": 4, "latent_channels": 2}
SMALL = {"image_size": 8, "latent_size": 2, "hidden_size": 8, "num_filters": 4}
VARIANTS = {
    "hnn": ("pixelhnn", SMALL),
    "hnn_conv": ("pixelhnn", {**SMALL, "convolutional": True}),
    "hgn_euler": ("hgn", {**SIZES, "integrator": "euler"}),
    "hgn_determ": ("hgn", {**SIZES, "deterministic": True}),
    "hgn_no_f_psi": ("hgn", {**SIZES, "f_psi": False}),
    "hgn_leapfrog": ("hgn", SIZES),
    "hgn_centred": ("hgn", {**SIZES, "centre_frames": True, "gradient_rms": 0.5}),
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs" / "model.safetensors"


def saved(path, variant="hgn_leapfrog", **arguments):
    """A model whose weights are not those that a seed gives, and its file."""
    family, options = VARIANTS[variant]
    model = build_model(family, seed=1, **options)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.01)
    model.set_frame_statistics(torch.linspace(0, 1, 192).reshape(3, 8, 8), 0.3)
    save_model(model, path, family=family, options=options, **arguments)
    return model.eval()


def refusal(path):
    """The one line with which `load_model` refuses a file."""
    with pytest.raises(ValueError) as error:
        load_model(path)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_the_variants_cover_every_family():
    assert {family for family, _ in VARIANTS.values()} == set(FAMILIES)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_loaded_model_predicts_the_same_bit_for_bit(path, variant):
    model = saved(path, variant)
    frames = torch.rand(2, 5, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    for one, other in zip(
        load_model(path).predict(frames), model.predict(frames), strict=True
    ):
        assert one.isfinite().all() and torch.equal(one, other)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_loaded_model_holds_every_number_that_was_saved(path, variant):
    model = saved(path, variant)
    loaded = load_model(path).state_dict()
    assert loaded.keys() == model.state_dict().keys()
    for name, tensor in model.state_dict().items():
        assert torch.equal(loaded[name], tensor), name


def test_a_loaded_model_is_ready_to_predict(path):
    saved(path)
    assert not load_model(path).training


def test_the_file_says_how_to_rebuild_the_model_and_where_it_came_from(path):
    saved(path, provenance={"seed": 1, "commit": "abc"})
    with safe_open(path, "pt") as file:
        told = file.metadata()
    assert (told["format"], told["family"]) == (FORMAT, "hgn")
    assert json.loads(told["options"]) == SIZES
    assert json.loads(told["provenance"]) == {"seed": 1, "commit": "abc"}


def test_saving_leaves_only_the_model(path):
    saved(path)
    assert list(path.parent.iterdir()) == [path]


def test_a_missing_file_is_named(path):
    assert refusal(path) == f"{path} does not exist."


@pytest.mark.parametrize("kind", ["text", "empty", "HDF5", "truncated"])
def test_a_file_that_is_no_safetensors_is_named(path, kind):
    saved(path)
    whole = path.read_bytes()
    if kind == "HDF5":
        h5py.File(path, "w").close()
    else:
        half = whole[: len(whole) // 2]
        path.write_bytes({"text": b"weights", "empty": b"", "truncated": half}[kind])
    assert refusal(path).startswith(f"{path} is damaged or not safetensors")


def test_tensors_of_another_program_are_named_with_the_format(path):
    path.parent.mkdir()
    save_file({"weight": torch.ones(2)}, path)
    assert refusal(path) == f"{path} is a file of format None; expected {FORMAT!r}."


def test_another_version_of_the_format_is_refused(path):
    saved(path)
    rewrite(path, FORMAT, format="hgnpipe model 1")
    assert refusal(path) == (
        f"{path} is a file of format 'hgnpipe model 1'; expected {FORMAT!r}. Delete "
        f"it, and `snakemake` makes it again."
    )


def test_an_unknown_family_is_answered_with_the_known_ones(path):
    saved(path)
    rewrite(path, FORMAT, family="hgm")
    assert "Unknown model family 'hgm'. Known: hgn, pixelhnn." in refusal(path)


def test_options_that_the_family_does_not_have_are_named(path):
    saved(path)
    rewrite(path, FORMAT, options=json.dumps({**SIZES, "width": 3}))
    assert "Unknown option 'width' of model family 'hgn'" in refusal(path)


@pytest.mark.parametrize("change", ["other shapes", "missing", "too many"])
def test_weights_that_do_not_fit_the_model_are_refused(path, change):
    state = saved(path).state_dict()
    tensors = {name: tensor.contiguous() for name, tensor in state.items()}
    if change == "missing":
        tensors.popitem()
    elif change == "too many":
        tensors["more"] = torch.ones(2)
    else:
        tensors = {name: torch.ones(3, 2) for name in tensors}
    rewrite(path, FORMAT, tensors)
    assert refusal(path).startswith(f"{path} does not fit model family 'hgn'")


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_seed_fixes_the_weights(variant):
    family, options = VARIANTS[variant]
    one, same, other = (
        torch.cat(
            [w.ravel() for w in build_model(family, seed=s, **options).parameters()]
        )
        for s in (4, 4, 5)
    )
    assert torch.equal(one, same) and not torch.equal(one, other)


@pytest.mark.parametrize("variant", VARIANTS)
def test_drawing_weights_leaves_the_global_generator_alone(variant):
    family, options = VARIANTS[variant]
    before = torch.get_rng_state()
    build_model(family, seed=3, **options)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_global_generator_does_not_change_the_weights():
    weights = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        weights.append(build_model("hgn", seed=3, **SIZES).state_dict())
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_options_are_completed_with_what_the_family_asks_for():
    assert complete_options("hgn", {"dt": 0.1}, 9, 16) == {
        "num_frames": 9, "image_size": 16, "dt": 0.1,
    }  # fmt: skip
    assert complete_options("pixelhnn", {}, 9, 16) == {"image_size": 16}


def test_options_that_are_given_are_not_completed():
    assert complete_options("hgn", {"num_frames": 5}, 9, 16)["num_frames"] == 5


def test_completing_leaves_the_options_as_they_were():
    options = {"dt": 0.1}
    complete_options("hgn", options, 9, 16)
    assert options == {"dt": 0.1}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_is_in_a_module_of_its_name(family):
    assert family_class(family).__module__ == f"hgnpipe.models.{family}"
