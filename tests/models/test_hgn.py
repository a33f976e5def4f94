import inspect
import math

import pytest
import torch
import typing_extensions

from hgnpipe.models.base import PhaseSpaceModel, energy_of

VARIANTS = {
    "leapfrog": {},
    "euler": {"integrator": "euler"},
    "deterministic": {"deterministic": True},
    "no_f_psi": {"f_psi": False},
    "vector": {"num_pairs": 2, "num_keypoints": 3, "hidden_size": 8},
}
every_variant = pytest.mark.parametrize("options", VARIANTS.values(), ids=VARIANTS)
VECTOR = VARIANTS["vector"]
STILL = {"deterministic": True, "gradient_rms": 1.0}


@pytest.fixture
def frames():
    return torch.rand(3, 4, 3, 8, 8, generator=generator(1))


def generator(seed):
    return torch.Generator().manual_seed(seed)


def fix_posterior_std(model, std):
    """Let the encoder give the same standard deviation whatever it sees."""
    last = model.encoder[-1]
    with torch.no_grad():
        last.weight[model.z_shape[0] :] = 0
        last.bias[model.z_shape[0] :] = 2 * math.log(std)


def losses(model, frames, iteration, seeds=(0, 1)):
    return [model.loss(frames, iteration, generator(s))["loss"].item() for s in seeds]


@pytest.mark.parametrize(
    "options",
    [
        *VARIANTS.values(),
        {"printed_decoder": True},
        {"bf16_decoder": True},
        {"centre_frames": True},
    ],
    ids=[*VARIANTS, "printed_decoder", "bf16_decoder", "centre_frames"],
)
def test_every_parameter_gets_a_gradient(tiny_hgn, frames, options):
    model = tiny_hgn(**options)
    model.loss(frames, 0, generator(0))["loss"].backward()
    named = [(n, p) for n, p in model.named_parameters() if p.numel() > 0]
    assert [n for n, p in named if p.grad is None or not p.grad.any()] == []


def test_16_bits_in_the_decoder_change_a_loss_by_little_and_no_prediction(
    tiny_hgn, frames
):
    exact, short = tiny_hgn(), tiny_hgn(bf16_decoder=True)
    short.load_state_dict(exact.state_dict())
    found, expected = (
        model.loss(frames, 0, generator(0))["mse"].item() for model in (short, exact)
    )
    assert found != expected and found == pytest.approx(expected, rel=0.01)
    torch.testing.assert_close(
        short.predict(frames).frames, exact.predict(frames).frames, rtol=0, atol=0
    )


@every_variant
def test_a_step_against_the_gradient_lowers_the_loss(tiny_hgn, frames, options):
    model = tiny_hgn(geco_rate=0.0, **options)
    networks = list(model.parameters())
    loss = model.loss(frames, 0, generator(0))["loss"]
    gradients = torch.autograd.grad(loss, networks, materialize_grads=True)
    length = sum(g.square().sum() for g in gradients).sqrt()
    with torch.no_grad():
        for parameter, slope in zip(networks, gradients, strict=True):
            parameter -= 1e-3 * slope / length
    lower = model.loss(frames, 0, generator(0))["loss"]
    assert (loss - lower).item() == pytest.approx(1e-3 * length.item(), rel=0.2)


def test_the_loss_is_the_kl_per_element_plus_the_weighted_constraint(tiny_hgn, frames):
    model = tiny_hgn(kappa=0.01, geco_rate=0.0)
    fix_posterior_std(model, std=1e-9)
    mean = model.posterior(frames).mean
    kl = (mean**2 + 1e-18 - 1 - math.log(1e-18)).flatten(1).sum(1).mean() / 2
    mse = (model.predict(frames).frames - frames).square().mean()
    terms = model.loss(frames, 0, generator(0))
    expected = kl / (4 * 3 * 8 * 8) + 1.0 * (mse - 0.01)
    torch.testing.assert_close(terms["loss"], expected)
    torch.testing.assert_close(terms["mse"], mse)
    torch.testing.assert_close(terms["kl"], kl)
    assert terms["multiplier"].item() == pytest.approx(1)


