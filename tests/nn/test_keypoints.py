import pytest
import torch

from hgnpipe.nn.keypoints import (
    KeypointDecoder,
    KeypointEncoder,
    NearlyLinear,
    places_of,
)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def dot(row, column, size=32):
    """Picture of a white dot around a place given from -1 to 1."""
    places = places_of(size)
    distance = (places - torch.tensor([row, column])[:, None, None]).square().sum(0)
    return (distance < 0.05).float().expand(3, -1, -1)


def test_places_go_from_the_upper_left_to_the_lower_right():
    places = places_of(3)
    assert places.shape == (2, 3, 3)
    assert places[:, 0, 0].tolist() == [-1, -1]
    assert places[:, 2, 1].tolist() == [1, 0]


@pytest.mark.parametrize("image_size", [8, 16, 32, 64, 128])
def test_encoder_and_decoder_fit_any_picture(image_size):
    frames = torch.rand(2, 3, 3, image_size, image_size)
    assert KeypointEncoder(3, 7, image_size, 4, 4, 8)(frames).shape == (2, 7)
    pictures = KeypointDecoder(5, image_size, 4, 4, 8).logits(torch.randn(2, 5))
    assert pictures.shape == (2, 3, image_size, image_size)


def test_a_keypoint_is_the_mean_place_of_a_softmax():
    encoder = KeypointEncoder(1, 2, 32, 1, 4, 8)
    maps = torch.full((1, 1, 16, 16), -100.0)
    maps[0, 0, 3, 5] = maps[0, 0, 3, 9] = 0
    encoder.maps.register_forward_hook(lambda *_: maps)
    found = encoder.keypoints(torch.rand(1, 3, 32, 32))
    expected = (places_of(16)[:, 3, 5] + places_of(16)[:, 3, 9]) / 2
    torch.testing.assert_close(found[0, 0], expected)


def test_keypoints_of_frames_are_those_of_each_by_itself():
    encoder, frames = KeypointEncoder(3, 6, 16, 4, 4, 8), torch.rand(2, 3, 3, 16, 16)
    alone = [encoder.keypoints(frames[:, t]).flatten(1) for t in range(3)]
    torch.testing.assert_close(encoder(frames), encoder.head(torch.cat(alone, 1)))


def test_an_untrained_keypoint_already_depends_on_where_something_is():
    encoder = KeypointEncoder(1, 2, 32, 8, 8, 8)
    places = torch.linspace(-0.6, 0.6, 7)
    pictures = torch.stack([dot(0.0, x) for x in places])
    moved = encoder.keypoints(5 * pictures)
    assert moved.std(0).max() > 0.03


def test_a_keypoint_of_the_decoder_paints_around_its_place():
    decoder = KeypointDecoder(2, 32, 1, 8, 8)
    with torch.no_grad():
        decoder.head.bent[-1].weight.zero_()
        decoder.head.linear.weight.copy_(torch.eye(2))
        decoder.head.linear.bias.zero_()
    here, there = torch.tensor([[-0.5, 0.25]]), torch.tensor([[0.5, -0.25]])
    change = (decoder.logits(here) - decoder.logits(there)).abs().sum(1)[0]
    corner = change[:4, -4:].mean()
    for place in (here, there):
        row, column = ((place[0] + 1) / 2 * 31).round().int().tolist()
        assert change[row, column] > 3 * corner


def test_a_nearly_linear_map_starts_with_a_small_bend():
    layer, x = NearlyLinear(50, 20, 64, gain=0.5), torch.randn(400, 50)
    linear, bent = layer.linear(x), layer.bent(x)
    assert linear.std().item() == pytest.approx(0.5, rel=0.1)
    assert 0.01 < bent.std() / linear.std() < 0.3
    torch.testing.assert_close(layer(x), linear + bent)


def test_a_nearly_linear_map_can_bend():
    layer, x = NearlyLinear(1, 1, 32), torch.linspace(-1, 1, 64)[:, None]
    descent = torch.optim.Adam(layer.parameters(), lr=1e-2)
    for _ in range(300):
        loss = (layer(x) - x.abs()).square().mean()
        descent.zero_grad()
        loss.backward()
        descent.step()
    assert loss < 1e-3  # the best line is at 0.08
