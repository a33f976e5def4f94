# What the rules take from config.yaml by more than one look-up.
import json

from hgnpipe.config import for_system, system_options


def simulated_system(wildcards):
    """Options of the system, as JSON."""
    return json.dumps(system_options(config["systems"][wildcards.system]))


def model_block(wildcards):
    """Block of the model in its preset, for one system; options as JSON."""
    preset = config["presets"][wildcards.preset]
    if wildcards.model not in preset["models"]:
        known = ", ".join(preset["models"])
        raise WorkflowError(
            f"Unknown model {wildcards.model!r} of preset {wildcards.preset!r}. "
            f"Known: {known}."
        )
    block = preset["models"][wildcards.model]
    return {
        "family": block["family"],
        "options": json.dumps(for_system(block["options"], wildcards.system)),
        "training": json.dumps(for_system(block["training"], wildcards.system)),
    }


def family_code(script):
    """Fingerprint of a script and the family that it imports by name."""

    def of_family(wildcards):
        family = model_block(wildcards)["family"]
        return code_hash(script, f"hgnpipe.models.{family}")

    return of_family


def model_setting(name):
    """One entry of `model_block`."""
    return lambda wildcards: model_block(wildcards)[name]


def all_metrics(wildcards):
    """Tables of trajectories of every run of a preset, and of its references."""
    preset = config["presets"][wildcards.preset]
    runs = expand(
        "results/{preset}/runs/{system}/{model}/seed{seed}/metrics.csv",
        preset=wildcards.preset,
        system=preset["systems"],
        model=preset["models"],
        seed=preset["seeds"],
    )
    references = expand(
        "results/{preset}/references/{system}.csv",
        preset=wildcards.preset,
        system=preset["systems"],
    )
    return runs + references