def test_the_posterior_is_what_the_encoder_says(tiny_hgn, frames):
    model = tiny_hgn()
    fix_posterior_std(model, std=0.3)
    posterior = model.posterior(frames)
    torch.testing.assert_close(posterior.stddev, torch.full((3, 6, 4, 4), 0.3))
    assert posterior.mean.std() > 0.01
    assert posterior.batch_shape == (3,)


def test_the_state_is_inferred_from_a_sample_of_the_posterior(tiny_hgn, frames):
    model, seen = tiny_hgn(), []
    fix_posterior_std(model, std=0.3)
    model.f_psi.register_forward_pre_hook(lambda _, z: seen.append(z[0].detach()))
    for seed in range(100):
        with torch.no_grad():
            model.loss(frames, 0, generator(seed))
    samples, mean = torch.stack(seen), model.posterior(frames).mean
    assert (samples - mean).std().item() == pytest.approx(0.3, rel=0.03)
    torch.testing.assert_close(samples.mean(0), mean, rtol=0, atol=0.15)


def test_the_deterministic_variant_is_the_error_of_the_mean_alone(tiny_hgn, frames):
    model = tiny_hgn(deterministic=True)
    terms = model.loss(frames, 0, generator(0))
    mse = (model.predict(frames).frames - frames).square().mean()
    assert set(terms) == {"loss", "mse"}
    torch.testing.assert_close(terms["loss"], mse)


@every_variant
def test_the_loss_needs_no_generator(tiny_hgn, frames, options):
    assert tiny_hgn(num_decoded=1, **options).loss(frames, 0)["loss"].isfinite()


def test_all_randomness_of_the_loss_comes_from_the_generator(tiny_hgn, frames):
    model, values = tiny_hgn(num_decoded=2, geco_rate=0.0), []
    for seed in (0, 1):
        torch.manual_seed(seed)
        values += losses(model, frames, 0, seeds=[5])
    assert values[0] == values[1]


@pytest.mark.parametrize("num_decoded", [1, 3])
def test_decoding_few_frames_estimates_the_loss_without_bias(
    tiny_hgn, frames, num_decoded
):
    frames = frames * torch.linspace(0.1, 1, 4)[:, None, None, None]
    full = losses(tiny_hgn(**STILL), frames, 0)[0]
    model = tiny_hgn(num_decoded=num_decoded, **STILL)
    with torch.no_grad():
        estimates = torch.tensor(losses(model, frames, 0, range(200)))
    spread = estimates.std().item()
    assert spread > 0
    assert estimates.mean().item() == pytest.approx(full, abs=4 * spread / 14)


def test_the_decoder_works_on_as_many_frames_as_told(tiny_hgn, frames):
    model, seen = tiny_hgn(num_decoded=2), []
    model.decoder.to_rgb.register_forward_hook(lambda *hook: seen.append(hook[2]))
    model.loss(frames, 0, generator(0))
    assert len(seen[0]) == 3 * 2


def test_during_the_delay_there_is_neither_noise_nor_kl(tiny_hgn, frames):
    model = tiny_hgn(kl_delay=5, kappa=0.01, geco_start=5)
    one, other = losses(model, frames, 4)
    mse = (model.predict(frames).frames - frames).square().mean().item()
    assert one == other == pytest.approx(mse - 0.01, rel=1e-4)


def test_after_the_delay_there_is_noise(tiny_hgn, frames):
    one, other = losses(tiny_hgn(kl_delay=5, geco_rate=0.0), frames, 5)
    assert one != other


def test_noise_and_kl_grow_evenly_over_the_ramp(tiny_hgn):
    model = tiny_hgn(kl_delay=2, kl_ramp=2)
    weights = [model.warm_up.stochastic_weight(i) for i in range(7)]
    assert weights == pytest.approx([0, 0, 1 / 3, 2 / 3, 1, 1, 1])


