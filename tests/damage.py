"""Files of ours that were changed on purpose, and bad ones."""

import io
from contextlib import contextmanager
from pathlib import Path

import h5py
import torch

from hgnpipe.files.hdf5 import stamp
from hgnpipe.files.tensors import load_tensors, save_tensors


@contextmanager
def edited(path):
    """An HDF5 file to change; it gets a new checksum."""
    with h5py.File(path, "r+") as file:
        yield file
        format = file.attrs["format"]
    stamp(path, format)


def rewrite(path, expected, tensors=None, format=None, **metadata):
    """Change what a file of tensors says about itself, or what it holds."""
    held, told = load_tensors(path, expected)
    told |= metadata
    del told["format"]
    save_tensors(path, held if tensors is None else tensors, format or expected, told)


class Touch:
    """What a pickle would call: makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def pickle_that_touches(path):
    """Weights in the format of torch that make a file when they are unpickled."""
    content = io.BytesIO()
    torch.save({"weight": Touch(path)}, content)
    return content.getvalue()
