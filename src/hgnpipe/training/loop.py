"""One training loop for every model with a ``loss`` (paper, Sec. A.1, A.3 and A.5).

Batches and noise are functions of (seed, iteration) alone, so that a run that resumes
from a checkpoint makes exactly the updates that an undisturbed run would have made.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import pandas as pd
import torch
from torch import Tensor, nn

from hgnpipe.collection import require
from hgnpipe.training.batches import Batches, random_seed
from hgnpipe.training.checkpoint import Checkpoint, TrainingState
from hgnpipe.training.cuda_graphs import (
    Record,
    RecordedSteps,
    Scheduled,
    record_cuda_graph,
)
from hgnpipe.training.options import TrainingOptions
from hgnpipe.training.starts import choose_start


@runtime_checkable
class Trainable(Protocol):
    """A torch module with a loss: a sequence model, or a flow."""

    def loss(
        self,
        batch: Tensor,
        iteration: int,
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """Training objective under ``"loss"``, and any terms worth logging."""
        ...


def fit(
    model: Trainable,
    data: Batches,
    options: TrainingOptions,
    *,
    seed: int = 0,
    checkpoint: str | Path | None = None,
    identity: Mapping[str, Any] | None = None,
    report: Callable[[int, Mapping[str, float]], None] | None = None,
    resumed: Callable[[int, list[dict[str, float]]], None] | None = None,
    probe: Callable[[], Mapping[str, float]] | None = None,
    keep_best: str | None = None,
    record: Record | None = None,
    graphs: bool = True,
    leave: Callable[[], bool] = lambda: False,
    other: Callable[[int], nn.Module] | None = None,
    started: Callable[[int], None] | None = None,
) -> pd.DataFrame:
    """Train ``model`` in place with Adam.

    On a GPU, iterations of a `Scheduled` model are recorded and replayed. The process
    that was the last to begin a training with some ``checkpoint`` owns it: an earlier
    one, which somebody forgot to stop, leaves at its next checkpoint or at the end.

    Args:
        model: The model, on the device on which to train.
        data: Training data.
        options: How to train.
        seed: Fixes the order of the data and all noise.
        checkpoint: File to resume from, if it belongs to the same training, and to save
            to; without it nothing is saved.
        identity: What makes it the same training: options, data, code. JSON values.
        report: Called after every row of the history with the number of iterations
            done and the row.
        resumed: Called with the number of iterations that a checkpoint had done, and
            the rows of its history.
        probe: Called at the end of every row; what it finds, for example an error on
            held-out data, joins the row. May depend on the model alone.
        keep_best: Column of the history; the model ends with the weights of the row
            where it was lowest. Otherwise it ends with the last ones.
        record: Records iterations; by default CUDA graphs on a GPU, and nothing on a
            processor.
        graphs: Whether iterations are recorded.
        leave: Asked after every iteration; if so, it is saved, and the training ends.
        other: Makes the model with other initial weights, by a number from 1 on; where
            ``num_starts`` is more than 1.
        started: Called with the number of the weights that were chosen.

    Returns:
        History: one row per ``log_every`` iterations with the mean of every loss term.

    Raises:
        ValueError: If the data do not fit the model, or there is no ``other``.
        TrainingFailed: If the loss or its gradient is no longer a number.
        Interrupted: If it was to ``leave``, or has another owner by now.
    """
    fits = isinstance(data, Batches)
    require(fits, "data", type(data).__name__, "VideoBatches or PointBatches")
    require(0 <= seed < 2**64, "seed", seed, "between 0 and 2**64 - 1")
    data.check(model)
    legal = "1 where nothing makes other initial weights"
    several = options.num_starts > 1
    require(other is not None or not several, "num_starts", options.num_starts, legal)
    device, num_iterations = next(model.parameters()).device, options.num_iterations
    state = TrainingState(model, _adam(model, options, device))
    same = {"options": asdict(options), "seed": seed, **(identity or {})}
    kept = Checkpoint(checkpoint, state, same)
    if not kept.resume():
        data.prepare(model)
        if other is not None and several:
            trial = partial(fit, data=data, options=options.of_a_start(), seed=seed)
            number = choose_start(model, other, trial, options.num_starts, leave)
            if started is not None:
                started(number)
    elif resumed is not None:
        resumed(state.done, state.history)
    model.train()
    with _own_stream(device):
        updates = _Updates(state, options, seed, device, record, graphs)
        for iteration in range(state.done, num_iterations):
            batch = data.draw(model, options.batch_size, seed, iteration, device)
            updates.make(batch, iteration)
            if not state.done % options.log_every or state.done == num_iterations:
                row = {"iteration": state.done, **state.means()}
                if probe is not None:
                    model.eval()
                    row |= probe()
                    model.train()
                state.add_row(row, keep_best)
                if report is not None:
                    report(state.done, row)
                kept.save_if_due(options.checkpoint_every, num_iterations)
            if leave() and state.done < num_iterations:
                kept.leave(num_iterations)
    if state.best:
        model.load_state_dict(state.best)
    model.eval()
    return pd.DataFrame(state.history)


class _Updates:
    """Updates of a model by Adam, recorded and replayed if all is made for it."""

    def __init__(
        self,
        state: TrainingState,
        options: TrainingOptions,
        seed: int,
        device: torch.device,
        record: Record | None,
        graphs: bool,
    ) -> None:
        self.state, self.options, self.seed = state, options, seed
        self.generator = torch.Generator(device)
        self.step: Callable[[Tensor, int], Tensor] = self._step
        if record is None and device.type == "cuda":
            record = record_cuda_graph(self.generator)
        if graphs and record is not None and isinstance(state.model, Scheduled):
            self.step = RecordedSteps(state.model.schedule, self._step, record)

    def make(self, batch: Tensor, iteration: int) -> None:
        """One step of Adam; nothing here waits for the device."""
        rate = self.options.learning_rate_at(iteration)
        for group in self.state.optimizer.param_groups:
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(rate)
            else:
                group["lr"] = rate
        self.generator.manual_seed(random_seed(self.seed, iteration, purpose=1))
        self.state.sums = self.state.sums + self.step(batch, iteration)
        self.state.done = iteration + 1

    def _step(self, batch: Tensor, moment: Any) -> Tensor:
        """Loss, gradients and update; values of the terms, ``(num_terms,)``."""
        model, optimizer = self.state.model, self.state.optimizer
        terms = model.loss(batch, moment, self.generator)
        optimizer.zero_grad(set_to_none=True)
        terms["loss"].backward()
        terms["grad_norm"] = nn.utils.clip_grad_norm_(
            model.parameters(), self.options.max_grad_norm or torch.inf
        )
        optimizer.step()
        self.state.terms = list(terms)
        return torch.stack([value.detach().double() for value in terms.values()])


def _adam(
    model: nn.Module, options: TrainingOptions, device: torch.device
) -> torch.optim.Adam:
    on_gpu, rate = device.type == "cuda", options.learning_rate
    return torch.optim.Adam(
        model.parameters(),
        # A recorded update reads the rate from the memory of the device.
        lr=torch.tensor(rate, device=device) if on_gpu else rate,
        weight_decay=options.weight_decay,
        fused=True,
        capturable=on_gpu,
    )


def _own_stream(device: torch.device) -> AbstractContextManager[Any]:
    """On a GPU a stream beside the default one, which cannot be recorded."""
    if device.type != "cuda":
        return nullcontext()
    stream = torch.cuda.Stream(device)
    stream.wait_stream(torch.cuda.current_stream(device))
    return torch.cuda.stream(stream)
