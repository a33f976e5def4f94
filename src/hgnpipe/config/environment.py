"""What Snakemake's own process sets up for its jobs."""

import os
import sys
from pathlib import Path


def check_device(device: str) -> None:
    """Check that a job on this machine can have its device.

    Raises:
        ValueError: If CUDA is asked for and not available.
    """
    if device == "cuda":  # the others need no torch to be found legal
        from hgnpipe.runtime.device import find_device

        try:
            find_device(device)
        except ValueError as error:
            raise ValueError(f"config.yaml: device: {error}") from None


def share_environment() -> None:
    """Let ``python`` in shell commands be this Python, with this package.

    Without it, ``.venv/bin/snakemake`` in a shell where the environment is not active
    would start its jobs with another Python, and an environment that Snakemake makes
    would lack the package.
    """
    _put_first("PATH", str(Path(sys.executable).parent))
    _put_first("PYTHONPATH", str(Path(__file__).resolve().parents[2]))


def _put_first(variable: str, folder: str) -> None:
    folders = [f for f in os.environ.get(variable, "").split(os.pathsep) if f]
    if folders[:1] != [folder]:
        os.environ[variable] = os.pathsep.join([folder, *folders])
