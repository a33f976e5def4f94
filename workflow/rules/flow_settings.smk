# What the rules of the flows take from config.yaml by more than one look-up.
import json

from hgnpipe.config import is_table, system_options


def target_block(wildcards):
    """Options of a target, as JSON."""
    return json.dumps(system_options(config["targets"][wildcards.target]))


def table_of_target(wildcards):
    """The file that a target of kind `table` reads; none for the others."""
    block = config["targets"][wildcards.target]
    return block["file"] if is_table(block) else []


def flows_of_target(preset, target):
    """Flows that learn a target, whether the preset lists it or not."""
    flows = config["presets"][preset]["flows"]
    return flows["targets"].get(target, flows["other_targets"])


def flow_block(wildcards):
    """Block of a flow in its preset; options as JSON."""
    models = config["presets"][wildcards.preset]["flows"]["models"]
    if wildcards.model not in models:
        raise WorkflowError(
            f"Unknown flow {wildcards.model!r} of preset {wildcards.preset!r}. "
            f"Known: {', '.join(models)}."
        )
    block = models[wildcards.model]
    return {
        "family": block["family"],
        "options": json.dumps(block["options"]),
        "training": json.dumps(block["training"]),
    }


def flow_setting(name):
    """One entry of `flow_block`."""
    return lambda wildcards: flow_block(wildcards)[name]


def flow_code(script):
    """Fingerprint of a script and the family, or all families, that it imports by name."""

    def of_family(wildcards):
        models = config["presets"][wildcards.preset]["flows"]["models"]
        if hasattr(wildcards, "model"):
            models = {wildcards.model: flow_block(wildcards)}
        families = sorted({block["family"] for block in models.values()})
        return code_hash(script, *(f"hgnpipe.flows.{family}" for family in families))

    return of_family


def flow_runs(preset, targets, file, one_seed=False):
    """One file of every run of the flows of some targets, or of the lowest seed."""
    seeds = config["presets"][preset]["flows"]["seeds"]
    runs = [
        f"results/{preset}/flows/{target}/{model}/seed{seed}/{file}"
        for target in targets
        for model in flows_of_target(preset, target)
        for seed in ([min(seeds)] if one_seed else seeds)
    ]
    if config["only_finished"]:
        runs = [run for run in runs if Path(run).with_name("flow.safetensors").exists()]
    return runs


def preset_targets(preset):
    """Targets that the flows of a preset learn."""
    return list(config["presets"][preset]["flows"]["targets"])


def drawn_targets(preset):
    """Those that Fig. 9 shows: a table of one's own may have any dimension."""
    targets = preset_targets(preset)
    return [target for target in targets if not is_table(config["targets"][target])]


def all_flow_runs(file):
    """One file of every run of the flows of a preset."""
    return lambda wildcards: flow_runs(
        wildcards.preset, preset_targets(wildcards.preset), file
    )


def flow_metrics(wildcards):
    """Measures of all flows, and of the references, on one target or on all."""
    preset, target = wildcards.preset, getattr(wildcards, "target", None)
    targets = preset_targets(preset) if target is None else [target]
    references = expand(
        "results/{preset}/flows/{target}/references.csv", preset=preset, target=targets
    )
    return references + flow_runs(preset, targets, "metrics.csv")


def timed_flows(wildcards):
    """What the benchmark needs to know of every flow, as JSON."""
    models = config["presets"][wildcards.preset]["flows"]["models"]
    blocks = {
        name: {
            "family": block["family"],
            "options": block["options"],
            "batch_size": block["training"]["batch_size"],
        }
        for name, block in models.items()
    }
    return json.dumps(blocks)


def portrait_of_shown_flow(wildcards):
    """Portrait of the flow that Fig. 9 shows; none with `only_finished` if not there."""
    flows = config["presets"][wildcards.preset]["flows"]
    runs = flow_runs(wildcards.preset, [wildcards.target], "portrait.h5", one_seed=True)
    shown = flows["evaluation"]["shown"]
    return [run for run in runs if Path(run).parent.parent.name == shown]


def shown_flow_label(wildcards):
    """How figures call the flow that Fig. 9 shows."""
    shown = config["presets"][wildcards.preset]["flows"]["evaluation"]["shown"]
    return config["labels"].get(shown, shown)


def compared_target(file):
    """File of the target of Fig. 10."""

    def of_preset(wildcards):
        evaluation = config["presets"][wildcards.preset]["flows"]["evaluation"]
        return f"results/{wildcards.preset}/flows/{evaluation['compared']}/{file}"

    return of_preset


def compared_runs(file, one_seed=False):
    """One file of every run on the target of Fig. 10."""

    def of_preset(wildcards):
        evaluation = config["presets"][wildcards.preset]["flows"]["evaluation"]
        targets = [evaluation["compared"]]
        return flow_runs(wildcards.preset, targets, file, one_seed)

    return of_preset
