"""Hamiltonian Generative Networks (Toth et al., ICLR 2020), reproduced from nothing.

What one needs most is here, and imported when it is asked for:

    import hgnpipe as hgn
    model = hgn.load_model("results/laptop/runs/pendulum/hgn_vector/seed0/"
                           "model.safetensors")
    hgn.sample(model, 8).save("samples.gif")
"""

import importlib

__version__ = "0.1.0"

_WHERE = {
    "build_system": "systems",
    "simulate": "data.simulation",
    "true_energy": "data.simulation",
    "render": "data.rendering",
    "open_videos": "data.videos",
    "build_model": "models",
    "load_model": "models",
    "save_model": "models",
    "fit": "training.loop",
    "VideoBatches": "training.batches",
    "TrainingOptions": "training.options",
    "predict": "reporting.clips",
    "sample": "reporting.clips",
    "compare": "reporting.clips",
    "latent_motion": "reporting.phase_space",
    "phase_portrait": "reporting.phase_space",
    "symetric": "evaluation.symetric",
}
__all__ = sorted(_WHERE)


def __getattr__(name: str) -> object:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *_WHERE]
