"""Where a run came from: commit, versions, device, time and memory."""

import platform
import resource
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

import hgnpipe


def provenance(device: torch.device, threads: int) -> Mapping[str, Any]:
    """What a run records about the place where it happens, as JSON values."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    return {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "device": f"{device.type} ({name})",
        "threads": threads,
        "hgnpipe": hgnpipe.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }


def peak_memory_mb() -> float:
    """Largest memory that this process has used so far, in MB."""
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def _commit() -> str | None:
    """Commit of the source, with a plus sign if it has been changed since."""
    git = ["git", "-C", str(Path(__file__).parent)]
    try:
        command = [*git, "describe", "--always", "--abbrev=12", "--dirty=+"]
        return subprocess.run(
            command, capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
