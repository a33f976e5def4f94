"""Families of networks: find the class, build one, save it, and load it again.

A family is a class that is named by a string and imported when it is asked for, so that
a change in one does not touch the others; a variant is a set of constructor arguments.
`hgnpipe.models` and `hgnpipe.flows` each are one collection of families.
"""

import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from hgnpipe.collection import check_options, lookup, require
from hgnpipe.files.tensors import load_tensors, save_tensors


@dataclass(frozen=True)
class Families:
    """Families of one kind, and the format of their files.

    Attributes:
        kind: What messages call it, for example ``model``.
        format: What their files say they are.
        classes: Full names of the classes by name of the family.
    """

    kind: str
    format: str
    classes: Mapping[str, str]

    def find(self, family: str) -> type:
        """Class of a family.

        Raises:
            ValueError: If there is no such family; the message lists the known ones.
        """
        name = lookup(f"{self.kind} family", family, self.classes)
        module, _, name = name.rpartition(".")
        return getattr(importlib.import_module(module), name)

    def check(self, family: str, options: Mapping[str, Any]) -> None:
        """Check names and types of options, without building anything.

        Raises:
            ValueError: If the family or an option is unknown, missing or of a wrong
                type.
        """
        check_options(f"{self.kind} family {family!r}", self.find(family), options)

    def build(self, family: str, seed: int, options: Mapping[str, Any]) -> nn.Module:
        """New network of a family, its weights drawn with ``seed``.

        Raises:
            ValueError: If the family or an option is unknown, a value out of range, or
                the seed negative.
        """
        self.check(family, options)
        require(seed >= 0, "seed", seed, "zero or positive")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return self.find(family)(**options)

    def save(
        self,
        network: nn.Module,
        path: str | Path,
        *,
        family: str,
        options: Mapping[str, Any],
        provenance: Mapping[str, Any] | None = None,
    ) -> None:
        """Write the weights, and the options that rebuild the network around them."""
        metadata = {
            "family": family,
            "options": json.dumps(options),
            "provenance": json.dumps(provenance or {}),
        }
        save_tensors(path, network.state_dict(), self.format, metadata)

    def load(self, path: str | Path, device: str | torch.device = "cpu") -> nn.Module:
        """Network from a file that `save` wrote, ready to use on ``device``.

        Nothing in the file is executed: it holds numbers and names.

        Raises:
            ValueError: If the file is missing, damaged, or not of this kind.
        """
        tensors, metadata = load_tensors(path, self.format)
        try:
            options = json.loads(metadata["options"])
            network = self.build(metadata["family"], 0, options)
            network.load_state_dict(tensors)
        except (KeyError, ValueError, TypeError, RuntimeError) as error:
            family, why = metadata.get("family"), " ".join(str(error).split())[:200]
            raise ValueError(
                f"{path} does not fit {self.kind} family {family!r} of this version of "
                f"hgnpipe: train the {self.kind} again. ({why})"
            ) from error
        return network.to(device).eval()
