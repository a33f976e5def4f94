import pytest
import torch
from torch import nn

from hgnpipe.energies import ConvEnergy


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def random_energy(**options):
    """Energy whose biases are not zero either, so that each of them matters."""
    energy = ConvEnergy(3, 6, **options).double()
    for parameter in energy.parameters():
        nn.init.normal_(parameter, std=0.3)
    return energy


def test_the_closed_form_gradient_of_the_energy_is_that_of_autograd():
    energy, x = random_energy(), torch.randn(4, 3, 4, 4).double()
    expected = torch.func.grad(lambda x: energy(x).sum())(x)
    torch.testing.assert_close(energy.gradient(x), expected, rtol=1e-5, atol=1e-12)


def test_the_closed_form_gradient_trains_the_parameters_as_autograd_does():
    energy, x = random_energy(), torch.randn(4, 3, 4, 4).double()
    target = torch.randn_like(x)
    gradients = []
    for rate in (energy.gradient, torch.func.grad(lambda x: energy(x).sum())):
        loss = (rate(x) - target).square().sum()
        gradients.append(torch.autograd.grad(loss, list(energy.parameters())))
    for closed, expected in zip(*gradients, strict=True):
        assert expected.abs().max() > 0
        torch.testing.assert_close(closed, expected, rtol=1e-5, atol=1e-10)


def test_an_energy_has_no_offset_that_nothing_could_train():
    energy = random_energy()
    energy.gradient(torch.randn(4, 3, 4, 4).double()).square().sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in energy.parameters())


def test_every_image_has_an_energy_of_its_own():
    energy, x = random_energy(), torch.randn(4, 3, 4, 4).double()
    alone = torch.cat([energy(image) for image in x.split(1)])
    assert energy(x).shape == (4,)
    torch.testing.assert_close(energy(x), alone)


@pytest.mark.parametrize("num_layers", [2, 6])
def test_an_energy_has_as_many_convolutions_as_told(num_layers):
    layers = [
        m for m in ConvEnergy(3, 6, num_layers).modules() if isinstance(m, nn.Conv2d)
    ]
    assert len(layers) == num_layers


@pytest.mark.parametrize("rms", [0.1, 3.0])
def test_the_gradient_starts_with_the_size_it_is_told(rms):
    energy = ConvEnergy(4, 8, gradient_rms=rms)
    gradient = energy.gradient(torch.randn(200, 4, 4, 4))
    assert gradient.square().mean().sqrt().item() == pytest.approx(rms, rel=0.1)


def test_a_gradient_that_moves_nothing_is_refused():
    with pytest.raises(ValueError, match=r"gradient_rms is 0\.0.*positive"):
        ConvEnergy(4, 8, gradient_rms=0.0)
