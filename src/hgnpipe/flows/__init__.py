"""Flows: build one, save it, and load it again in two lines.

    from hgnpipe.flows import load_flow
    flow = load_flow("results/laptop/flows/modes_8/nhf_2/seed0/flow.safetensors")

As with `hgnpipe.models`, a family is a class and its variants are its arguments.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from hgnpipe.flows.base import Flow
from hgnpipe.nn.saving import Families

FLOWS = {
    "nhf": "hgnpipe.flows.nhf.NHF",
    "realnvp": "hgnpipe.flows.realnvp.RealNVP",
}
"""Family names, and where their classes are: in a module of the same name."""

FORMAT = "hgnpipe flow 2"
FAMILIES = Families("flow", FORMAT, FLOWS)


def flow_class(family: str) -> type:
    """Class of a family.

    Raises:
        ValueError: If there is no such family; the message lists the known ones.
    """
    return FAMILIES.find(family)


def check_flow(family: str, options: Mapping[str, Any]) -> None:
    """Check names and types of the options of a flow, as a user wrote them.

    Raises:
        ValueError: If the family or an option is unknown, missing or of a wrong type.
    """
    FAMILIES.check(family, options)


def build_flow(family: str, *, seed: int = 0, **options: Any) -> Flow:
    """New flow of a family, its weights drawn with ``seed``.

    Raises:
        ValueError: If the family or an option is unknown, or a value out of range.
    """
    return FAMILIES.build(family, seed, options)


def save_flow(
    flow: Flow,
    path: str | Path,
    *,
    family: str,
    options: Mapping[str, Any],
    provenance: Mapping[str, Any] | None = None,
) -> None:
    """Write the weights, and the options that rebuild the flow around them."""
    FAMILIES.save(flow, path, family=family, options=options, provenance=provenance)


def load_flow(path: str | Path, device: str | torch.device = "cpu") -> Flow:
    """Flow from a file that `save_flow` wrote, ready to use on ``device``.

    Raises:
        ValueError: If the file is missing, damaged, or not a flow of this package.
    """
    return FAMILIES.load(path, device)