def test_without_delay_and_ramp_noise_and_kl_are_whole_from_the_start(tiny_hgn):
    assert tiny_hgn().warm_up.stochastic_weight(0) == 1


def test_the_horizon_grows_as_told_up_to_the_whole_video(tiny_hgn):
    model = tiny_hgn(num_frames=5, horizon_growth=10, first_horizon=2)
    horizons = [model.warm_up.horizon(i) for i in (0, 9, 10, 19, 20, 1000)]
    assert horizons == [2, 2, 3, 3, 4, 4]


def test_without_growth_the_horizon_is_the_whole_video(tiny_hgn):
    assert tiny_hgn(num_frames=5).warm_up.horizon(0) == 4


def test_frames_beyond_the_horizon_do_not_count(tiny_hgn, frames):
    model = tiny_hgn(horizon_growth=10, **STILL)
    error = (model.predict(frames).frames - frames).square()
    assert losses(model, frames, 0)[0] == pytest.approx(error[:, :2].mean().item())
    assert losses(model, frames, 10)[0] == pytest.approx(error[:, :3].mean().item())


@every_variant
def test_every_variant_comes_apart_into_inference_motion_and_decoder(tiny_hgn, options):
    assert isinstance(tiny_hgn(**options), PhaseSpaceModel)


def test_newer_pythons_see_that_as_well(tiny_hgn):
    # From Python 3.12 on, isinstance sees only what is not looked up dynamically.
    model = tiny_hgn()
    for name in typing_extensions.get_protocol_members(PhaseSpaceModel):
        inspect.getattr_static(model, name)


@every_variant
def test_the_inferred_state_is_that_of_the_posterior_mean(tiny_hgn, frames, options):
    model = tiny_hgn(**options)
    expected = model.state_of(model.posterior(frames).mean)
    for found, known in zip(model.infer(frames).state, expected, strict=True):
        assert torch.equal(found, known)


def test_the_inferred_variance_is_the_square_of_what_the_encoder_says(tiny_hgn, frames):
    model = tiny_hgn()
    fix_posterior_std(model, std=0.3)
    variance = model.infer(frames).variance
    torch.testing.assert_close(variance, torch.full((3, 6 * 4 * 4), 0.09))


def test_without_f_psi_variances_are_those_of_q_and_then_of_p(tiny_hgn, frames):
    model = tiny_hgn(f_psi=False)
    q, p = model.posterior(frames).variance.chunk(2, dim=1)
    expected = torch.cat([q.flatten(1), p.flatten(1)], dim=1)
    assert torch.equal(model.infer(frames).variance, expected)


def test_the_inferred_kl_is_that_of_the_prediction(tiny_hgn, frames):
    model = tiny_hgn()
    assert model.infer(frames).kl.min() > 0
    torch.testing.assert_close(model.infer(frames).kl, model.predict(frames).kl)


def test_a_deterministic_model_infers_no_variance_and_no_kl(tiny_hgn, frames):
    _, kl, variance = tiny_hgn(deterministic=True).infer(frames)
    assert variance is None and torch.equal(kl, torch.zeros(3))


@pytest.mark.parametrize("speed", [1.0, -1.0, 0.5])
@every_variant
def test_the_parts_together_are_the_prediction(tiny_hgn, frames, options, speed):
    model = tiny_hgn(**options)
    path = model.rollout(model.infer(frames).state, speed * model.dt, 5)
    made = model.predict(frames, speed=speed, num_steps=5)
    torch.testing.assert_close(model.decode_path(path), made.frames)
    torch.testing.assert_close(energy_of(model, path), made.energy)


