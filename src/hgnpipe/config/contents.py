"""What the report of a preset shows, in which order, and what it is called."""

import json
from collections.abc import Callable
from typing import Any

from hgnpipe.config.results import ANIMATED, Results
from hgnpipe.reporting.runs import system_label

TITLES = {
    "table1": "Table 1: errors of all models",
    "table2": "Table 2: conservation of the learned energy",
    "dynamics": "Measures of the dynamics",
    "flows": "Flows: likelihood, structure, cost",
    "hnn_check": "Check of HNN",
    "readings": "Readings of the paper",
    "sweep": "Sweep: errors of {}",
    "fig05": "Fig. 05: systems and their videos",
    "fig06": "Fig. 06: error of each frame",
    "fig07": "Fig. 07: rollouts, {}",
    "fig08": "Fig. 08: samples from the prior",
    "fig09": "Fig. 09: NHF, {}",
    "fig10": "Fig. 10: NHF and RNVP",
    "fig11": "Fig. 11: training of HGN (leapfrog)",
    "fig12": "Fig. 12: training of HNN (conv)",
    "fig13": "Fig. 13: integrators",
    "fig14": "Fig. 14: check of HNN",
    "fig15": "Fig. 15: what kappa trades",
    "fig16": "Fig. 16: sweep, {}",
    "provenance": "Runs: commit, versions, device, time",
    "choices": "Choices: what the paper leaves open",
}
"""Titles of results; ``{}`` is the system, density or row of one of several."""
SWEPT = ("sweep", "fig16")
"""Those that are of a row."""


class Contents:
    """Titles and order of what a report shows.

    Args:
        results: What there is of every preset.
    """

    def __init__(self, results: Results) -> None:
        self.results = results
        self.settings = results.settings

    @staticmethod
    def label(name: str, kind: str = "") -> Callable[[Any], dict[str, str]]:
        """Label of a result in Snakemake's report, as a function of its wildcards.

        Args:
            name: Key of `TITLES`.
            kind: What tells its file from others of the same title.
        """

        def of_job(wildcards: Any) -> dict[str, str]:
            words = dict(wildcards.items())
            own = system_label(words.get("system", words.get("density", "")))
            title = TITLES[name].format(words.get("row", own))
            return {"result": f"{title}, {kind}" if kind else title}

        return of_job

    def page(self, wildcards: Any) -> str:
        """Everything that the page needs to know besides the results, as JSON."""
        preset = wildcards.preset
        block = self.settings.config.presets[preset]
        blocks = self.settings.blocks[preset]
        densities = self.settings.densities(preset)
        flows = block.flows
        values = {
            "example": block.evaluation.example,
            "num_samples": flows.evaluation.num_watched_samples if flows else 0,
            "label": self._shown(preset) if densities else "",
        }
        return json.dumps(
            {
                "preset": preset,
                "systems": [system_label(system) for system in block.systems],
                "num_models": len(blocks["models"]),
                "num_seeds": len(block.seeds),
                "num_train": block.data.num_train,
                "num_frames": block.data.num_frames,
                "num_flows": len(blocks["flows"]),
                "densities": [system_label(density) for density in densities],
                "values": values,
                "tables": [self._entry(name) for name in self.results.tables(preset)],
                "figures": [self._entry(name) for name in self.results.figures(preset)],
                "others": [self._entry(name) for name in ("provenance", "choices")],
            }
        )

    def _entry(self, file: str) -> dict[str, Any]:
        """A result: its file, title, caption, and whether it moves."""
        name, _, rest = file.partition("_")
        own = rest if name == "sweep" else rest.partition("_")[2]
        own = own if "{}" in TITLES.get(name, "") else ""
        name = name if name in TITLES else file
        shown = own if name in SWEPT else system_label(own)
        return {
            "file": file,
            "title": TITLES[name].format(shown).replace("Fig. 0", "Fig. "),
            "caption": name,
            "system": own,
            "animated": name in ANIMATED,
        }

    def _shown(self, preset: str) -> str:
        from hgnpipe.config.flow_settings import FlowSettings

        return self.settings.config.flows[
            FlowSettings(self.settings).shown(preset)
        ].label
