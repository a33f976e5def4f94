"""What an iteration of the paper's size costs, recorded and not."""

import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from by_hand import ROOT, Rows, read_settings
from hgnpipe.files.csv import write_csv
from hgnpipe.files.whole import check_writable
from hgnpipe.runtime.command import run
from hgnpipe.runtime.device import choose_device
from hgnpipe.runtime.provenance import peak_memory_mb
from hgnpipe.runtime.timing import Operations, with_place
from hgnpipe.training.loop import fit

FULL = {"kl_delay": 0, "kl_ramp": 0, "horizon_growth": 0, "geco_start": 0}
"""Options of which an iteration is one of the end of a training."""
FIRST = 10
"""Iterations that are not timed: kernels are chosen, and one is recorded."""


def main(
    output: Path,
    rows: list[str],
    preset: str = "paper",
    system: str | None = None,
    config_file: Path = ROOT / "config.yaml",
    timed: int = 50,
    precision: str = "tf32",
    device: str = "auto",
    threads: int = 1,
) -> None:
    """Time iterations of some rows, launched one by one and replayed.

    Args:
        output: Table to write, CSV; it grows with every measurement.
        rows: Rows of the preset.
        preset: Whose sizes they have.
        system: Whose videos they see; by default the first of the preset.
        config_file: The configuration.
        timed: Iterations of which the median is taken.
        precision: fp32 or tf32.
        device: auto, cpu or cuda.
        threads: Processor cores to use.
    """
    check_writable(output)
    chosen = choose_device(device, threads, precision)
    known, found = Rows(read_settings(preset, config_file), system, 64), []
    for name in rows:
        for graphs in (False, True):
            row = {"row": name, "graphs": graphs, "precision": precision}
            try:
                row |= measured(known, name, chosen, timed, graphs) | {"error": ""}
            except Exception as error:  # whatever it is, the other rows are wanted
                row["error"] = str(error).partition("\n")[0]
            found.append(row)
            table = with_place(pd.DataFrame(found), chosen, threads)
            write_csv(table, output, float_format="%.4g")
            print(pd.Series(row).to_frame().T.to_string(index=False), flush=True)


def measured(rows, name, device, timed, graphs) -> dict[str, float]:
    """Seconds of an iteration, operations in each second, and memory."""
    network, data = rows.build(name, **FULL)
    network.to(device)
    on_gpu, moments = device.type == "cuda", []
    if on_gpu:
        torch.cuda.reset_peak_memory_stats(device)

    def now() -> bool:
        if on_gpu:
            torch.cuda.synchronize(device)
        moments.append(time.perf_counter())
        return False

    num = FIRST + timed
    training = rows.training(name, num_iterations=num, log_every=num)
    fit(network, data, training, graphs=graphs, leave=now)
    seconds = float(np.median(np.diff(moments)[FIRST - 1 :]))
    gflop = operations(network, data, training, device) / 1e9
    peak = torch.cuda.max_memory_allocated(device) / 1e6 if on_gpu else peak_memory_mb()
    return {
        "milliseconds": 1000 * seconds,
        "gflop": gflop,
        "tflop_per_s": gflop / 1000 / seconds,
        "peak_memory_mb": peak,
    }


def operations(network, data, training, device) -> int:
    """Floating-point operations of a loss and its gradient."""
    batch = data.draw(network, training.batch_size, 0, 0, device)
    with Operations() as counted:
        generator = torch.Generator(device).manual_seed(0)
        network.loss(batch, 10**6, generator)["loss"].backward()
    return counted.total


if __name__ == "__main__":
    run(main)
