"""Networks that a collection of families has: build one, save it, load it again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from hgnpipe.collection import Collection, require
from hgnpipe.files.tensors import load_tensors, save_tensors


@dataclass(frozen=True)
class Networks:
    """Networks of some families, each with variants: its constructor arguments.

    Attributes:
        families: Where their classes are.
        format: What the files of the networks say they are.
    """

    families: Collection
    format: str

    def build(self, family: str, *, seed: int = 0, **options: Any) -> nn.Module:
        """New network of a family, its weights drawn with ``seed``.

        Raises:
            ValueError: If the family or an option is unknown, or a value out of range.
        """
        require(seed >= 0, "seed", seed, "zero or positive")
        require(seed < 2**64, "seed", seed, "below 2**64")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return self.families.build(family, **options)

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
            network = self.build(metadata["family"], **options)
            network.load_state_dict(tensors)
        except (KeyError, ValueError, TypeError, RuntimeError) as error:
            family, why = metadata.get("family"), " ".join(str(error).split())[:200]
            kind = self.families.kind
            raise ValueError(
                f"{path} does not fit {kind} {family!r} of this version of hgnpipe: "
                f"train the {kind.split()[0]} again. ({why})"
            ) from error
        return network.to(device).eval()
