"""How to train, whatever is trained."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hgnpipe.collection import check_options, require


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """How to train, independent of what is trained and on which data.

    Attributes:
        num_iterations: Number of updates.
        batch_size: Videos, or windows of videos, per update.
        learning_rate: Of Adam.
        weight_decay: L2 penalty of Adam, added to the gradient.
        max_grad_norm: Gradients longer than this are shortened to it.
        warm_up: Iterations at the start over which the learning rate grows linearly; 0
            starts with all of it, as in the paper.
        decay: Last share of the iterations over which the learning rate falls linearly
            to zero; 0 keeps it constant, as in the paper.
        num_starts: Initial weights that are tried; those that learn fastest are
            trained, see `hgnpipe.training.starts`.
        start_iterations: Updates of such a trial.
        log_every: Iterations per row of the history.
        checkpoint_every: Iterations between two checkpoints.
    """

    num_iterations: int
    batch_size: int
    learning_rate: float
    weight_decay: float = 0.0
    max_grad_norm: float | None = None
    warm_up: int = 0
    decay: float = 0.0
    num_starts: int = 1
    start_iterations: int = 200
    log_every: int = 20
    checkpoint_every: int = 200

    def __post_init__(self) -> None:
        counts = ("num_iterations", "batch_size", "log_every", "checkpoint_every")
        for name in (*counts, "num_starts", "start_iterations"):
            require(getattr(self, name) >= 1, name, getattr(self, name), "1 or more")
        require(self.learning_rate > 0, "learning_rate", self.learning_rate, "positive")
        for name in ("weight_decay", "warm_up"):
            value = getattr(self, name)
            require(value >= 0, name, value, "zero or positive")
        norm = self.max_grad_norm
        require(norm is None or norm > 0, "max_grad_norm", norm, "positive")
        require(0 <= self.decay <= 1, "decay", self.decay, "between 0 and 1")

    def of_a_start(self) -> "TrainingOptions":
        """How to try initial weights: the beginning of the training."""
        num = self.start_iterations
        return replace(self, num_iterations=num, num_starts=1, decay=0.0)

    def learning_rate_at(self, iteration: int) -> float:
        """Learning rate of one update: linear to all of it, and linear to zero."""
        left = 1 - iteration / self.num_iterations
        grown = (iteration + 1) / self.warm_up if self.warm_up else 1.0
        fallen = left / self.decay if self.decay else 1.0
        return self.learning_rate * min(1.0, grown) * min(1.0, fallen)


def read_training(options: Mapping[str, Any]) -> TrainingOptions:
    """How to train, from options as a user wrote them.

    Raises:
        ValueError: If an option is unknown, missing, of a wrong type or out of range.
    """
    return TrainingOptions(**check_options("training", TrainingOptions, options))
