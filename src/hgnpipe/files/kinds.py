"""What a file is that is not what was expected, told by its first bytes."""

import json
import re
from pathlib import Path

LOOKED_AT = 4096
LARGEST_HEADER = 100_000_000
MARKS = {
    b"\x89HDF\r\n\x1a\n": "HDF5 of another program",
    b"\x93NUMPY": "an array of NumPy",
    b"PK\x03\x04": "a ZIP archive, as `torch.save` and `np.savez` write",
    b"\x80": "a pickle of Python",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "compressed with gzip",
}
"""How files of others begin."""
BEGINNING = b"hgnpipe "
OURS = re.compile(rb"(hgnpipe [a-z]+ [0-9]{1,9})\n")


def is_ours(path: str | Path) -> bool:
    """Whether a file begins like those in HDF5 that the workflow writes."""
    try:
        with open(path, "rb") as file:
            return file.read(len(BEGINNING)) == BEGINNING
    except OSError:
        return False


def what_it_is(path: str | Path) -> str | None:
    """What a file is, if its beginning says so; none for a damaged one of ours.

    Raises:
        OSError: If it cannot be read.
    """
    with open(path, "rb") as file:
        first = file.read(LOOKED_AT)
        size = int.from_bytes(first[:8], "little")
        if first[8:9] == b"{" and size < LARGEST_HEADER:
            return _of_safetensors(first[8:] + file.read(size), size)
    if first.startswith(BEGINNING):
        line = OURS.match(first)
        return line and f"a file of format {line[1].decode()!r}"
    for mark, name in MARKS.items():
        if first.startswith(mark):
            return name
    return "text" if _is_text(first) else None


def _of_safetensors(text: bytes, size: int) -> str | None:
    """See `what_it_is`: a file that may be safetensors, from its header on."""
    try:
        metadata = json.loads(text[:size])["__metadata__"]
        name = metadata["format"]
    except KeyError:
        name = None
    except (ValueError, TypeError):
        return None
    ours = isinstance(name, str) and name.startswith("hgnpipe ")
    return f"a file of format {name!r}" if ours else "safetensors of another program"


def _is_text(first: bytes) -> bool:
    """Whether bytes are text, with a character that is cut at most at the end."""
    try:
        text = first.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(first) - 3 or len(first) < LOOKED_AT:
            return False
        text = first[: error.start].decode("utf-8")
    return bool(text) and all(c.isprintable() or c.isspace() for c in text)
