import pytest
import torch
from torch import nn

from hgnpipe.hamiltonian import SeparableHamiltonian, unrolled
from hgnpipe.nn import energies
from hgnpipe.nn.energies import (
    ConvEnergy,
    MatrixEnergy,
    MLPEnergy,
    QuadraticEnergy,
    SwishEnergy,
)


def quadratic(num_dims, hidden_size, **options):
    return QuadraticEnergy(SwishEnergy(num_dims, hidden_size, **options))


ENERGIES = {
    "conv": ConvEnergy,
    "mlp": MLPEnergy,
    "swish": SwishEnergy,
    "quadratic": quadratic,
}
SHAPES = {"conv": (3, 4, 4), "mlp": (3,), "swish": (3,), "quadratic": (3,)}
"""Of one input, with three channels or dimensions."""

every_energy = pytest.mark.parametrize("kind", ENERGIES)


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def random_energy(kind):
    """Energy whose biases are not zero either, so that each of them matters."""
    energy = ENERGIES[kind](3, 6).double()
    for parameter in energy.parameters():
        nn.init.normal_(parameter, std=0.3)
    return energy


def inputs(kind, num=4):
    return torch.randn(num, *SHAPES[kind]).double()


@every_energy
def test_the_closed_form_gradient_of_the_energy_is_that_of_autograd(kind):
    energy, x = random_energy(kind), inputs(kind)
    expected = torch.func.grad(lambda x: energy(x).sum())(x)
    torch.testing.assert_close(energy.gradient(x), expected, rtol=1e-5, atol=1e-12)


@every_energy
def test_the_closed_form_gradient_trains_the_parameters_as_autograd_does(kind):
    energy, x = random_energy(kind), inputs(kind)
    target = torch.randn_like(x)
    gradients = []
    for rate in (energy.gradient, torch.func.grad(lambda x: energy(x).sum())):
        loss = (rate(x) - target).square().sum()
        gradients.append(torch.autograd.grad(loss, list(energy.parameters())))
    for closed, expected in zip(*gradients, strict=True):
        assert expected.abs().max() > 0
        torch.testing.assert_close(closed, expected, rtol=1e-5, atol=1e-10)


@every_energy
def test_an_energy_has_no_offset_that_nothing_could_train(kind):
    energy = random_energy(kind)
    energy.gradient(inputs(kind)).square().sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in energy.parameters())


@every_energy
def test_every_input_has_an_energy_of_its_own(kind):
    energy, x = random_energy(kind), inputs(kind)
    alone = torch.cat([energy(one) for one in x.split(1)])
    assert energy(x).shape == (4,)
    torch.testing.assert_close(energy(x), alone)


@pytest.mark.parametrize("num_layers", [2, 6])
def test_an_energy_has_as_many_convolutions_as_told(num_layers):
    layers = [
        m for m in ConvEnergy(3, 6, num_layers).modules() if isinstance(m, nn.Conv2d)
    ]
    assert len(layers) == num_layers


@pytest.mark.parametrize("kind", ["conv", "mlp", "swish"])
@pytest.mark.parametrize("rms", [0.1, 3.0])
def test_the_gradient_starts_with_the_size_it_is_told(kind, rms):
    energy = ENERGIES[kind](3, 32, gradient_rms=rms)
    gradient = energy.gradient(inputs(kind, 400).float())
    assert gradient.square().mean().sqrt().item() == pytest.approx(rms, rel=0.15)


@every_energy
@pytest.mark.parametrize("rms", [0.0, -1.0])
def test_a_gradient_that_moves_nothing_is_refused(kind, rms):
    with pytest.raises(ValueError, match=rf"gradient_rms is {rms}.*positive"):
        ENERGIES[kind](3, 8, gradient_rms=rms)


def test_two_quadratic_energies_start_as_an_oscillator_of_two_radians_per_time():
    energy, x = quadratic(3, 6, gradient_rms=1e-6), inputs("quadratic").float()
    torch.testing.assert_close(energy.gradient(x), 2 * x, rtol=0, atol=1e-4)


def test_matrices_give_the_gradient_that_convolutions_do_and_train_alike():
    energy, x = random_energy("conv"), inputs("conv")
    closed = [MatrixEnergy(energy, x).gradient(x), energy.gradient(x)]
    torch.testing.assert_close(*closed, rtol=1e-9, atol=1e-12)
    slopes = [
        torch.autograd.grad(g.square().sum(), list(energy.parameters())) for g in closed
    ]
    for found, expected in zip(*slopes, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)


def test_a_gpu_rolls_out_with_matrices_and_a_processor_with_convolutions(monkeypatch):
    conv, mlp = random_energy("conv"), random_energy("mlp")
    x, both = inputs("conv"), SeparableHamiltonian(conv, mlp)
    found = unrolled(both, x)
    assert found.kinetic is conv and found.potential is mlp
    monkeypatch.setattr(energies, "MATRICES_ON", ("cpu",))  # there is no GPU here
    found = unrolled(both, x)
    assert isinstance(found.kinetic, MatrixEnergy) and found.potential is mlp
