"""Flows: build one, save it, and load it again in two lines.

    from hgnpipe.flows import load_flow
    flow = load_flow("results/laptop/flows/modes_8/nhf_2/seed0/flow.safetensors")

As with `hgnpipe.models`, a family is a class and its variants are its arguments.
"""

from hgnpipe.collection import Collection
from hgnpipe.nn.saving import Networks

FLOWS = Collection("flow family", "hgnpipe.flows")
FORMAT = "hgnpipe flow 2"

_networks = Networks(FLOWS, FORMAT)
build_flow, save_flow, load_flow = _networks.build, _networks.save, _networks.load
