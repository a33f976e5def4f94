"""A training as a job of the workflow: progress, provenance, and what it leaves."""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import pandas as pd
import torch
from torch import nn

from hgnpipe.files.csv import write_csv
from hgnpipe.files.whole import check_writable, written_whole
from hgnpipe.runtime.interruption import requests_noted
from hgnpipe.runtime.progress import Progress
from hgnpipe.runtime.provenance import peak_memory_mb, provenance
from hgnpipe.training.batches import Batches
from hgnpipe.training.checkpoint import discard_checkpoint
from hgnpipe.training.loop import Trainable, fit
from hgnpipe.training.options import TrainingOptions


class Recipe(TypedDict):
    """What is trained and how: the part of the configuration that a script is given."""

    family: str
    options: dict
    training: dict


class Watched(TypedDict):
    """Points, and samples for each, of the evaluation in every row of a history."""

    num_points: int
    num_importance_samples: int


class FlowRecipe(Recipe):
    """The same of a flow, and how its training is watched."""

    watched: Watched


@dataclass(frozen=True)
class TrainingJob:
    """Where one training runs, and the files that it leaves beside its weights.

    These are ``history.csv``, the training curves, and ``run.json``, the provenance.
    Until it ends the curves grow beside its checkpoint, in `running`: an output that is
    there before its time would be a half-made one to Snakemake.

    Attributes:
        weights: File of the trained network, ``.../{system}/{model}/seed{seed}/...``.
        checkpoint: File to resume from and to save to; removed at the end, as `running`
            is. SIGTERM and
            the other signals of `hgnpipe.runtime.interruption` save it before the job
            ends.
        seed: Seed of weights, order of the data, and noise.
        device: Where to train.
        threads: Processor cores in use.
        precision: Of products on a GPU; a checkpoint of another one is not resumed.
        code: Fingerprint of the code; a checkpoint of other code is not resumed.
        graphs: Whether a GPU records iterations and replays them.

    Raises:
        ValueError: If one of the files cannot be written.
    """

    weights: Path
    checkpoint: Path
    seed: int
    device: torch.device
    threads: int
    precision: str
    code: str
    graphs: bool = True

    def __post_init__(self) -> None:
        beside = (self.history, self.weights.with_name("run.json"))
        check_writable(self.checkpoint, self.running, self.weights, *beside)

    def train(
        self,
        network: Trainable,
        data: Batches,
        training: TrainingOptions,
        *,
        family: str,
        options: Mapping[str, Any],
        origin: Mapping[str, Any],
        save: Callable[..., None],
        probe: Callable[[], Mapping[str, float]] | None = None,
        keep_best: str | None = None,
        other: Callable[[int], nn.Module] | None = None,
        finish: Callable[[Any], None] = lambda network: None,
    ) -> None:
        """Train a network, or go on where an interrupted job stopped, and save it.

        Args:
            network: On the device of the job.
            data: Training data.
            training: How to train.
            family: Family of the network.
            options: Constructor arguments of the network.
            origin: Where the data come from, and what else makes it the same training.
            save: `hgnpipe.models.save_model`, or the one of the flows.
            probe: See `hgnpipe.training.loop.fit`.
            keep_best: See `hgnpipe.training.loop.fit`.
            other: See `hgnpipe.training.loop.fit`.
            finish: Called with the trained network before it is saved.

        Raises:
            ValueError: If the data do not fit the network.
            TrainingFailed: If the loss or its gradient is no longer a number.
            Interrupted: If a signal asked to leave, or another copy has taken over.
        """
        precision = self.precision if self.device.type == "cuda" else "fp32"
        same = {"family": family, "model": options, "code": self.code, **origin}
        record = dict(provenance(self.device, self.threads), code=self.code)
        record |= {"precision": precision, "seed": self.seed, "resumed_at": 0}
        rows: list[Mapping[str, float]] = []
        start, label = time.perf_counter(), f"train {self.name or family}"
        with (
            requests_noted() as requests,
            Progress(label, training.num_iterations, "it", 5) as bar,
        ):

            def resumed(iteration: int, before: list[dict[str, float]]) -> None:
                record["resumed_at"] = iteration
                bar.resume(iteration)
                rows.extend(before)

            def report(iteration: int, row: Mapping[str, float]) -> None:
                bar.show(iteration, row)
                rows.append(row)
                with suppress(ValueError):  # a full disk is for the checkpoint to tell
                    write_csv(pd.DataFrame(rows), self.running)

            history = fit(
                network,
                data,
                training,
                seed=self.seed,
                checkpoint=self.checkpoint,
                identity={**same, "precision": precision},
                report=report,
                resumed=resumed,
                probe=probe,
                keep_best=keep_best,
                graphs=self.graphs,
                leave=lambda: bool(requests),
                other=other,
                started=lambda number: record.update(start=number),
            )
            finish(network)
        record["wall_s"] = round(time.perf_counter() - start, 1)
        record["peak_memory_mb"] = round(peak_memory_mb())
        if remark := getattr(network, "remark", ""):
            print(f"{label}: {remark}")
            record["remark"] = remark
        save(network, self.weights, family=family, options=options, provenance=record)
        write_csv(history, self.history)
        with written_whole(self.weights.with_name("run.json")) as path:
            path.write_text(json.dumps(record, indent=2) + "\n")
        self.running.unlink(missing_ok=True)
        discard_checkpoint(self.checkpoint)

    @property
    def history(self) -> Path:
        """File of the training curves."""
        return self.weights.with_name("history.csv")

    @property
    def running(self) -> Path:
        """File of the training curves so far, as long as the training is not done."""
        return self.checkpoint.with_suffix(".csv")

    @property
    def name(self) -> str:
        """``system/model``, if the path of the weights says so, for the progress."""
        *names, last = self.weights.parts[-4:-1] or ("",)
        known = len(names) == 2 and last == f"seed{self.seed}"
        return "/".join(names) if known else ""