def test_the_frames_of_a_path_depend_on_positions_alone(tiny_hgn, frames):
    model = tiny_hgn()
    path = model.rollout(model.infer(frames).state, model.dt, 2)
    shown = model.decode_path(path)
    assert torch.equal(model.decode_path(path._replace(p=path.p + 1)), shown)
    assert not torch.equal(model.decode_path(path._replace(q=path.q + 1)), shown)


@every_variant
@pytest.mark.parametrize(("num_steps", "length"), [(None, 6), (0, 1), (9, 10)])
def test_a_prediction_is_as_long_as_asked(tiny_hgn, options, num_steps, length):
    model = tiny_hgn(**options)
    made = model.predict(torch.rand(2, 6, 3, 8, 8), num_steps=num_steps)
    assert made.frames.shape == (2, length, 3, 8, 8)
    assert made.energy.shape == (2, length)
    assert made.kl.shape == (2,)
    assert ((made.frames >= 0) & (made.frames <= 1)).all()


def test_a_prediction_tells_the_kl_of_each_video(tiny_hgn, frames):
    model = tiny_hgn()
    mean, std = model.posterior(frames).mean, model.posterior(frames).stddev
    kl = (mean**2 + std**2 - 1 - 2 * std.log()).flatten(1).sum(1) / 2
    torch.testing.assert_close(model.predict(frames).kl, kl.detach())
    assert not tiny_hgn(deterministic=True).predict(frames).kl.any()


def test_a_prediction_tells_the_energy_along_the_way(tiny_hgn, frames):
    model = tiny_hgn(gradient_rms=1.0)
    path = model.rollout(model.state_of(model.posterior(frames).mean), 0.125, 3)
    expected = [model.hamiltonian(path.q[:, t], path.p[:, t]) for t in range(4)]
    energy = model.predict(frames).energy
    torch.testing.assert_close(energy, torch.stack(expected, dim=1).detach())


def test_a_prediction_looks_at_the_first_frames_only(tiny_hgn):
    model, video = tiny_hgn(), torch.rand(2, 7, 3, 8, 8)
    changed = torch.cat([video[:, :4], torch.rand(2, 3, 3, 8, 8)], dim=1)
    assert torch.equal(model.predict(video).frames, model.predict(changed).frames)
    changed[:, 3] = 0
    assert not torch.equal(model.predict(video).frames, model.predict(changed).frames)


def test_a_prediction_has_no_noise(tiny_hgn, frames):
    model = tiny_hgn()
    assert torch.equal(model.predict(frames).frames, model.predict(frames).frames)


def test_what_is_played_backwards_leads_back_to_the_start(tiny_hgn, frames):
    model = tiny_hgn(gradient_rms=1.0)
    start = model.state_of(model.posterior(frames).mean)
    there = model.rollout(start, -model.dt, 8)
    back = model.rollout(type(start)(there.q[:, -1], there.p[:, -1]), model.dt, 8)
    assert (there.q[:, -1] - start.q).abs().max() > 0.1
    torch.testing.assert_close(back.q[:, -1], start.q, rtol=0, atol=1e-4)
    shown = model.predict(frames, speed=-1.0, num_steps=8).frames
    torch.testing.assert_close(shown, model.decode(there.q).detach())


@pytest.mark.parametrize(("speed", "every"), [(0.5, 2), (0.25, 4)])
def test_slow_motion_shows_the_same_motion_in_more_frames(
    tiny_hgn, frames, speed, every
):
    model = tiny_hgn(gradient_rms=1.0)
    usual = model.predict(frames, num_steps=8).frames
    slow = model.predict(frames, speed=speed, num_steps=8 * every).frames[:, ::every]
    moved = (usual - usual[:, :1]).abs().max()
    assert (slow - usual).abs().max() < 0.02 * moved


def test_dreams_have_the_shape_of_predictions_and_differ(tiny_hgn):
    made = tiny_hgn().sample(5, 6, generator=generator(0))
    assert made.frames.shape == (5, 7, 3, 8, 8)
    assert made.energy.shape == (5, 7)
    assert not made.kl.any()
    assert made.frames[:, 0].flatten(1).unique(dim=0).shape[0] == 5


