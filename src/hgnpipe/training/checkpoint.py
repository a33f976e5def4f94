"""What a training has reached, and the file from which it goes on.

One process owns the file: an older copy of the same training notices, and leaves.
"""

import json
import os
import platform
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from hgnpipe.files.tensors import load_tensors, save_tensors
from hgnpipe.files.whole import written_whole
from hgnpipe.runtime.interruption import Interrupted

CHECKPOINT = "hgnpipe checkpoint 1"


class TrainingFailed(RuntimeError):
    """The loss is no longer a number; the last good checkpoint is kept."""


class TrainingState:
    """All that changes in a training, and so what a checkpoint holds.

    Attributes:
        model: The model.
        optimizer: Adam of its parameters.
        done: Iterations so far.
        history: Rows so far.
        terms: Names of the terms that an iteration reports.
        sums: Sums of these terms since the last row, ``(num_terms,)``.
        best: Weights of the best row, where they are to be kept.
        kept: Path of the last checkpoint, for messages.
    """

    def __init__(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        self.model, self.optimizer = model, optimizer
        self.done = 0
        self.history: list[dict[str, float]] = []
        self.terms: list[str] = []
        self.sums: Tensor | float = 0.0
        self.best: dict[str, Tensor] = {}
        self.kept = "none yet"

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
            raise TrainingFailed(
                f"Training diverged before iteration {self.done}: loss {loss:.4g}, "
                f"gradient norm {norm:.4g}. A lower learning_rate or max_grad_norm may "
                f"help. Last good checkpoint: {self.kept}."
            )
        return row

    def add_row(self, row: dict[str, float], keep_best: str | None) -> None:
        """Append a row to the history, and keep the weights if it is the best so far.

        Args:
            row: Values by column.
            keep_best: Column of which the lowest number is the best; None keeps none.
        """
        if keep_best is not None:
            earlier = [old[keep_best] for old in self.history]
            lowest = min(filter(np.isfinite, earlier), default=np.inf)
            if row[keep_best] < lowest:  # not if it is no number
                state = self.model.state_dict()
                self.best = {name: value.clone() for name, value in state.items()}
        self.history.append(row)
        self.sums = 0.0

    def pack(self) -> tuple[dict[str, Tensor], dict[str, str]]:
        """Tensors and metadata of a file."""
        tensors = {f"model.{k}": v for k, v in self.model.state_dict().items()}
        tensors |= {f"best.{k}": v for k, v in self.best.items()}
        for index, moments in self.optimizer.state_dict()["state"].items():
            tensors |= {f"adam.{index}.{name}": v for name, v in moments.items()}
        if self.since_row:
            tensors["sums"] = self.sums
        metadata = {
            "history": json.dumps(self.history),
            "done": str(self.done),
            "terms": json.dumps(self.terms),
        }
        return tensors, metadata

    def unpack(self, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
        """Take over what `pack` returned in another process."""
        self.model.load_state_dict(_under("model.", tensors))
        self.best = _under("best.", tensors)
        parameters = list(self.model.parameters())
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in _under("adam.", tensors).items():
            index, moment = name.split(".")
            if value.ndim:
                # Files hold rows; Adam needs the memory layout of the weights.
                value = torch.empty_like(parameters[int(index)]).copy_(value)
            state.setdefault(int(index), {})[moment] = value
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": state})
        self.history = json.loads(metadata["history"])
        self.done = int(metadata["done"])
        self.terms = json.loads(metadata["terms"])
        device = parameters[0].device
        self.sums = tensors["sums"].to(device) if "sums" in tensors else 0.0


class Checkpoint:
    """File that holds the state of one training; this process claims it.

    Args:
        path: The file; None keeps nothing.
        state: State of the training.
        identity: What makes it the same training, JSON values.

    Raises:
        ValueError: If the folder cannot be written to.
    """

    def __init__(
        self, path: str | Path | None, state: TrainingState, identity: Mapping[str, Any]
    ) -> None:
        self.path, self.state = path, state
        self.identity = json.dumps(identity, sort_keys=True)
        self.claim = None if path is None else Claim(path)
        self.last_saved = 0

    def resume(self) -> bool:
        """Take up an earlier attempt at the same training, if there is one."""
        if self.path is None or not Path(self.path).exists():
            return False
        try:
            tensors, metadata = load_tensors(self.path, CHECKPOINT)
            other = metadata["identity"] != self.identity
            what = "belongs to another training" if other else ""
        except ValueError:
            what = "is damaged, or no checkpoint of this version of hgnpipe"
        if what:
            again = "the training starts from the beginning"
            print(f"{self.path} {what}: {again}.", file=sys.stderr)
            return False
        self.state.unpack(tensors, metadata)
        self.last_saved, self.state.kept = self.state.done, str(self.path)
        return True

    def save(self) -> None:
        """Save the state.

        Raises:
            Interrupted: If the file has another owner by now.
        """
        if self.path is None:
            return
        self.claim.check()
        tensors, metadata = self.state.pack()
        metadata = {"identity": self.identity, **metadata}
        save_tensors(self.path, tensors, CHECKPOINT, metadata)
        self.last_saved, self.state.kept = self.state.done, str(self.path)

    def save_if_due(self, every: int, num_iterations: int) -> None:
        """Save at the end of a row, whose loss is known to be finite."""
        done = self.state.done
        if done // every > self.last_saved // every or done == num_iterations:
            self.save()

    def leave(self, num_iterations: int) -> None:
        """Save what is done, and end.

        Raises:
            TrainingFailed: If the loss or its gradient is not finite.
            Interrupted: If all went well.
        """
        if self.state.since_row:
            self.state.means()
        self.save()
        saved = f"saved in {self.path}" if self.path else "nothing saved"
        raise Interrupted(
            f"Left after {self.state.done} of {num_iterations} iterations, {saved}. "
            f"The same training goes on from there."
        )


class Claim:
    """Claim to a file that several processes may write: the newest claim counts.

    A scheduler that was killed leaves jobs behind, and starts them again the next time.
    Both copies would write the same file; with a claim the older one notices. No lock:
    the newer one must not wait for a machine that may be gone.

    Raises:
        ValueError: If the folder cannot be written to.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.name = f"{uuid.uuid4().hex} {platform.node()} {os.getpid()}"
        with written_whole(self.mark(path)) as temporary:
            temporary.write_text(self.name)

    @staticmethod
    def mark(path: str | Path) -> Path:
        """File that names the owner of ``path``."""
        return Path(f"{path}.owner")

    def check(self) -> None:
        """Check that nobody has claimed the file since.

        Raises:
            Interrupted: If somebody has, or has finished with it.
        """
        try:
            owner = self.mark(self.path).read_text()
        except FileNotFoundError:
            owner = ""
        if owner != self.name:
            _, _, by = owner.partition(" ")
            now = f"now belongs to {by.replace(' ', ', process ')}" if by else "is done"
            raise Interrupted(
                f"{self.path} {now}: another copy of this job was started. This one "
                f"leaves, and writes nothing."
            )


def discard_checkpoint(path: str | Path) -> None:
    """Remove what a training needed to go on."""
    Path(path).unlink(missing_ok=True)
    Claim.mark(path).unlink(missing_ok=True)


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    held = (item for item in tensors.items() if item[0].startswith(prefix))
    return {name.removeprefix(prefix): value for name, value in held}
