"""Files of tensors, safetensors, that show whether they are still as they were written.

Nothing in such a file is executed: it holds numbers and names.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from hgnpipe.files.whole import AGAIN, check_format, check_there, refusal, written_whole


def save_tensors(
    path: str | Path,
    tensors: Mapping[str, Tensor],
    format: str,
    metadata: Mapping[str, str],
) -> None:
    """Write tensors, with what they are and a checksum of all.

    Args:
        path: Where to write.
        tensors: By name, on any device.
        format: What the file is: kind and version.
        metadata: What else to know of it.

    Raises:
        ValueError: If the file cannot be written.
    """
    held = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
    header = {**metadata, "format": format}
    header["sha256"] = _checksum(held, header)
    with written_whole(path) as temporary:
        save_file(held, temporary, header)


def load_tensors(
    path: str | Path, expected: str
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a file that `save_tensors` wrote.

    Raises:
        ValueError: If the file is missing, damaged, or not of the ``expected`` format.
    """
    check_there(path)
    try:
        with safe_open(path, "pt") as file:
            header = dict(file.metadata() or {})
            if not (found := header.get("format", "")).startswith("hgnpipe "):
                raise refusal(path, expected, "safetensors of another program")
            check_format(path, found, expected)
            held = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        why = " ".join(str(error).split())
        raise refusal(path, expected, f"damaged or not safetensors ({why})") from error
    if header.pop("sha256", None) != _checksum(held, header):
        raise ValueError(
            f"{path} is damaged: its content is not what was written. {AGAIN}"
        )
    return held, header


def _checksum(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> str:
    digest = hashlib.sha256(json.dumps(metadata, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()
