"""What Snakemake's own process sets up for its jobs."""

import os
import shutil
import sys
from pathlib import Path

SLURM = ("sbatch", "squeue", "sacctmgr", "sshare")
"""Programs that Snakemake's plugin calls to submit a job."""


def check_programs(executor: str) -> None:
    """Check that what submits jobs is there: without it Snakemake waits for ever.

    Args:
        executor: Name of Snakemake's executor.

    Raises:
        ValueError: If the programs of Slurm are needed and not on the PATH.
    """
    if executor != "slurm":
        return
    if missing := [name for name in SLURM if shutil.which(name) is None]:
        raise ValueError(
            f"Slurm's {', '.join(missing)} not found: submit on a login node, after "
            "`module load slurm` where your site needs it."
        )


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
