"""Options of every family of models and flows, and whether they have an effect."""

import inspect

import pytest
import torch

from hgnpipe.flows import FLOWS, build_flow
from hgnpipe.models import MODELS, build_model, complete_options

HGN = {"num_frames": 4, "image_size": 8, "num_filters": 4, "latent_channels": 2}
HNN = {"image_size": 8, "latent_size": 2, "hidden_size": 8, "num_filters": 4}
NHF = {"num_dims": 2, "num_steps": 2, "hidden_size": 8}

VARIANTS = {
    "hgn": ("hgn", HGN),
    "hgn_determ": ("hgn", {**HGN, "deterministic": True}),
    "hgn_no_f_psi": ("hgn", {**HGN, "f_psi": False}),
    "hgn_growing": ("hgn", {**HGN, "horizon_growth": 2, "kl_ramp": 1}),
    "hgn_vector": ("hgn", {**HGN, "num_pairs": 1}),
    "hgn_fixed": ("hgn", {**HGN, "geco_rate": 0.0}),
    "hgn_few_seen": ("hgn", {**HGN, "num_targets": 6}),
    "hgn_joint": ("hgn", {**HGN, "integrator": "rk4", "separable": False}),
    "latent_ode": ("latent_ode", HGN),
    "latent_ode_vector": ("latent_ode", {**HGN, "num_pairs": 1}),
    "latent_gru": ("latent_gru", {**HGN, "num_pairs": 1}),
    "hnn": ("pixelhnn", HNN),
    "hnn_conv": ("pixelhnn", {**HNN, "convolutional": True}),
    "nhf": ("nhf", NHF),
    "nhf_normal": ("nhf", {**NHF, "prior": "normal"}),
    "nhf_importance": ("nhf", {**NHF, "num_importance_samples": 2}),
    "rnvp": ("realnvp", NHF),
}
OF_VECTORS = {"num_keypoints", "hidden_size", "prior_components"}
OF_GECO = {"multiplier_bounds", "geco_start"}
UNUSED = {
    "hgn": {"first_horizon"} | OF_VECTORS,
    "hgn_determ": {
        "kappa",
        "multiplier",
        "kl_delay",
        "kl_ramp",
        "first_horizon",
        "geco_rate",
        *OF_GECO,
        *OF_VECTORS,
    },
    "hgn_no_f_psi": {"first_horizon"} | OF_VECTORS,
    "hgn_growing": OF_VECTORS,
    "hgn_vector": {"first_horizon", "latent_channels", "printed_decoder"},
    "hgn_fixed": {"first_horizon"} | OF_GECO | OF_VECTORS,
    "hgn_few_seen": {"first_horizon"} | OF_VECTORS,
    "hgn_joint": {"first_horizon"} | OF_VECTORS,
    "latent_ode": {"first_horizon"} | OF_VECTORS,
    "latent_ode_vector": {"first_horizon", "latent_channels", "printed_decoder"},
    "latent_gru": {"dt", "first_horizon", "latent_channels", "printed_decoder"},
    "hnn": {"num_filters"},
    "hnn_conv": set(),
    "nhf": {"elbo_iterations"},
    "nhf_normal": {"sigma", "beta", "elbo_iterations"},
    "nhf_importance": set(),
    "rnvp": set(),
}
for _variant, (_family, _options) in VARIANTS.items():
    if _family in ("hgn", "latent_gru", "latent_ode") and "num_targets" not in _options:
        UNUSED[_variant] |= {"seen"}