@pytest.mark.parametrize("inferred", ["first", "middle", "last"])
def test_dreams_begin_at_the_first_frame_whichever_is_inferred(tiny_hgn, inferred):
    model = tiny_hgn(inferred_frame=inferred, gradient_rms=1.0)
    start = model.sample_states(3, generator(0))
    path = model.rollout(start, model.dt, model.num_frames - 1)
    made = model.sample(3, model.num_frames - 1, generator=generator(0))
    torch.testing.assert_close(made.frames, model.decode_path(path))
    z = torch.empty(3, *model.z_shape).normal_(generator=generator(0))
    expected = model.state_of(z).q
    torch.testing.assert_close(
        path.q[:, model.inferred], expected, rtol=1e-4, atol=1e-5
    )


def test_states_of_the_posterior_lie_about_the_inferred_one(tiny_hgn, frames):
    model = tiny_hgn(f_psi=False, inferred_frame="middle", gradient_rms=1e-3)
    many = frames[:1].expand(4000, *frames.shape[1:])
    drawn = model.sample_inferred(many, generator(0))
    mean, _, variance = model.infer(frames[:1])
    for number, (found, expected) in enumerate(zip(drawn, mean, strict=True)):
        spread = variance.chunk(2, dim=1)[number].view_as(expected).sqrt()
        assert ((found.mean(0) - expected[0]).abs() < 0.1 * spread[0]).all()
        torch.testing.assert_close(found.std(0), spread[0], rtol=0.1, atol=0)


def test_the_generator_decides_what_is_dreamt(tiny_hgn):
    model = tiny_hgn()
    one, same, other = (model.sample(2, 1, generator=generator(s)) for s in (0, 0, 1))
    assert torch.equal(one.frames, same.frames)
    assert not torch.equal(one.frames, other.frames)


def test_dreams_start_from_the_unit_gaussian(tiny_hgn):
    model, seen = tiny_hgn(), []
    model.f_psi.register_forward_pre_hook(lambda _, z: seen.append(z[0]))
    model.sample(200, 0, generator=generator(0))
    assert seen[0].shape == (200, 6, 4, 4)
    assert seen[0].mean().item() == pytest.approx(0, abs=0.03)
    assert seen[0].std().item() == pytest.approx(1, abs=0.03)


def test_a_deterministic_model_has_nothing_to_dream_of(tiny_hgn):
    with pytest.raises(ValueError, match="no prior"):
        tiny_hgn(deterministic=True).sample(1, 1)


def test_half_the_channels_are_the_position_and_half_the_momentum(tiny_hgn):
    z = torch.randn(2, 4, 4, 4)
    q, p = tiny_hgn(f_psi=False).state_of(z)
    assert torch.equal(q, z[:, :2]) and torch.equal(p, z[:, 2:])


@pytest.mark.parametrize(("f_psi", "channels"), [(True, 48), (False, 32)])
def test_the_latent_variable_has_the_size_of_the_paper(tiny_hgn, f_psi, channels):
    model = tiny_hgn(f_psi=f_psi, latent_channels=16)
    z = model.posterior(torch.rand(1, 4, 3, 8, 8)).mean
    assert z.shape == (1, channels, 4, 4)


@pytest.mark.parametrize("shape", [(2, 3, 3, 8, 8), (2, 4, 3, 16, 16), (1, 9, 3, 4, 4)])
def test_videos_that_do_not_fit_the_encoder_are_refused(tiny_hgn, shape):
    with pytest.raises(ValueError, match=r"at least 4 frames of \(3, 8, 8\)"):
        tiny_hgn().posterior(torch.rand(shape))


@every_variant
def test_large_pictures_work_as_well(tiny_hgn, options):
    model = tiny_hgn(image_size=64, **options)
    made = model.predict(torch.rand(1, 4, 3, 64, 64))
    assert made.frames.shape == (1, 4, 3, 64, 64)


