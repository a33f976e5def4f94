"""Records of DeepMind's suite as TensorFlow would write them, without it."""

import io
import struct

import numpy as np
from PIL import Image

from hgnpipe.data.tfrecord import masked_crc32c


def varint(number):
    number &= 2**64 - 1
    parts = bytearray()
    while number >= 128:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes([*parts, number])


def field(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def integers(values, packed=True):
    if packed:
        return field(3, field(1, b"".join(map(varint, values))))
    return field(3, b"".join(varint(1 << 3) + varint(value) for value in values))


def texts(*values):
    return field(1, b"".join(field(1, value) for value in values))


def floats(values):
    return field(2, field(1, np.asarray(values, "<f4").tobytes()))


def example(**features):
    """A ``tf.train.Example`` of features that are written already."""
    entries = [
        field(1, field(1, name.encode()) + field(2, feature))
        for name, feature in features.items()
    ]
    return field(1, b"".join(entries))


def record(content):
    head = struct.pack("<Q", len(content))
    check = [struct.pack("<I", masked_crc32c(part)) for part in (head, content[:0])]
    return head + check[0] + content + check[1]


def png(frames):
    """Frames below each other in one picture."""
    file = io.BytesIO()
    Image.fromarray(frames.reshape(-1, *frames.shape[2:])).save(file, "png")
    return file.getvalue()


def write_suite(folder, frames, states, dtype="float64"):
    """A data set: videos ``(N, T, S, S, 3)`` and states ``(N, T, m)`` by split."""
    folder.mkdir(parents=True, exist_ok=True)
    for split in frames:
        with open(folder / f"{split}.tfrecord", "wb") as file:
            for video, x in zip(frames[split], states[split], strict=True):
                bits = np.ascontiguousarray(x, dtype).view("<i8").ravel().tolist()
                content = {"image": texts(png(video)), "x": integers(bits)}
                file.write(record(example(**content, dx_dt=integers(bits))))
    video, x = frames["train"][0], states["train"][0]
    (folder / "features.txt").write_text(
        f"x, {x.shape}, {dtype}\ndx_dt, {x.shape}, {dtype}\n"
        f"image, {video.shape}, uint8\n"
    )
