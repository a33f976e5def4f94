"""What is made of a preset in the end: tables, figures, and the report of them."""

import json
from pathlib import Path
from typing import Any

from hgnpipe.config.flow_settings import FlowSettings
from hgnpipe.config.schema import FIGURES
from hgnpipe.config.settings import Settings

TABLES = ("table1", "table2", "dynamics")
ANIMATED = ("fig07", "fig08")


class Results:
    """Tables, figures and report of every preset.

    Args:
        settings: The whole configuration.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.config = settings.config
        self.drawn_densities = FlowSettings(settings).drawn_densities

    def tables(self, preset: str) -> list[str]:
        """Names of the tables of a preset."""
        block = self.config.presets[preset]
        optional = {"flows": block.flows, "hnn_check": block.hnn_check}
        return [*TABLES, *(name for name, part in optional.items() if part)]

    def figures(self, preset: str) -> list[str]:
        """Names of the figures of a preset: all, or those that it lists."""
        block = self.config.presets[preset]
        drawn = self.drawn_densities(preset)
        names = {
            "fig05": ["fig05_systems"],
            "fig06": ["fig06_mse_per_frame"],
            "fig07": [f"fig07_rollouts_{system}" for system in block.systems],
            "fig08": ["fig08_samples"],
            "fig09": [f"fig09_flow_{density}" for density in drawn],
            "fig10": ["fig10_flows"] if drawn else [],
            "fig11": ["fig11_convergence_hgn"],
            "fig12": ["fig12_convergence_hnn_conv"],
            "fig13": ["fig13_integrators"],
            "fig14": ["fig14_hnn_check"] if block.hnn_check else [],
        }
        return [name for key in block.figures or FIGURES for name in names[key]]

    def current(self) -> list[str]:
        """Tables, figures and report of the preset that ``config.yaml`` names."""
        preset = self.config.preset
        tables = [
            f"results/{table}.{kind}"
            for table in self.tables(preset)
            for kind in ("csv", "md", "html")
        ]
        figures = [
            f"results/figures/{figure}.{kind}"
            for figure in self.figures(preset)
            for kind in ("pdf", *_formats(figure))
        ]
        return [*tables, *figures, "results/report.html"]

    def reported(self, wildcards: Any) -> list[str]:
        """What the report of a preset shows."""
        preset = wildcards.preset
        tables = [
            f"tables/{table}.{kind}"
            for table in [*self.tables(preset), "provenance"]
            for kind in ("html", "csv")
        ]
        figures = [
            f"figures/{figure}.{kind}"
            for figure in self.figures(preset)
            for kind in _formats(figure)
        ]
        files = [*tables, *figures, "tables/choices.html"]
        return [f"results/{preset}/{file}" for file in files]

    def of_report(self, wildcards: Any) -> str:
        """Configuration as far as the report depends on it, as JSON."""
        preset, config = wildcards.preset, self.config
        used = {
            "systems": config.presets[preset].simulated,
            "densities": self.settings.densities(preset),
            **self.settings.blocks[preset],
            "presets": [preset],
        }
        whole = config.model_dump(exclude_none=True)
        parts = {key: {n: whole[key][n] for n in names} for key, names in used.items()}
        local = {"preset": preset, "device": "cpu", "threads": 1}
        return json.dumps(whole | parts | local)

    @staticmethod
    def texts(root: Path) -> list[str]:
        """Captions, and rules with their labels: a report of older ones is outdated."""
        places = ("workflow/report/*.rst", "workflow/rules/*.smk")
        texts = sorted(path for place in places for path in root.glob(place))
        return [str(path.relative_to(root)) for path in texts]


def _formats(figure: str) -> tuple[str, ...]:
    return ("png", "html", "gif", "mp4") if figure.startswith(ANIMATED) else ("png",)