def test_a_centred_model_starts_at_the_mean_image(tiny_hgn, frames):
    model = tiny_hgn(centre_frames=True)
    mean = frames.mean(dim=(0, 1))
    model.set_frame_statistics(mean, 0.3)
    difference = (model.predict(frames).frames - mean).abs()
    assert difference.mean() < 0.1 * (frames - mean).abs().mean()


def test_a_model_that_is_not_centred_ignores_the_mean_image(tiny_hgn, frames):
    told, untold = tiny_hgn(), tiny_hgn()
    told.set_frame_statistics(frames.mean(dim=(0, 1)), 0.3)
    assert torch.equal(told.predict(frames).frames, untold.predict(frames).frames)


@pytest.mark.parametrize(
    ("option", "value", "legal"),
    [
        ("num_frames", 1, "2 or more"), ("image_size", 30, "8, 16, 32, 64"),
        ("integrator", "leapforg", "euler, leapfrog"), ("dt", 0.0, "positive"),
        ("kappa", 0.0, "positive"), ("num_filters", 1, "2 or more"),
        ("latent_channels", 0, "1 or more"), ("num_pairs", 0, "1 or more"),
        ("num_targets", 3, r"num_frames \(4\) or more"),
        ("inferred_frame", "second", "first, last, middle"),
        ("geco_rate", -0.1, "zero or positive"), ("multiplier", 20.0, "0.1 to 10.0"),
        ("geco_start", -1, "zero or positive"), ("num_decoded", 0, "between 1 and"),
        ("num_decoded", 5, "and 4"), ("kl_delay", -1, "zero or positive"),
        ("kl_ramp", -1, "zero or positive"), ("first_horizon", 0, "1 or more"),
        ("horizon_growth", -1, "zero or positive"),
    ],
)  # fmt: skip
def test_a_bad_option_is_answered_with_what_is_legal(tiny_hgn, option, value, legal):
    with pytest.raises(
        ValueError, match=f"(?s){option.split('_')[-1]}.*{value}.*{legal}"
    ):
        tiny_hgn(**{option: value})


@pytest.mark.parametrize("options", [{}, VECTOR], ids=["image", "vector"])
@pytest.mark.parametrize(("inferred", "before"), [("middle", 2), ("last", 4)])
def test_the_state_of_a_later_frame_is_rolled_back_to_the_first(
    tiny_hgn, inferred, before, options
):
    video = torch.rand(2, 5, 3, 8, 8)
    model = tiny_hgn(num_frames=5, inferred_frame=inferred, gradient_rms=1.0, **options)
    expected = model.state_of(model.posterior(video).mean)
    first = model.infer(video).state
    path = model.rollout(first, model.dt, before)
    assert (first.q - expected.q).abs().max() > 0.01
    torch.testing.assert_close(path.q[:, before], expected.q, rtol=0, atol=1e-5)
    torch.testing.assert_close(path.p[:, before], expected.p, rtol=0, atol=1e-5)


@pytest.mark.parametrize("inferred", ["first", "middle", "last"])
def test_the_loss_of_a_frame_is_that_of_the_prediction_of_this_frame(
    tiny_hgn, inferred
):
    model = tiny_hgn(num_frames=5, inferred_frame=inferred, **STILL)
    video = torch.rand(3, 5, 3, 8, 8)
    mse = (model.predict(video).frames - video).square().mean().item()
    assert losses(model, video, 0)[0] == pytest.approx(mse, rel=1e-4)


def test_the_encoder_sees_the_middle_of_a_longer_training_sample(tiny_hgn):
    model = tiny_hgn(num_frames=3, num_targets=7, kl_delay=9, **VECTOR)
    assert (model.num_frames, model.window) == (3, 7)
    video, seen = torch.rand(2, 7, 3, 8, 8), []
    model.encoder.register_forward_pre_hook(lambda _, x: seen.append(x[0]))
    model.loss(video, 0)
    model.predict(video)
    assert torch.equal(seen[0], video[:, 2:5]) and torch.equal(seen[1], video[:, :3])


