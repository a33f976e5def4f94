"""Initial weights that a paper asks for."""

from torch import nn


def draw_orthogonal(network: nn.Module) -> None:
    """Draw the weights of all linear layers orthogonally, as Greydanus et al. do.

    The rows of a matrix, or its columns if there are fewer of them, become orthonormal:
    a layer neither stretches nor forgets what passes. Biases, and convolutions, stay.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            nn.init.orthogonal_(layer.weight)
