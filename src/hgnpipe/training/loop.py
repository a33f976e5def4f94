"""One training loop for every model with a ``loss`` (paper, Sec. A.1, A.3 and A.5).

Batches and noise are functions of (seed, iteration) alone, so that a run that resumes
from a checkpoint makes exactly the updates that an undisturbed run would have made.
"""

import json
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from hgnpipe.collection import check_options, require
from hgnpipe.files.tensors import load_tensors, save_tensors
from hgnpipe.files.whole import Claim
from hgnpipe.runtime.interruption import Interrupted
from hgnpipe.training.batches import Batches, random_seed
from hgnpipe.training.cuda_graphs import Record, RecordedSteps, record_cuda_graph

CHECKPOINT = "hgnpipe checkpoint 1"


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


@runtime_checkable
class Scheduled(Trainable, Protocol):
    """A module whose iterations can be recorded, see `hgnpipe.training.cuda_graphs`.

    In place of an iteration, its ``loss`` takes what ``schedule`` makes of it, with
    tensors where that has floats, and does not make the processor wait for them.
    """

    def schedule(self, iteration: int) -> tuple[Any, ...]:
        """All that the loss needs to know of an iteration.

        Floats are values; everything else decides which operations there are.
        """
        ...


class TrainingFailed(RuntimeError):
    """The loss is no longer a number; the last good checkpoint is kept."""


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """How to train, independent of what is trained and on which data.

    Attributes:
        num_iterations: Number of updates.
        batch_size: Videos, or windows of videos, per update.
        learning_rate: Of Adam.
        weight_decay: L2 penalty of Adam, added to the gradient.
        max_grad_norm: Gradients longer than this are shortened to it.
        decay: Last share of the iterations over which the learning rate falls linearly
            to zero; 0 keeps it constant, as in the paper.
        log_every: Iterations per row of the history.
        checkpoint_every: Iterations between two checkpoints.
    """

    num_iterations: int
    batch_size: int
    learning_rate: float
    weight_decay: float = 0.0
    max_grad_norm: float | None = None
    decay: float = 0.0
    log_every: int = 20
    checkpoint_every: int = 200

    def __post_init__(self) -> None:
        for name in ("num_iterations", "batch_size", "log_every", "checkpoint_every"):
            require(getattr(self, name) >= 1, name, getattr(self, name), "1 or more")
        require(self.learning_rate > 0, "learning_rate", self.learning_rate, "positive")
        require(
            self.weight_decay >= 0,
            "weight_decay",
            self.weight_decay,
            "zero or positive",
        )
        norm = self.max_grad_norm
        require(norm is None or norm > 0, "max_grad_norm", norm, "positive")
        require(0 <= self.decay <= 1, "decay", self.decay, "between 0 and 1")

    def learning_rate_at(self, iteration: int) -> float:
        """Learning rate of one update: constant, then linear to zero."""
        left = 1 - iteration / self.num_iterations
        return self.learning_rate * (min(1.0, left / self.decay) if self.decay else 1.0)


def read_training(options: Mapping[str, Any]) -> TrainingOptions:
    """How to train, from options as a user wrote them.

    Raises:
        ValueError: If an option is unknown, missing, of a wrong type or out of range.
    """
    return TrainingOptions(**check_options("training", TrainingOptions, options))


