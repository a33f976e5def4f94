"""Networks that learn motion from states: an energy (HNN), and its baseline.

Hamiltonian Neural Networks see true states and their rates of change (paper, Sec. 2.1;
Greydanus et al., 2019, Sec. 3). Both networks here are as Greydanus et al. have them:
two hidden layers of tanh, orthogonal weights, no bias at the end.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from hgnpipe.collection import require
from hgnpipe.hamiltonian import State, motion
from hgnpipe.nn.initialisation import draw_orthogonal
from hgnpipe.nn.networks import MLP


class StateEnergy(nn.Module):
    """Energy of a state (q, p): two hidden layers of tanh (Sec. A.3).

    Args:
        state_size: Length of (q, p) together.
        hidden_size: Units of both hidden layers, 200 in the paper.
    """

    def __init__(self, state_size: int, hidden_size: int = 200) -> None:
        super().__init__()
        sizes = [state_size, hidden_size, hidden_size, 1]
        self.network = MLP(sizes, nn.Tanh, bias_last=False)

    def forward(
        self, q: Float[Tensor, "B n"], p: Float[Tensor, "B n"]
    ) -> Float[Tensor, " B"]:
        """Energy of each state in the batch."""
        return self.network(torch.cat([q, p], dim=1)).squeeze(1)


class StateModel(nn.Module):
    """What learns motion from states.

    Args:
        state_size: Length of (q, p) together.
        hidden_size: Units of both hidden layers.

    Raises:
        ValueError: If a size is out of range.
    """

    def __init__(self, state_size: int, hidden_size: int) -> None:
        super().__init__()
        require(hidden_size >= 1, "hidden_size", hidden_size, "1 or more")
        half_and_half = state_size >= 2 and state_size % 2 == 0
        require(half_and_half, "state_size", state_size, "even, 2 or more: q and p")
        self.num_dims = 2 * state_size

    def rates(self, state: State) -> State:
        """Time derivative of each state."""
        raise NotImplementedError

    def loss(
        self,
        batch: Float[Tensor, "B d"],
        iteration: int,
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """Squared error of the rates (for HNN Eq. 1), a mean over all numbers.

        Args:
            batch: q, p, and the time derivatives of both, side by side.
            iteration: Of no use here.
            generator: Of no use here.
        """
        q, p, *rates = batch.chunk(4, dim=1)
        found = self.rates(State(q, p))
        return {"loss": F.mse_loss(torch.cat(found, dim=1), torch.cat(rates, dim=1))}


class StateHNN(StateModel):
    """Hamiltonian Neural Network of true states: rates are those of an energy."""

    def __init__(self, state_size: int, hidden_size: int = 200) -> None:
        super().__init__(state_size, hidden_size)
        self.hamiltonian = StateEnergy(state_size, hidden_size)
        draw_orthogonal(self)

    def rates(self, state: State) -> State:
        """By Hamilton's equations."""
        return motion(self.hamiltonian, *state)


class StateMLP(StateModel):
    """Their baseline: a perceptron of the same size says the rates."""

    def __init__(self, state_size: int, hidden_size: int = 200) -> None:
        super().__init__(state_size, hidden_size)
        sizes = [state_size, hidden_size, hidden_size, state_size]
        self.network = MLP(sizes, nn.Tanh, bias_last=False)
        draw_orthogonal(self)

    def rates(self, state: State) -> State:
        """From the network."""
        return State(*self.network(torch.cat(state, dim=1)).chunk(2, dim=1))


STATE_MODELS: dict[str, type[StateModel]] = {"hnn": StateHNN, "mlp": StateMLP}