OTHERS = {
    "integrator": "euler", "dt": 0.4, "kappa": 0.2, "multiplier": 3.0, "num_filters": 6,
    "latent_channels": 3, "printed_decoder": True, "bf16_decoder": True,
    "centre_frames": True, "orthogonal": True, "gradient_rms": 0.7, "num_decoded": 2,
    "kl_delay": 2, "kl_ramp": 4, "horizon_growth": 1, "first_horizon": 2,
    "hidden_size": 10, "hnn_weight": 0.9, "num_steps": 4, "num_leapfrog": 2,
    "sigma": 3.0, "beta": 2.0, "feature_scale": 2.0, "num_importance_samples": 3,
    "elbo_iterations": 2, "multiplier_bounds": (0.5, 1.001), "geco_rate": 0.02,
    "geco_start": 2, "num_pairs": 2, "num_keypoints": 3, "inferred_frame": "middle",
    "num_targets": 5, "num_frames": 3, "latent_size": 4, "image_size": 16,
    "num_dims": 3, "prior_components": 3, "seen": "first",
}  # fmt: skip
"""Another value of every option that is no choice between two."""
TOGETHER = {"separable": {"integrator": "rk4"}}
"""What an option cannot be changed without."""


def networks_of(family):
    return MODELS if family in MODELS.names() else FLOWS


def behaviour(family, options):
    """Numbers that any option with an effect would change: weights, losses, results."""
    noise = torch.Generator().manual_seed(1)
    if family in MODELS.names():
        network, size = build_model(family, **options), options["image_size"]
        data = torch.rand(3, 6, 3, size, size, generator=noise)
        network.set_frame_statistics(data.mean((0, 1)), 0.3)
        seen = data[:, : network.window]
        found = [x for x in network.predict(seen) if x is not None]
    else:
        network = build_flow(family, **options)
        data = seen = torch.randn(6, options["num_dims"], generator=noise)
        found = [network.sample(5, noise), *network.log_density(data, 2, noise)]
    for iteration in range(4):
        found += network.loss(seen, iteration, noise).values()
    found += network.state_dict().values()
    numbers = torch.cat([x.detach().double().ravel() for x in found])
    assert numbers.isfinite().all()
    return numbers


def changed(name, value):
    if isinstance(value, bool):
        return not value
    if name == "prior":
        return "normal" if value == "soft_uniform" else "soft_uniform"
    return OTHERS[name]


def test_the_variants_cover_every_family():
    covered = {family for family, _ in VARIANTS.values()}
    assert covered == {*MODELS.names(), *FLOWS.names()}


@pytest.mark.parametrize("variant", VARIANTS)
def test_exactly_the_options_that_are_called_unused_change_nothing(variant):
    family, given = VARIANTS[variant]
    families = networks_of(family)
    parameters = inspect.signature(families.find(family)).parameters
    options = {name: p.default for name, p in parameters.items()} | given
    before, without_effect = behaviour(family, options), set()
    for name, value in options.items():
        more = TOGETHER.get(name, {})
        after = behaviour(family, options | more | {name: changed(name, value)})
        if after.shape == before.shape and torch.equal(after, before):
            without_effect.add(name)
    assert families.unused(family, options) == without_effect == UNUSED[variant]


@pytest.mark.parametrize("variant", VARIANTS)
def test_only_options_that_are_given_are_called_unused(variant):
    family, options = VARIANTS[variant]
    found = networks_of(family).unused(family, options)
    assert found == UNUSED[variant] & options.keys()


VIDEOS = {"num_frames": 9, "image_size": 16, "latent_size": 8}


def test_options_are_completed_with_what_the_family_asks_for():
    assert complete_options("hgn", {"dt": 0.1}, **VIDEOS) == {
        "num_frames": 9, "image_size": 16, "dt": 0.1,
    }  # fmt: skip
    assert complete_options("pixelhnn", {}, **VIDEOS) == {
        "image_size": 16, "latent_size": 8,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("family", "name"), [("hgn", "num_frames"), ("pixelhnn", "latent_size")]
)
def test_options_that_are_given_are_not_completed(family, name):
    assert complete_options(family, {name: 5}, **VIDEOS)[name] == 5


def test_completing_leaves_the_options_as_they_were():
    options = {"dt": 0.1}
    complete_options("hgn", options, **VIDEOS)
    assert options == {"dt": 0.1}