@pytest.mark.parametrize(("inferred", "place"), [("first", 2), ("middle", 3)])
def test_all_frames_of_a_longer_sample_are_targets(tiny_hgn, inferred, place):
    model = tiny_hgn(
        num_frames=3, num_targets=7, inferred_frame=inferred, **STILL, **VECTOR
    )
    video = torch.rand(2, 7, 3, 8, 8)
    state = model.state_of(model.posterior(video[:, 2:5]).mean)
    back = model.rollout(state, -model.dt, place)
    first = type(state)(back.q[:, -1], back.p[:, -1])
    shown = model.decode(model.rollout(first, model.dt, 6).q)
    expected = (shown - video).square().mean().item()
    assert losses(model, video, 0)[0] == pytest.approx(expected, rel=1e-4)


def test_a_model_with_longer_training_samples_predicts_shorter_videos(tiny_hgn):
    model = tiny_hgn(num_frames=3, num_targets=7)
    assert model.predict(torch.rand(2, 3, 3, 8, 8)).frames.shape == (2, 3, 3, 8, 8)


def test_from_the_middle_the_horizon_grows_in_both_directions(tiny_hgn):
    model = tiny_hgn(num_frames=5, inferred_frame="middle", horizon_growth=10, **STILL)
    video = torch.rand(3, 5, 3, 8, 8)
    error = (model.predict(video).frames - video).square().mean((0, 2, 3, 4))
    for iteration, span in [(0, slice(1, 4)), (10, slice(0, 5))]:
        found = losses(model, video, iteration)[0]
        assert found == pytest.approx(error[span].mean().item(), rel=1e-4)


def test_a_vector_state_has_as_many_pairs_as_asked(tiny_hgn, frames):
    model = tiny_hgn(num_pairs=3)
    state, _, variance = model.infer(frames)
    assert state.q.shape == state.p.shape == (3, 3)
    assert variance.shape == (3, 6)


@pytest.mark.parametrize(
    ("kappa", "end"), [(1e-9, 10.0), (1.0, 0.1)], ids=["tight", "loose"]
)
def test_geco_moves_from_its_start_on_and_says_where_it_ended(
    tiny_hgn, frames, kappa, end
):
    model = tiny_hgn(kappa=kappa, geco_rate=1.0, geco_start=3)
    found = [model.loss(frames, n)["multiplier"].item() for n in range(8)]
    assert found[:3] == [1, 1, 1] and found[3] != 1
    assert found[-1] == pytest.approx(end)
    assert f"bound {end:g}" in model.remark


def test_a_deterministic_model_has_nothing_to_remark(tiny_hgn):
    assert tiny_hgn(deterministic=True).remark == ""


@every_variant
def test_a_diverged_model_has_a_loss_that_says_so(tiny_hgn, frames, options):
    model = tiny_hgn(**options)
    with torch.no_grad():
        next(model.encoder.parameters()).fill_(math.nan)
    assert model.loss(frames, 0, generator(0))["loss"].isnan()


def test_a_variance_that_nothing_holds_does_no_harm_while_the_kl_term_is_off(
    tiny_hgn, frames
):
    model = tiny_hgn(kl_delay=1)
    fix_posterior_std(model, 1e30)
    terms = model.loss(frames, 0, generator(0))
    assert not terms["kl"].isfinite() and terms["loss"].isfinite()


@pytest.mark.parametrize("frame", ["middle", "last"])
def test_euler_whose_steps_cannot_be_taken_back_infers_the_first_frame(tiny_hgn, frame):
    assert tiny_hgn(integrator="euler", inferred_frame="first").inferred == 0
    with pytest.raises(ValueError, match="first where integrator is euler"):
        tiny_hgn(integrator="euler", inferred_frame=frame)
