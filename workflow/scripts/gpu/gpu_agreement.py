"""Do a GPU and a processor learn the same? First iterations of every row on both."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from by_hand import ROOT, Rows, read_settings
from hgnpipe.collection import lookup
from hgnpipe.files.csv import write_csv
from hgnpipe.files.whole import check_writable
from hgnpipe.runtime.command import run
from hgnpipe.runtime.device import choose_device
from hgnpipe.runtime.timing import with_place
from hgnpipe.training.loop import fit

TOLERANCES = {"fp32": 1e-4, "tf32": 1e-2}
"""Largest relative difference of a loss, or of the size of its gradient."""
RATE = 1e-5
"""Learning rate: at a usual one, the first steps of Adam make 0.03 of a rounding."""
EARLY = {"kl_delay": 5, "kl_ramp": 5, "horizon_growth": 5, "geco_start": 12}
"""Options that let a schedule reach its end within the first iterations."""
RANDOM = ("normal", "uniform", "rand", "bernoulli", "multinomial", "exponential")


def main(
    output: Path,
    rows: list[str],
    preset: str = "laptop",
    system: str | None = None,
    config_file: Path = ROOT / "config.yaml",
    iterations: int = 20,
    batch_size: int = 8,
    device: str = "auto",
    threads: int = 1,
) -> None:
    """Train every row for a few iterations on the processor and on the device.

    Recorded iterations are compared with the same ones launched one by one, those with
    the processor's: their losses, and the norms of their gradients. The device is asked
    for the same bits every time (``reproducible``), so that recorded ones should have
    no difference. A row that fails is written down, and the next one is tried.

    Args:
        output: Table to write, CSV; it grows with every comparison.
        rows: Rows of the preset; none compares all.
        preset: Whose rows they are.
        system: Whose videos they see; by default the first of the preset.
        config_file: The configuration.
        iterations: Iterations to compare.
        batch_size: Videos, or points, of an iteration.
        device: auto, cpu or cuda.
        threads: Processor cores to use.
    """
    check_writable(output)
    known, found = Rows(read_settings(preset, config_file), system, 4 * batch_size), []
    sizes = {
        "num_iterations": iterations, "batch_size": batch_size, "log_every": 1,
        "learning_rate": RATE,
    }  # fmt: skip
    for name in rows or known.blocks:
        lookup("row", name, known.blocks)
        expected = cache(
            partial(first_iterations, known, name, sizes, torch.device("cpu"))
        )
        for precision, tolerance in TOLERANCES.items():
            chosen = choose_device(device, threads, precision, reproducible=True)
            here = partial(first_iterations, known, name, sizes, chosen)
            pairs = {
                "device": (partial(here, twin=True), expected),
                "recorded": (partial(here, graphs=True), here),
            }
            for what, both in pairs.items():
                row = {"compared": what, "row": name, "precision": precision}
                found.append({**row, "tolerance": tolerance, **compared(*both)})
                found[-1]["agrees"] = found[-1]["difference"] <= tolerance
                print(*found[-1].values(), flush=True)
            table = with_place(pd.DataFrame(found), chosen, threads)
            write_csv(table, output, float_format="%.3g")


def compared(
    found: Callable[[], np.ndarray], expected: Callable[[], np.ndarray]
) -> dict[str, object]:
    """Largest relative difference, or why there is none."""
    try:
        values, others = found(), expected()
    except Exception as error:  # whatever it is, the other rows are wanted
        return {"difference": np.nan, "error": str(error).partition("\n")[0]}
    difference = np.max(np.abs(values - others) / np.abs(others))
    return {"difference": float(difference), "error": ""}


def first_iterations(rows, name, sizes, device, graphs=False, twin=False) -> np.ndarray:
    """Loss of every iteration, and norm of its gradient.

    With ``twin`` all noise is the processor's.
    """
    network, data = rows.build(name, **EARLY)
    network.to(device)
    training = rows.training(name, **sizes)
    with ProcessorNoise() if twin else nullcontext():
        history = fit(network, data, training, graphs=graphs and not twin)
    return history[["loss", "grad_norm"]].to_numpy()


class ProcessorNoise(TorchDispatchMode):
    """Draws all random numbers on the processor, with the seed of their generator.

    A GPU draws other numbers than a processor from the same seed. Of one seed, a
    processor's generator goes on from where it was; another seed starts it anew.
    """

    def __init__(self) -> None:
        super().__init__()
        self.generator, self.seed = torch.Generator(), None

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs, name = kwargs or {}, function.overloadpacket.__name__
        generator = kwargs.get("generator")
        if generator is None or not name.startswith(RANDOM):
            return function(*args, **kwargs)
        if generator.initial_seed() != self.seed:
            self.seed = generator.initial_seed()
            self.generator.manual_seed(self.seed)
        own = {"generator": self.generator}
        if name.endswith("_"):  # in place
            drawn = function(torch.empty_like(args[0], device="cpu"), *args[1:], **own)
            return args[0].copy_(drawn)
        device = kwargs.get("device") or generator.device
        if "device" in kwargs:
            own["device"] = torch.device("cpu")
        here = [a.cpu() if isinstance(a, torch.Tensor) else a for a in args]
        return function(*here, **{**kwargs, **own}).to(device)


if __name__ == "__main__":
    run(main)
