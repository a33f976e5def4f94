"""What Snakemake's own process sets up for its jobs."""

import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

SLURM = ("sbatch", "squeue", "sacctmgr", "sshare")
"""Programs that Snakemake's plugin calls to submit a job."""
SHELL = ("bash", "tee", "cp")
"""Programs that the commands of the rules call, beside Python."""


def check_place(folder: Path) -> None:
    """Check that the workflow can be run from the folder where it is.

    Raises:
        ValueError: If its path has braces, which Snakemake would fill in, or what parts
            the folders of a search path.
    """
    if wrong := [sign for sign in ("{", "}", os.pathsep) if sign in str(folder)]:
        raise ValueError(
            f"The workflow lies in {folder}, whose path has a {wrong[0]!r}: Snakemake "
            f"and Python cannot work from there. Move it, or rename that folder."
        )


def check_folders(files: Iterable[str | Path]) -> None:
    """Check that files can be made.

    Raises:
        ValueError: If something that is no folder is in the way, or one is read-only.
    """
    for folder in sorted({Path(file).parent for file in files}):
        ways = [folder, *folder.parents]
        place = next(way for way in ways if way.exists() or way.is_symlink())
        if not place.is_dir():
            kind = "a link that leads nowhere" if place.is_symlink() else "a file"
            raise ValueError(
                f"{place} is {kind}; it must be a folder, or not there: {folder} is to "
                f"be made."
            )
        if not os.access(place, os.W_OK | os.X_OK):
            raise ValueError(
                f"Cannot write into {place.absolute()}: it is read-only, or another "
                f"user's. `--directory FOLDER` makes everything elsewhere."
            )


def check_programs(executor: str) -> None:
    """Check that what jobs call is there, and what submits them.

    Without the latter Snakemake waits for ever.

    Args:
        executor: Name of Snakemake's executor.

    Raises:
        ValueError: If a program is needed and not on the PATH.
    """
    if missing := [name for name in SHELL if shutil.which(name) is None]:
        raise ValueError(
            f"{', '.join(missing)} not found: the PATH lacks the folders of the system."
        )
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

    The programs of the system are found also where no PATH is set.

    Without it, ``.venv/bin/snakemake`` in a shell where the environment is not active
    would start its jobs with another Python, and an environment that Snakemake makes
    would lack the package. Settings of Matplotlib that a notebook or a user has made
    could keep it from starting.
    """
    os.environ.update(MPLBACKEND="agg", MATPLOTLIBRC=os.devnull)
    os.environ["PATH"] = os.environ.get("PATH") or os.defpath
    _put_first("PATH", str(Path(sys.executable).parent))
    _put_first("PYTHONPATH", str(Path(__file__).resolve().parents[2]))


def _put_first(variable: str, folder: str) -> None:
    folders = [f for f in os.environ.get(variable, "").split(os.pathsep) if f]
    if folders[:1] != [folder]:
        os.environ[variable] = os.pathsep.join([folder, *folders])
