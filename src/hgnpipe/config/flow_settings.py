"""What the rules of the flows ask of the configuration."""

import json
from pathlib import Path
from typing import Any

from hgnpipe.config.reading import find_block
from hgnpipe.config.schema import Config, Flows
from hgnpipe.config.settings import OTHERS, TABLE, OfJob, Settings


class FlowSettings:
    """Densities, the flows that learn them, and which of them figures show.

    Args:
        settings: The whole configuration.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.config: Config = settings.config

    def flows(self, preset: str) -> Flows:
        """The flows of a preset.

        Raises:
            ValueError: If it has none.
        """
        found = self.config.presets[preset].flows
        if found is None:
            raise ValueError(f"Preset {preset!r} has no flows.")
        return found

    def table(self, wildcards: Any) -> str | list[str]:
        """The file that a density of kind ``table`` reads; none for the others."""
        block = self.config.densities[wildcards.density]
        return block.options["file"] if block.kind == TABLE else []

    def drawn_densities(self, preset: str) -> list[str]:
        """Those that Fig. 9 shows: a table of one's own may have any dimension."""
        return [
            name
            for name in self.settings.densities(preset)
            if self.config.densities[name].kind != TABLE
        ]

    def learning(self, preset: str, density: str) -> list[str]:
        """Flows that learn a density, whether the preset lists it or not."""
        learn = self.flows(preset).learn
        every = list(self.settings.blocks[preset]["flows"])
        return learn.get(density, learn.get(OTHERS, every))

    def flow(self, wildcards: Any) -> str:
        """Family, options and training of the flow of a job, as JSON.

        Raises:
            ValueError: If the preset lacks the flow.
        """
        flows = self.settings.blocks[wildcards.preset]["flows"]
        flow = find_block("flow", wildcards.model, wildcards.preset, flows)
        judged = self.flows(wildcards.preset).evaluation
        watched = {
            "num_points": judged.num_watched,
            "num_importance_samples": judged.num_watched_samples,
        }
        return json.dumps(flow | {"watched": watched})

    def timed_flows(self, wildcards: Any) -> str:
        """What the benchmark needs to know of every flow, as JSON."""
        flows = self.settings.blocks[wildcards.preset]["flows"]
        return json.dumps(
            {
                name: {
                    "family": flow["family"],
                    "options": flow["options"],
                    "batch_size": flow["training"]["batch_size"],
                }
                for name, flow in flows.items()
            }
        )

    def runs(self, file: str, compared: bool = False, one_seed: bool = False) -> OfJob:
        """One file of every run of the flows of a preset, or of the job's density.

        Args:
            file: Its name.
            compared: Of the density of Fig. 10 alone.
            one_seed: Of the lowest seed alone.
        """

        def of_preset(wildcards: Any) -> list[str]:
            preset = wildcards.preset
            if self.config.presets[preset].flows is None:
                return []
            own = getattr(wildcards, "density", None)
            if compared:
                own = self.compared(preset)
            seeds = self.flows(preset).seeds
            runs = [
                f"results/{preset}/flows/{place}/{model}/seed{seed}/{file}"
                for place in ([own] if own else self.settings.densities(preset))
                for model in self.learning(preset, place)
                for seed in ([min(seeds)] if one_seed else seeds)
            ]
            return self.settings.there(runs, "flow.safetensors")

        return of_preset

    def likelihoods(self, wildcards: Any) -> list[str]:
        """Measures of all flows, and of the references, on one density or on all."""
        preset, own = wildcards.preset, getattr(wildcards, "density", None)
        references = [
            f"results/{preset}/flows/{density}/references.csv"
            for density in ([own] if own else self.settings.densities(preset))
        ]
        return references + self.runs("likelihood.csv")(wildcards)

    def compared(self, preset: str) -> str:
        """The density of Fig. 10: by default the first that can be drawn."""
        return self.flows(preset).evaluation.compared or self.drawn_densities(preset)[0]

    def of_compared(self, file: str) -> OfJob:
        """File of the density of Fig. 10."""
        return lambda wildcards: (
            f"results/{wildcards.preset}/flows/{self.compared(wildcards.preset)}/{file}"
        )

    def _flow_of_family(self, preset: str, family: str) -> str:
        flows = list(self.settings.blocks[preset]["flows"])
        of_family = [f for f in flows if self.config.flows[f].family == family]
        return (of_family or flows)[0]

    def reference(self, wildcards: Any) -> str:
        """The flow that costs are relative to: by default the first RNVP."""
        chosen = self.flows(wildcards.preset).evaluation.reference
        return chosen or self._flow_of_family(wildcards.preset, "realnvp")

    def shown(self, preset: str) -> str:
        """The flow that Fig. 9 shows: by default the first NHF."""
        chosen = self.flows(preset).evaluation.shown
        return chosen or self._flow_of_family(preset, "nhf")

    def shown_label(self, wildcards: Any) -> str:
        """How figures call the flow that Fig. 9 shows."""
        return self.config.flows[self.shown(wildcards.preset)].label

    def shown_portrait(self, wildcards: Any) -> list[str]:
        """Portrait of the flow that Fig. 9 shows; none where it did not learn."""
        shown = self.shown(wildcards.preset)
        runs = self.runs("portrait.h5", one_seed=True)(wildcards)
        return [run for run in runs if Path(run).parent.parent.name == shown]
