import pytest
import torch
from torch.nn import functional as F

from hgnpipe.nn.decoding import reconstruction_error
from hgnpipe.nn.networks import ConvDecoder


@pytest.fixture
def decoder():
    torch.manual_seed(0)
    return ConvDecoder(2, 8, num_filters=4).double()


@pytest.fixture
def pictures():
    return torch.rand(7, 3, 8, 8, dtype=torch.double)


def positions():
    generator = torch.Generator().manual_seed(1)
    q = torch.randn(7, 2, 4, 4, dtype=torch.double, generator=generator)
    return q.requires_grad_()


def gradients(error, decoder, q):
    return torch.autograd.grad(error, [q, *decoder.parameters()])


@pytest.mark.parametrize("chunk", [1, 3, 6, 7, 100])
def test_value_and_gradient_are_those_of_all_pictures_at_once(decoder, pictures, chunk):
    q = positions()
    expected = F.mse_loss(decoder(q), pictures)
    found = reconstruction_error(
        decoder, list(decoder.parameters()), q, pictures, chunk
    )
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(
        gradients(3 * found, decoder, q), gradients(3 * expected, decoder, q)
    )


def test_never_more_pictures_than_asked_for_are_decoded_at_a_time(decoder, pictures):
    seen = []

    def decode(q):
        seen.append(len(q))
        return decoder(q)

    reconstruction_error(decode, list(decoder.parameters()), positions(), pictures, 3)
    assert seen == [3, 3, 1]


def test_without_gradients_the_value_is_the_same(decoder, pictures):
    q = positions()
    arguments = (decoder, list(decoder.parameters()), q, pictures, 3)
    with torch.no_grad():
        silent = reconstruction_error(*arguments)
    assert not silent.requires_grad
    torch.testing.assert_close(silent, reconstruction_error(*arguments).detach())


def test_a_parameter_without_influence_gets_a_gradient_of_zero(decoder, pictures):
    idle = torch.ones(2, dtype=torch.double, requires_grad=True)
    parameters = [*decoder.parameters(), idle]
    reconstruction_error(decoder, parameters, positions(), pictures, 3).backward()
    assert idle.grad.tolist() == [0.0, 0.0]
