"""Where a run came from: commit, versions, device, time and memory."""

import os
import platform
import re
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
    on_gpu = device.type == "cuda"
    name = torch.cuda.get_device_name(device) if on_gpu else processor_name()
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


def processor_name() -> str:
    """Name of the processor and number of its cores, as far as the system tells."""
    try:
        described = Path("/proc/cpuinfo").read_text()
    except OSError:
        described = ""
    names = re.findall(r"^model name\s*: *(.+)$", described, re.MULTILINE)
    name = names[0].strip() if names else platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores"


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
