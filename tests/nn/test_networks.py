import pytest
import torch
from torch import nn

from hgnpipe.nn.networks import (
    MLP,
    ConvDecoder,
    ConvEncoder,
    FrameScaler,
    num_doublings,
)

every_size = pytest.mark.parametrize("image_size", [8, 32, 64])
either_form = pytest.mark.parametrize("printed_form", [False, True])


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def convolutions(network):
    return [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]


@every_size
def test_the_encoder_comes_down_to_the_latent_image(image_size):
    encoder = ConvEncoder(9, 5, image_size, num_filters=8)
    assert encoder(torch.rand(2, 3, 3, image_size, image_size)).shape == (2, 5, 4, 4)


def test_the_encoder_has_the_eight_layers_of_the_paper():
    widths = [layer.out_channels for layer in convolutions(ConvEncoder(93, 48, 32))]
    assert widths == [32, 64, 64, 64, 64, 64, 64, 48]


def test_the_encoder_output_is_not_cut_off_by_a_nonlinearity():
    out = ConvEncoder(3, 8, 8, num_filters=8)(torch.randn(64, 1, 3, 8, 8))
    assert out.quantile(0.25) < -0.2 * out.quantile(0.75)


def test_signals_keep_their_size_through_the_encoder():
    out = ConvEncoder(9, 48, 32)(torch.randn(8, 3, 3, 32, 32))
    assert 0.3 < out.std() < 3


@every_size
@either_form
def test_the_decoder_grows_the_latent_image_to_a_frame(image_size, printed_form):
    decoder = ConvDecoder(5, image_size, num_filters=8, printed_form=printed_form)
    frames = decoder(torch.randn(2, 5, 4, 4))
    assert frames.shape == (2, 3, image_size, image_size)


@either_form
def test_the_decoder_shows_pixel_values(printed_form):
    decoder = ConvDecoder(5, 8, num_filters=8, printed_form=printed_form)
    frames = decoder(100 * torch.randn(2, 5, 4, 4))
    assert ((frames >= 0) & (frames <= 1)).all()
    assert frames.min() < 0.5 < frames.max()


def test_the_released_decoder_learns_two_constant_channels_and_the_printed_one_none():
    inputs = [convolutions(ConvDecoder(5, 8, printed_form=p))[0] for p in (False, True)]
    assert [layer.in_channels for layer in inputs] == [7, 5]


def test_the_printed_decoder_closes_its_blocks_with_a_sigmoid():
    decoder = ConvDecoder(5, 32, num_filters=8, printed_form=True)
    seen = []
    decoder.to_rgb.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    decoder(100 * torch.randn(2, 5, 4, 4))
    assert (seen[0] >= 0).all() and (seen[0] <= 1).all()


def test_an_mlp_ends_without_a_nonlinearity():
    out = MLP([3, 16, 16, 2])(torch.randn(100, 3))
    assert out.shape == (100, 2)
    assert (out < 0).any()


def test_an_mlp_is_nonlinear():
    mlp, x = MLP([3, 16, 1], nn.Softplus, bias_last=False), torch.randn(10, 3)
    assert not torch.allclose(mlp(x) + mlp(-x), 2 * mlp(0 * x), atol=1e-3)


@pytest.mark.parametrize(("bias_last", "num_biases"), [(True, 3), (False, 2)])
def test_only_the_last_layer_of_an_mlp_can_go_without_a_bias(bias_last, num_biases):
    mlp = MLP([3, 8, 8, 1], bias_last=bias_last)
    assert sum(p.ndim == 1 for p in mlp.parameters()) == num_biases


@pytest.mark.parametrize(("size", "expected"), [(8, 1), (32, 3), (64, 4), (128, 5)])
def test_doublings_lead_from_the_latent_image_to_the_frame(size, expected):
    assert num_doublings(size, 4) == expected


@pytest.mark.parametrize("size", [-8, 0, 4, 30, 256])
def test_an_image_size_that_no_doubling_reaches_is_answered_with_those_that_it_does(
    size,
):
    with pytest.raises(ValueError, match=f"image_size is {size}.*8, 16, 32, 64, 128"):
        num_doublings(size, 4)


def scaler_of_some_frames(enabled):
    frames = torch.rand(100, 3, 8, 8) * torch.tensor([0.1, 0.5, 0.9])[:, None, None]
    mean = frames.mean(0)
    std = (frames - mean).square().mean().sqrt().item()
    scaler = FrameScaler(8, enabled)
    scaler.set_statistics(mean, std)
    return scaler, frames, mean


def test_enabled_the_scaler_shows_frames_centred_and_with_unit_variance():
    scaler, frames, _ = scaler_of_some_frames(enabled=True)
    scaled = scaler(frames)
    torch.testing.assert_close(scaled.mean(0), torch.zeros(3, 8, 8), atol=1e-5, rtol=0)
    assert scaled.square().mean().item() == pytest.approx(1, rel=1e-4)


def test_enabled_the_scaler_turns_zero_into_the_mean_image():
    scaler, frames, mean = scaler_of_some_frames(enabled=True)
    torch.testing.assert_close(scaler.to_pixels(0 * frames[0]), mean)


def test_disabled_the_scaler_passes_frames_on_and_gives_a_plain_sigmoid():
    scaler, frames, _ = scaler_of_some_frames(enabled=False)
    torch.testing.assert_close(scaler(frames), frames)
    torch.testing.assert_close(scaler.to_pixels(frames), torch.sigmoid(frames))


def test_a_mean_image_with_black_and_white_pixels_stays_finite():
    scaler = FrameScaler(8, enabled=True)
    scaler.set_statistics((torch.rand(3, 8, 8) > 0.5).float(), 1.0)
    assert scaler.logit.isfinite().all()


def test_the_statistics_travel_with_the_weights():
    scaler, frames, _ = scaler_of_some_frames(enabled=True)
    other = FrameScaler(8, enabled=True)
    other.load_state_dict(scaler.state_dict())
    torch.testing.assert_close(other(frames), scaler(frames))
    torch.testing.assert_close(other.to_pixels(frames), scaler.to_pixels(frames))
