"""What the rules ask of the configuration.

A method that takes ``wildcards`` answers for one job; the others answer with a function
of wildcards, which is what Snakemake wants for inputs and params.
"""

import json
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from hgnpipe.config.reading import find_block
from hgnpipe.config.schema import Config, Kind, Preset
from hgnpipe.fingerprint import Source, code_hash, reached
from hgnpipe.reporting.runs import REFERENCE_LABELS

SCRIPTS = "workflow/scripts"
TABLE = "table"
"""Kind of a density that is a table of points, of any dimension."""
OTHERS = "others"
"""Key of ``learn``: flows that learn a density that the preset does not list."""
OfJob = Callable[[Any], Any]

# A stage of the code is read once in a call of Snakemake, however many jobs ask for it.
_code_hash, _reached = cache(code_hash), cache(reached)


class Settings:
    """The configuration, and what every model and flow gets of it.

    Args:
        config: All of ``config.yaml``.
        blocks: From `hgnpipe.config.building.check_preset`, by preset: family, options
            and training of every model and system, and of every flow.
        observed: Systems of which there are only videos, made elsewhere.
        written: The configuration before `hgnpipe.config.sweeps.expanded`.
    """

    def __init__(
        self,
        config: Config,
        blocks: Mapping[str, Any],
        observed: Iterable[str] = (),
        written: Config | None = None,
    ) -> None:
        self.config = config
        self.blocks = blocks
        self.observed = frozenset(observed)
        self.written = written or config

    # The preset of a job

    def preset(self, wildcards: Any) -> Preset:
        """The preset that a job belongs to."""
        return self.config.presets[wildcards.preset]

    def value(self, path: str) -> OfJob:
        """Entry of a preset by its path, for example ``data.num_frames``."""

        def of_job(wildcards: Any) -> Any:
            entry: Any = self.preset(wildcards)
            for key in path.format(**dict(wildcards.items())).split("."):
                entry = getattr(entry, key)
            return entry

        return of_job

    def values(self, path: str, *keys: str) -> OfJob:
        """Some values of a block of a preset, as JSON."""
        block = self.value(path)
        return lambda wildcards: block(wildcards).model_dump_json(include={*keys})

    def labels(self, wildcards: Any) -> str:
        """How tables and figures call their rows, in this order, as JSON.

        Models are in the order of the preset, flows in that of ``flows``.
        """
        blocks, config = self.blocks[wildcards.preset], self.config
        models = {name: config.models[name].label for name in blocks["models"]}
        flows = {n: r.label for n, r in config.flows.items() if n in blocks["flows"]}
        return json.dumps(models | flows | REFERENCE_LABELS)

    # Data

    def kind(self, wildcards: Any) -> str:
        """Kind of the system, or of the density, of a job."""
        return self._block(wildcards).kind

    def options(self, wildcards: Any) -> str:
        """Options of the system, or of the density, of a job, as JSON."""
        return json.dumps(self._block(wildcards).options)

    def _block(self, wildcards: Any) -> Kind:
        job = dict(wildcards.items())
        if "density" in job:
            return self.config.densities[job["density"]]
        return self.config.systems[job["system"]]

    def densities(self, preset: str) -> list[str]:
        """Densities that the flows of a preset learn."""
        flows = self.config.presets[preset].flows
        return [name for name in flows.learn if name != OTHERS] if flows else []

    def system_kinds(self) -> list[str]:
        """Kinds of all systems that are simulated, each once."""
        systems = self.config.systems.items()
        kinds = [block.kind for name, block in systems if name not in self.observed]
        return [*dict.fromkeys(kinds)]

    def num_trajectories(self, wildcards: Any) -> int:
        """Trajectories of a split."""
        data = self.preset(wildcards).data
        return data.num_test if wildcards.split == "test" else data.num_train

    def num_frames(self, wildcards: Any) -> int:
        """Frames of the trajectories of a split."""
        data = self.preset(wildcards).data
        return data.num_frames + 2 * self.num_around(wildcards)

    def num_around(self, wildcards: Any) -> int:
        """Frames of a split before the initial state, and as many more after."""
        data = self.preset(wildcards).data
        return data.num_around if wildcards.split == "long" else 0

    def training_videos(self, wildcards: Any) -> str:
        """Videos that a model trains on: long ones if it has targets beyond others."""
        wanted = json.loads(self.model(wildcards))["options"].get("num_targets") or 0
        longer = wanted > self.preset(wildcards).data.num_frames
        place = f"results/{wildcards.preset}/data/{wildcards.system}"
        return f"{place}/{'long' if longer else 'train'}_videos.h5"

    def num_extended(self, wildcards: Any) -> int:
        """Trajectories that are followed beyond their frames: of train the example."""
        evaluation = self.preset(wildcards).evaluation
        few = evaluation.example + 1
        test = wildcards.split == "test"
        return max(few, evaluation.num_extended) if test else few

    def num_before(self, wildcards: Any) -> int:
        """Frames before the first: as many as a backward rollout shows."""
        return self.preset(wildcards).data.num_frames - 1

    def num_after(self, wildcards: Any) -> int:
        """Frames after the last: as many as the longest horizon asks for."""
        return max(self.preset(wildcards).evaluation.horizons)

    # Models

    def models(self, preset: str) -> list[str]:
        """Rows of Table 1 in a preset."""
        return list(self.blocks[preset]["models"])

    def model(self, wildcards: Any) -> str:
        """Family, options and training of the model of a job, as JSON.

        Raises:
            ValueError: If the preset lacks the model or the system.
        """
        preset = wildcards.preset
        models = self.blocks[preset]["models"]
        systems = find_block("model", wildcards.model, preset, models)
        return json.dumps(find_block("system", wildcards.system, preset, systems))

    def runs(
        self, file: str, models: Sequence[str] | None = None, one_seed: bool = False
    ) -> OfJob:
        """One file of every run of a preset, or of some models, or of the lowest seed.

        A model that the preset lacks is left out. With ``only_finished`` so is a run
        whose model is not there, and tables and figures say what is missing.
        """

        def of_preset(wildcards: Any) -> list[str]:
            preset = self.preset(wildcards)
            system = getattr(wildcards, "system", None)
            runs = [
                f"results/{wildcards.preset}/runs/{place}/{model}/seed{seed}/{file}"
                for place in ([system] if system else preset.systems)
                for model in self.models(wildcards.preset)
                if models is None or model in models
                for seed in ([min(preset.seeds)] if one_seed else preset.seeds)
            ]
            return self.there(runs, "model.safetensors")

        return of_preset

    def rows_among(self, models: Sequence[str]) -> OfJob:
        """Those of some models that a preset has, in this order."""
        return lambda wildcards: [
            model for model in models if model in self.models(wildcards.preset)
        ]

    def per_system(self, file: str, without: Container[str] = ()) -> OfJob:
        """A file below ``results/{preset}/`` for each system of the preset but some."""
        return lambda wildcards: [
            f"results/{wildcards.preset}/{file.format(system=system)}"
            for system in self.preset(wildcards).systems
            if system not in without
        ]

    def checks(self, file: str) -> OfJob:
        """A file of the check of HNN for each of its systems: states.h5, pixels.csv.

        For a preset without that check they raise a `ValueError`.
        """

        def of_preset(wildcards: Any) -> list[str]:
            check = self.preset(wildcards).hnn_check
            if check is None:
                raise ValueError(f"Preset {wildcards.preset!r} has no hnn_check.")
            pixels = file.startswith("pixels")
            systems = [check.pixels.system] if pixels else check.states.systems
            folder = f"results/{wildcards.preset}/hnn_check"
            return [f"{folder}/{system}/{file}" for system in systems]

        return of_preset

    def families(self, kinds: Iterable[str] = ("models", "flows")) -> OfJob:
        """Family of every model, or flow, of a preset, as JSON."""
        rows = {"models": self.config.models, "flows": self.config.flows}
        return lambda wildcards: json.dumps(
            {
                name: rows[kind][name].family
                for kind in kinds
                for name in self.blocks[wildcards.preset][kind]
            }
        )

    @staticmethod
    def checkpoint(wildcards: Any, output: Sequence[str]) -> str:
        """Checkpoint of a training, in the folder of the results that it makes."""
        *_, runs, name, model, seed, _ = Path(output[0]).parts
        of_flows = ["flows"] if runs == "flows" else []
        place = Path(output[0]).parents[4].joinpath("checkpoints", *of_flows, name)
        return f"{place}/{model}/{seed}.safetensors"

    # Code

    def code(self, script: str, *every: str) -> OfJob:
        """A script below ``workflow/scripts``; with all code that it uses or looks up.

        A script that can build any system, density, model or flow depends on those
        alone that its job is about.

        Args:
            script: Its path, without the ending.
            every: ``flows`` where a job is about all flows of its preset.
        """
        path = f"{SCRIPTS}/{script}.py"

        def of_job(wildcards: Any) -> Source:
            job, found = dict(wildcards.items()), []
            for package in ("systems", "densities", "models", "flows"):
                if f"hgnpipe.{package}" in _reached(path):
                    names = self._looked_up(package, job, package in every)
                    found += [f"hgnpipe.{package}.{name}" for name in names]
            return Source(_code_hash(path, *sorted(found)), path)

        return of_job

    def _looked_up(self, package: str, job: Mapping[str, str], every: bool) -> set[str]:
        """Kinds or families that a job is about: its own, or all of its preset."""
        blocks, preset = getattr(self.config, package), job.get("preset")
        if package in ("models", "flows"):
            names = self.blocks[preset][package] if every else [job.get("model")]
            return {blocks[name].family for name in names if name in blocks}
        if own := job.get({"systems": "system", "densities": "density"}[package]):
            names = [own]
        elif preset is None:
            names = blocks
        elif package == "systems":
            names = self.config.presets[preset].systems
        else:
            names = self.densities(preset)
        return {blocks[name].kind for name in names} - {TABLE}

    def there(self, runs: list[str], weights: str) -> list[str]:
        """Files of runs; with ``only_finished`` of those whose weights are there."""
        if not self.config.only_finished:
            return runs
        return [run for run in runs if Path(run).with_name(weights).exists()]
