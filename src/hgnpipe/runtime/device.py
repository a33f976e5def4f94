"""The device that a job computes on, and how torch behaves there."""

import ctypes
import os
import sys

import torch
from threadpoolctl import threadpool_limits

from hgnpipe.collection import lookup, require
from hgnpipe.runtime.gpus import take_gpu, visible_gpus

DEVICES = ("auto", "cpu", "cuda")
PRECISIONS = ("fp32", "tf32")


def choose_device(
    name: str = "auto",
    threads: int = 1,
    precision: str = "fp32",
    reproducible: bool = False,
    training: bool = False,
) -> torch.device:
    """Device called ``name``, with torch set up to use it well.

    Of several GPUs the process takes the one with the fewest jobs
    (`hgnpipe.runtime.gpus`).

    Args:
        name: ``cpu``, ``cuda``, or ``auto``: the GPU if there is one.
        threads: Processor cores to use. The images are small: on a busy machine more
            threads than free cores slow a run down many times over.
        precision: ``tf32``: a GPU shortens the factors of its products to 10 bits,
            several times faster. For training alone: what is measured of a rollout, its
            energy and its way back, would be those roundings. A processor always
            computes in ``fp32``.
        reproducible: Make a GPU give the same bits every time, at some cost in speed; a
            processor does so anyway.
        training: The process is there to train: a processor takes numbers below 1e-38
            for zero, in this and in all later threads. Decaying weights and moments of
            units that have died end there, where it may be slow: an iteration of
            PixelHNN took up to eight times as long.

    Raises:
        ValueError: If a name is unknown, or CUDA is asked for and not available.
    """
    kind = find_device(name)
    lookup("precision", precision, dict.fromkeys(PRECISIONS))
    require(threads >= 1, "threads", threads, "1 or more")
    if kind == "cuda" and (num := torch.cuda.device_count()) > 1:
        torch.cuda.set_device(take_gpu(visible_gpus(num)))
    torch.set_flush_denormal(training)
    torch.set_num_threads(threads)
    threadpool_limits(threads)  # NumPy's and SciPy's linear algebra has threads too
    torch.backends.cudnn.allow_tf32 = precision == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    # All batches have one size: the search for the fastest kernels pays. What it finds
    # depends on the moment.
    torch.backends.cudnn.benchmark = not reproducible
    # As torch.use_deterministic_algorithms, which imports a compiler, for one second.
    torch.set_deterministic_debug_mode("error" if reproducible else "default")
    if reproducible:  # read when the GPU's linear algebra starts
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    _keep_freed_memory()
    return torch.device(kind)


def find_device(name: str) -> str:
    """Kind of the device called ``name``: ``cpu`` or ``cuda``. Nothing is taken.

    Raises:
        ValueError: If the name is unknown, or CUDA is asked for and not available.
    """
    lookup("device", name, dict.fromkeys(DEVICES))
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise ValueError(
            "device is 'cuda', but torch finds no CUDA device here. Use 'auto' or "
            "'cpu', or install a CUDA build of torch on a machine with a GPU."
        )
    return "cuda" if available and name != "cpu" else "cpu"


def _keep_freed_memory() -> None:
    """Let the C library reuse large blocks instead of returning them to the system.

    A training step frees and takes the same tens of megabytes many times; getting them
    as fresh pages each time costs a quarter of the step.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:  # a C library without it, such as musl
        return
    trim_threshold, mmap_max = -1, -4
    mallopt(trim_threshold, 2**31 - 1)
    mallopt(mmap_max, 0)
