"""Records of TensorFlow, read without it: files of ``tf.train.Example``.

A file is a row of records: length (uint64), its checksum, the record, its checksum. A
record is a protocol buffer, a map from names to lists of bytes or of numbers.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from hgnpipe.files.whole import check_there

Example = dict[str, list[bytes] | np.ndarray]
"""Values by name: texts, or numbers as int64 or float32."""

BYTES, FLOATS, INTEGERS = 1, 2, 3
"""Fields of ``tf.train.Feature``."""
VARINT, FIXED64, DELIMITED, FIXED32 = 0, 1, 2, 5
"""How the wire says where a field ends."""


def read_examples(path: str | Path) -> Iterator[Example]:
    """All records of a file, one at a time.

    Checksums of lengths are compared, which a cut or another kind of file fails; those
    of records are not, as Python would take longer for them than for all else.

    Raises:
        ValueError: If the file is missing, cut off, or something else.
    """
    check_there(Path(path))
    with open(path, "rb") as file:
        while head := file.read(12):
            length, checksum = struct.unpack("<QI", head) if len(head) == 12 else (0, 0)
            if checksum != masked_crc32c(head[:8]):
                raise ValueError(f"{path} is damaged, or no file of TFRecords.")
            record = file.read(length + 4)
            if len(record) < length + 4:
                raise ValueError(f"{path} is cut off in the middle of a record.")
            try:
                yield parse_example(record[:length])
            except (IndexError, TypeError, ValueError) as error:
                raise ValueError(f"{path} holds no tf.train.Example.") from error


def parse_example(record: bytes) -> Example:
    """Values of one ``tf.train.Example`` by their names.

    Raises:
        ValueError: If it is none.
    """
    found: Example = {}
    for features in _all(record, 1):
        for entry in _all(features, 1):
            (name,), values = _all(entry, 1), _all(entry, 2)
            for number, content in _fields(b"".join(values)):
                found[name.decode()] = _values(number, content)
    return found


def masked_crc32c(content: bytes) -> int:
    """Checksum of TFRecords: that of Castagnoli, rotated, plus a constant."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _values(kind: int, content: bytes) -> list[bytes] | np.ndarray:
    """Of a list in a feature; numbers may be packed, or stand one by one."""
    if kind == BYTES:
        return _all(content, 1)
    parts = [value for _, value in _fields(content)]
    if kind == FLOATS:
        return np.frombuffer(b"".join(parts), "<f4")
    packed = [part if isinstance(part, bytes) else _varint(part) for part in parts]
    return _integers(b"".join(packed))


def _integers(content: bytes) -> np.ndarray:
    """Numbers of seven bits a byte, the lowest first; the last byte is below 128."""
    read = np.frombuffer(content, np.uint8)
    last = np.flatnonzero(read < 128)
    first = np.concatenate([[0], last[:-1] + 1]) if len(last) else last
    place = np.arange(len(read)) - np.repeat(first, last - first + 1)
    bits = (read & 127).astype(np.uint64) << (7 * place).astype(np.uint64)
    return np.bitwise_or.reduceat(bits, first).view(np.int64) if len(last) else bits


def _all(message: bytes, number: int) -> list[bytes]:
    """All messages or texts in the field of this number."""
    return [v for n, v in _fields(message) if n == number and isinstance(v, bytes)]


def _fields(message: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Numbers and contents of the fields of a message."""
    place = 0
    while place < len(message):
        key, place = _read_varint(message, place)
        kind = key & 7
        if kind == VARINT:
            value, place = _read_varint(message, place)
            yield key >> 3, value
            continue
        size = {FIXED64: 8, FIXED32: 4}.get(kind)
        if kind == DELIMITED:
            size, place = _read_varint(message, place)
        if size is None or place + size > len(message):
            raise IndexError("a field that does not end")
        yield key >> 3, message[place : place + size]
        place += size


def _read_varint(message: bytes, place: int) -> tuple[int, int]:
    value, shift = 0, 0
    while message[place] >= 128:
        value |= (message[place] & 127) << shift
        place, shift = place + 1, shift + 7
    return value | message[place] << shift, place + 1


def _varint(value: int) -> bytes:
    parts = []
    while value >= 128:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])
