"""A training as a job of the workflow: progress, provenance, and what it leaves."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from hgnpipe.files.whole import written_whole
from hgnpipe.runtime.interruption import requests_noted
from hgnpipe.runtime.progress import Progress
from hgnpipe.runtime.provenance import peak_memory_mb, provenance
from hgnpipe.training.batches import Batches
from hgnpipe.training.checkpoint import discard_checkpoint
from hgnpipe.training.loop import (
    Trainable,
    TrainingOptions,
    fit,
)


@dataclass(frozen=True, kw_only=True)
class TrainingJob:
    """What one training is called, where it runs, and the files beside its model.

    Attributes:
        label: Name in the progress lines.
        seed: Seed of weights, order of the data, and noise.
        device: Where to train.
        threads: Processor cores in use.
        precision: Of products on a GPU; a checkpoint of another one is not resumed.
        code: Fingerprint of the code; a checkpoint of other code is not resumed.
        checkpoint: File to resume from and to save to; removed at the end. SIGTERM and
            the other signals of `hgnpipe.runtime.interruption` save it before the job ends.
        history_path: Training curves to write, CSV.
        run_path: Provenance to write, JSON.
    """

    label: str
    seed: int
    device: torch.device
    threads: int
    precision: str
    code: str
    checkpoint: Path
    history_path: Path
    run_path: Path

    def run(
        self,
        model: Trainable,
        data: Batches,
        options: TrainingOptions,
        *,
        identity: Mapping[str, Any],
        save: Callable[[Mapping[str, Any]], None],
        probe: Callable[[], Mapping[str, float]] | None = None,
        keep_best: str | None = None,
    ) -> None:
        """Train a model, or go on where an interrupted job stopped, and save it.

        Args:
            model: On the device of the job.
            data: Training data.
            options: How to train.
            identity: What makes it the same training, beside seed and code.
            save: Writes the model, given its provenance.
            probe: See `hgnpipe.training.loop.fit`.
            keep_best: See `hgnpipe.training.loop.fit`.

        Raises:
            ValueError: If the data do not fit the model.
            TrainingFailed: If the loss or its gradient is no longer a number.
            Interrupted: If a signal asked to leave, or another copy has taken over.
        """
        origin = dict(provenance(self.device, self.threads), code=self.code)
        precision = self.precision if self.device.type == "cuda" else "fp32"
        origin |= {"precision": precision, "seed": self.seed, "resumed_at": 0}
        start = time.perf_counter()
        with (
            requests_noted() as requests,
            Progress(f"train {self.label}", options.num_iterations, "it", 5) as bar,
        ):

            def resumed(iteration: int) -> None:
                origin["resumed_at"] = iteration
                bar.resume(iteration)

            history = fit(
                model,
                data,
                options,
                seed=self.seed,
                checkpoint=self.checkpoint,
                identity={**identity, "code": self.code, "precision": precision},
                report=bar.show,
                resumed=resumed,
                probe=probe,
                keep_best=keep_best,
                leave=lambda: bool(requests),
            )
        origin["wall_s"] = round(time.perf_counter() - start, 1)
        origin["peak_memory_mb"] = round(peak_memory_mb())
        save(origin)
        with written_whole(self.history_path) as path:
            history.to_csv(path, index=False)
        with written_whole(self.run_path) as path:
            path.write_text(json.dumps(origin, indent=2) + "\n")
        discard_checkpoint(self.checkpoint)