def fit(
    model: Trainable,
    data: Batches,
    options: TrainingOptions,
    *,
    seed: int = 0,
    checkpoint: str | Path | None = None,
    identity: Mapping[str, Any] | None = None,
    report: Callable[[int, Mapping[str, float]], None] | None = None,
    resumed: Callable[[int], None] | None = None,
    probe: Callable[[], Mapping[str, float]] | None = None,
    keep_best: str | None = None,
    record: Record | None = None,
    leave: Callable[[], bool] = lambda: False,
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
        resumed: Called with the number of iterations that a checkpoint had done.
        probe: Called at the end of every row; what it finds, for example an error on
            held-out data, joins the row. May depend on the model alone.
        keep_best: Column of the history; the model ends with the weights of the row
            where it was lowest. Otherwise it ends with the last ones.
        record: Records iterations; by default CUDA graphs on a GPU, and nothing on a
            processor.
        leave: Asked after every iteration; if so, it is saved, and the training ends.

    Returns:
        History: one row per ``log_every`` iterations with the mean of every loss term.

    Raises:
        ValueError: If the data do not fit the model.
        TrainingFailed: If the loss or its gradient is no longer a number.
        Interrupted: If it was to ``leave``, or has another owner by now.
    """
    data.check(model)
    run = _Run(model, options, identity, seed, checkpoint, keep_best)
    if not run.resume():
        data.prepare(model)
    elif resumed is not None:
        resumed(run.done)
    model.train()
    with _own_stream(run.device):
        run.record_steps(record)
        for iteration in range(run.done, options.num_iterations):
            batch = data.draw(model, options.batch_size, seed, iteration, run.device)
            run.update(batch, iteration)
            if not run.done % options.log_every or run.done == options.num_iterations:
                row = run.close_row(probe)
                if report is not None:
                    report(run.done, row)
                run.save_if_due()
            if leave() and run.done < options.num_iterations:
                run.leave()
    run.restore_best()
    model.eval()
    return pd.DataFrame(run.history)


class _Run:
    """State of one training: what a checkpoint holds."""

    def __init__(
        self,
        model: Trainable,
        options: TrainingOptions,
        identity: Mapping[str, Any] | None,
        seed: int,
        checkpoint: str | Path | None,
        keep_best: str | None,
    ) -> None:
        self.model, self.options, self.seed = model, options, seed
        self.checkpoint, self.keep_best = checkpoint, keep_best
        self.claim = None if checkpoint is None else Claim(checkpoint)
        self.identity = json.dumps(
            {"options": asdict(options), "seed": seed, **(identity or {})},
            sort_keys=True,
        )
        self.device = next(model.parameters()).device
        self.generator = torch.Generator(self.device)
        on_gpu = self.device.type == "cuda"
        self.optimizer = torch.optim.Adam(
            model.parameters(),
            # A recorded update reads the rate from the memory of the device.
            lr=torch.tensor(options.learning_rate, device=self.device)
            if on_gpu
            else options.learning_rate,
            weight_decay=options.weight_decay,
            fused=True,
            capturable=on_gpu,
        )
        self.done = self.last_saved = 0
        self.history: list[dict[str, float]] = []
        self.terms: list[str] = []
        self.sums: Tensor | float = 0.0
        self.best: dict[str, Tensor] = {}
        self.step: Callable[[Tensor, int], Tensor] = self._step

    def record_steps(self, record: Record | None) -> None:
        """Replay iterations from now on, if model and device are made for it."""
        if record is None and self.device.type == "cuda":
            record = record_cuda_graph(self.generator)
        if record is not None and isinstance(self.model, Scheduled):
            self.step = RecordedSteps(self.model.schedule, self._step, record)

    def update(self, batch: Tensor, iteration: int) -> None:
        """One step of Adam; nothing here waits for the device."""
        rate = self.options.learning_rate_at(iteration)
        for group in self.optimizer.param_groups:
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(rate)
            else:
                group["lr"] = rate
        self.generator.manual_seed(random_seed(self.seed, iteration, purpose=1))
        self.sums = self.sums + self.step(batch, iteration)
        self.done = iteration + 1

    def _step(self, batch: Tensor, moment: Any) -> Tensor:
        """Loss, gradients and update; values of the terms, ``(num_terms,)``."""
        terms = self.model.loss(batch, moment, self.generator)
        self.optimizer.zero_grad(set_to_none=True)
        terms["loss"].backward()
        terms["grad_norm"] = torch.nn.utils.clip_grad_norm_(
            self.model.parameters(), self.options.max_grad_norm or torch.inf
        )
        self.optimizer.step()
        self.terms = list(terms)
        return torch.stack([value.detach().double() for value in terms.values()])

    def close_row(
        self, probe: Callable[[], Mapping[str, float]] | None
    ) -> dict[str, float]:
        """Mean of every term since the last row, appended to the history.

        Raises:
            TrainingFailed: If the loss or its gradient is not finite.
        """
        row = {"iteration": self.done, **self.means()}
        if probe is not None:
            self.model.eval()
            row |= probe()
            self.model.train()
        self._remember(row)
        self.history.append(row)
        self.sums = 0.0
        return row

    @property
    def since_row(self) -> int:
        """Iterations since the last row of the history."""
        return self.done - (self.history[-1]["iteration"] if self.history else 0)

    def means(self) -> dict[str, float]:
        """Mean of every term since the last row.

        Raises:
            TrainingFailed: If the loss or its gradient is not finite.
        """
        means = (self.sums / self.since_row).tolist()
        row = dict(zip(self.terms, means, strict=True))
        loss, norm = row["loss"], row["grad_norm"]
        if not np.isfinite([loss, norm]).all():
            kept = self.checkpoint if self.last_saved else "none yet"
            raise TrainingFailed(
                f"Training diverged before iteration {self.done}: loss {loss:.4g}, "
                f"gradient norm {norm:.4g}. A lower learning_rate or max_grad_norm may "
                f"help. Last good checkpoint: {kept}."
            )
        return row

    def _remember(self, row: Mapping[str, float]) -> None:
        """Keep the weights if this row is the best so far."""
        if self.keep_best is None:
            return
        earlier = [old[self.keep_best] for old in self.history]
        lowest = min(filter(np.isfinite, earlier), default=np.inf)
        if row[self.keep_best] < lowest:  # not if it is no number
            state = self.model.state_dict()
            self.best = {name: value.clone() for name, value in state.items()}

    def restore_best(self) -> None:
        """Give the model the weights of its best row."""
        if self.best:
            self.model.load_state_dict(self.best)

    def save_if_due(self) -> None:
        """Save a checkpoint, at the end of a row: its loss is known to be finite."""
        every, total = self.options.checkpoint_every, self.options.num_iterations
        if self.done // every > self.last_saved // every or self.done == total:
            self.save()

    def leave(self) -> None:
        """Save what is done, and end.

        Raises:
            TrainingFailed: If the loss or its gradient is not finite.
            Interrupted: If all went well.
        """
        if self.since_row:
            self.means()
        self.save()
        saved = f"saved in {self.checkpoint}" if self.checkpoint else "nothing saved"
        raise Interrupted(
            f"Left after {self.done} of {self.options.num_iterations} iterations, "
            f"{saved}. The same training goes on from there."
        )

    def save(self) -> None:
        """Save a checkpoint if there is to be one.

        Raises:
            Interrupted: If it has another owner by now.
        """
        if self.checkpoint is None:
            return
        self.claim.check()
        tensors = {f"model.{k}": v for k, v in self.model.state_dict().items()}
        tensors |= {f"best.{k}": v for k, v in self.best.items()}
        for index, moments in self.optimizer.state_dict()["state"].items():
            tensors |= {f"adam.{index}.{name}": v for name, v in moments.items()}
        if self.since_row:
            tensors["sums"] = self.sums
        metadata = {
            "identity": self.identity,
            "history": json.dumps(self.history),
            "done": str(self.done),
            "terms": json.dumps(self.terms),
        }
        save_tensors(self.checkpoint, tensors, CHECKPOINT, metadata)
        self.last_saved = self.done

    def resume(self) -> bool:
        """Take up an earlier attempt at the same training, if there is one."""
        if self.checkpoint is None or not Path(self.checkpoint).exists():
            return False
        try:
            tensors, metadata = load_tensors(self.checkpoint, CHECKPOINT)
            other = metadata["identity"] != self.identity
            what = "belongs to another training" if other else ""
        except ValueError:
            what = "is damaged, or no checkpoint of this version of hgnpipe"
        if what:
            again = "the training starts from the beginning"
            print(f"{self.checkpoint} {what}: {again}.", file=sys.stderr)
            return False
        self.model.load_state_dict(_under("model.", tensors))
        self.best = _under("best.", tensors)
        parameters = list(self.model.parameters())
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in _under("adam.", tensors).items():
            index, moment = name.split(".")
            if value.ndim:
                # Files hold rows; Adam needs the memory layout of the weights.
                like = parameters[int(index)]
                value = torch.empty_like(like).copy_(value)
            state.setdefault(int(index), {})[moment] = value
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": state})
        self.history = json.loads(metadata["history"])
        self.done = self.last_saved = int(metadata["done"])
        self.terms = json.loads(metadata["terms"])
        self.sums = tensors["sums"].to(self.device) if "sums" in tensors else 0.0
        return True


def discard_checkpoint(path: str | Path) -> None:
    """Remove what a training needed to go on."""
    Path(path).unlink(missing_ok=True)
    Claim.mark(path).unlink(missing_ok=True)


def _own_stream(device: torch.device) -> AbstractContextManager[Any]:
    """On a GPU a stream beside the default one, which cannot be recorded."""
    if device.type != "cuda":
        return nullcontext()
    stream = torch.cuda.Stream(device)
    stream.wait_stream(torch.cuda.current_stream(device))
    return torch.cuda.stream(stream)


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {
        k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)
    }
