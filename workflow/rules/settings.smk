# What the rules take from config.yaml by more than one look-up.
import json

from hgnpipe.config import for_system, system_options


def setting(path):
    """Entry of config.yaml. As `lookup`, but that walks through all of it every time."""

    def of_job(wildcards):
        entry = config
        for key in path.format(**dict(wildcards.items())).split("/"):
            entry = entry[key]
        return entry

    return of_job


KINDS = [*dict.fromkeys(block["kind"] for block in config["systems"].values())]
"""Kinds of systems, each once."""


def whole_machine(wildcards):
    """All cores: nothing else may run while something is measured."""
    return workflow.cores or 1


def simulated_system(wildcards):
    """Options of the system, as JSON."""
    return json.dumps(system_options(config["systems"][wildcards.system]))


def num_extended(wildcards):
    """Trajectories that are followed beyond their frames: of train only the example."""
    evaluation = config["presets"][wildcards.preset]["evaluation"]
    few = evaluation["example"] + 1
    return few if wildcards.split == "train" else max(few, evaluation["num_extended"])


def num_before(wildcards):
    """Frames before the first: as many as a backward rollout shows."""
    return config["presets"][wildcards.preset]["data"]["num_frames"] - 1


def num_after(wildcards):
    """Frames after the last: as many as the longest horizon asks for."""
    return max(config["presets"][wildcards.preset]["evaluation"]["horizons"])


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


def runs_of(file, models=None, one_seed=False):
    """One file of every run of a preset, or of some models, or of the lowest seed.

    A model that the preset lacks is left out. With `only_finished` so is a run whose
    model is not there, and tables and figures say what is missing.
    """

    def of_preset(wildcards):
        preset = config["presets"][wildcards.preset]
        system = getattr(wildcards, "system", None)
        runs = expand(
            "results/{preset}/runs/{system}/{model}/seed{seed}/{file}",
            preset=wildcards.preset,
            system=system or preset["systems"],
            model=[m for m in preset["models"] if models is None or m in models],
            seed=min(preset["seeds"]) if one_seed else preset["seeds"],
            file=file,
        )
        if config["only_finished"]:
            runs = [
                run for run in runs if Path(run).with_name("model.safetensors").exists()
            ]
        return runs

    return of_preset


def of_every_system(*files):
    """Files of a preset, below results/{preset}/, for each of its systems or targets."""

    def of_preset(wildcards):
        paths = expand(
            [f"results/{{preset}}/{file}" for file in files],
            preset=wildcards.preset,
            system=config["presets"][wildcards.preset]["systems"],
            target=drawn_targets(wildcards.preset),
        )
        return list(dict.fromkeys(paths))  # once where the path names neither

    return of_preset


def families(wildcards):
    """Family of every model and flow of a preset, as JSON."""
    preset = config["presets"][wildcards.preset]
    models = preset["models"] | preset["flows"]["models"]
    return json.dumps({name: block["family"] for name, block in models.items()})


# What the report shows, below results/{preset}/; {system} stands for each of its
# systems, {target} for each target that Fig. 9 shows.
REPORTED = [
    "tables/table1.html",
    "tables/table1.csv",
    "tables/table2.html",
    "tables/table2.csv",
    "tables/metrics.html",
    "tables/metrics.csv",
    "tables/flows.html",
    "tables/flows.csv",
    "figures/fig05_systems.png",
    "figures/fig06_mse_per_frame.png",
    "figures/fig07_rollouts_{system}.png",
    "figures/fig07_rollouts_{system}.html",
    "figures/fig07_rollouts_{system}.gif",
    "figures/fig07_rollouts_{system}.mp4",
    "figures/fig08_samples.png",
    "figures/fig08_samples.html",
    "figures/fig08_samples.gif",
    "figures/fig08_samples.mp4",
    "figures/fig09_flow_{target}.png",
    "figures/fig10_flows.png",
    "figures/fig11_convergence_hgn.png",
    "figures/fig12_convergence_hnn_conv.png",
    "figures/fig13_integrators.png",
    "tables/provenance.html",
    "tables/provenance.csv",
    "tables/choices.html",
]


def current_figures():
    """Every figure and animation of the preset that config.yaml names."""
    figures = [f"results/{file}" for file in REPORTED if file.startswith("figures/")]
    printed = [f.removesuffix(".png") + ".pdf" for f in figures if f.endswith(".png")]
    systems = config["presets"][config["preset"]]["systems"]
    targets = drawn_targets(config["preset"])
    figures = expand(figures + printed, system=systems, target=targets)
    return list(dict.fromkeys(figures))


def report_texts():
    """Captions, and rules with their labels: a report of older ones is out of date."""
    places = ["workflow/report/*.rst", "workflow/rules/*.smk"]
    texts = sorted(path for place in places for path in ROOT.glob(place))
    return [str(path.relative_to(ROOT)) for path in texts]


def report_settings(wildcards):
    """Configuration as far as the report depends on it, as JSON."""
    kept = {"preset": wildcards.preset, "presets": {}, "device": "cpu", "threads": 1}
    kept["presets"][wildcards.preset] = config["presets"][wildcards.preset]
    return json.dumps({**config, **kept})
