"""What is made of a preset in the end: tables, figures, and the report of them."""

import json
from typing import Any

from hgnpipe.config.flow_settings import FlowSettings
from hgnpipe.config.reading import find_block
from hgnpipe.config.schema import FIGURES
from hgnpipe.config.settings import OfJob, Settings
from hgnpipe.config.sweeps import Rows, base_of, sweeps
from hgnpipe.fingerprint import Source, text_hash

TABLES = ("table1", "table2", "dynamics")
EVERY_TABLE = (*TABLES, "flows", "hnn_check", "readings")
ANIMATED = ("fig07", "fig08")


class Results:
    """Tables, figures and report of every preset.

    Args:
        settings: The whole configuration.
        top: The preset that config.yaml names, of which there are copies directly under
            ``results/``; without it, the one that is built.
    """

    def __init__(self, settings: Settings, top: str | None = None) -> None:
        self.settings = settings
        self.config = settings.config
        self.top = top or settings.config.preset
        self.drawn_densities = FlowSettings(settings).drawn_densities

    def tables(self, preset: str) -> list[str]:
        """Names of the tables of a preset."""
        block = self.config.presets[preset]
        optional = {name: getattr(block, name) for name in EVERY_TABLE[len(TABLES) :]}
        swept = [f"sweep_{row}" for row in self.sweeps(preset)]
        return [*TABLES, *(name for name, part in optional.items() if part), *swept]

    def figures(self, preset: str) -> list[str]:
        """Names of the figures of a preset: all, or those that it lists."""
        block = self.config.presets[preset]
        drawn = self.drawn_densities(preset)
        simulated = {*block.systems} - self.settings.observed
        rows = self.settings.models(preset)
        names = {
            "fig05": ["fig05_systems"] if simulated else [],
            "fig06": ["fig06_mse_per_frame"],
            "fig07": [f"fig07_rollouts_{system}" for system in block.systems],
            "fig08": ["fig08_samples"],
            "fig09": [f"fig09_flow_{density}" for density in drawn],
            "fig10": ["fig10_flows"] if drawn else [],
            "fig11": ["fig11_convergence_hgn"] if "hgn_leapfrog" in rows else [],
            "fig12": ["fig12_convergence_hnn_conv"] if "hnn_conv" in rows else [],
            "fig13": ["fig13_integrators"],
            "fig14": ["fig14_hnn_check"] if block.hnn_check else [],
            "fig15": ["fig15_kappa"] if self.kappas(preset) else [],
            "fig16": [f"fig16_sweep_{row}" for row in self.sweeps(preset)],
        }
        return [name for key in block.figures or FIGURES for name in names[key]]

    def kappas(self, preset: str) -> dict[str, dict[str, float]]:
        """Kappa by system and row, of the rows that differ in nothing else.

        Of several such groups of rows the largest; none without two different kappas.
        A row that leaves kappa to its family is not compared.
        """
        groups: dict[str, dict[str, dict[str, float]]] = {}
        for row, systems in self.settings.blocks[preset]["models"].items():
            if all("kappa" in block["options"] for block in systems.values()):
                kappas = {s: block["options"]["kappa"] for s, block in systems.items()}
                groups.setdefault(_but_for_kappa(systems), {})[row] = kappas
        differing = [
            rows
            for rows in groups.values()
            if any(kappas != next(iter(rows.values())) for kappas in rows.values())
        ]
        rows = max(differing, key=len, default={})
        systems = next(iter(rows.values()), {})
        return {s: {row: kappas[s] for row, kappas in rows.items()} for s in systems}

    def of_kappas(self, wildcards: Any) -> str:
        """Kappa by system and row, as JSON."""
        return json.dumps(self.kappas(wildcards.preset))

    def kappa_runs(self, file: str) -> OfJob:
        """One file of every run of the rows that differ in kappa alone."""

        def of_preset(wildcards: Any) -> list[str]:
            rows = next(iter(self.kappas(wildcards.preset).values()), {})
            return self.settings.runs(file, models=[*rows])(wildcards)

        return of_preset

    def sweeps(self, preset: str) -> Rows:
        """Rows of the sweeps of a preset, and their values."""
        return sweeps(self.settings.written, preset)

    def of_sweep(self, wildcards: Any) -> str:
        """Values of the rows of a sweep, by option, as JSON."""
        return json.dumps(self._sweep(wildcards))

    def sweep_runs(self, file: str) -> OfJob:
        """One file of every run of the rows of a sweep."""

        def of_sweep(wildcards: Any) -> list[str]:
            rows = [*self._sweep(wildcards)]
            return self.settings.runs(file, models=rows)(wildcards)

        return of_sweep

    def _sweep(self, wildcards: Any) -> dict[str, dict[str, Any]]:
        found = self.sweeps(wildcards.preset)
        return find_block("sweep", wildcards.row, wildcards.preset, found)

    def current(self) -> list[str]:
        """Tables, figures and report of the preset that is built.

        They are copies directly under ``results/``, if it is the one that
        ``config.yaml`` names: another one, from the command line or from a file that
        is laid over it, must not replace them.
        """
        preset = self.config.preset
        is_top = preset == self.top
        place = "results" if is_top else f"results/{preset}"
        tables = [
            f"{place}/{'' if is_top else 'tables/'}{table}.{kind}"
            for table in self.tables(preset)
            for kind in ("csv", "md", "html")
        ]
        figures = [
            f"{place}/figures/{figure}.{kind}"
            for figure in self.figures(preset)
            for kind in ("pdf", *_formats(figure))
        ]
        return [*tables, *figures, f"{place}/report.html"]

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
        preset, config = wildcards.preset, self.settings.written
        blocks = self.settings.blocks[preset]
        used = {
            "systems": config.presets[preset].simulated,
            "densities": self.settings.densities(preset),
            **{k: dict.fromkeys(map(base_of, blocks[k])) for k in blocks},
            "presets": [preset],
        }
        whole = config.model_dump(exclude_none=True)
        parts = {key: {n: whole[key][n] for n in names} for key, names in used.items()}
        local = {"preset": preset, "device": "cpu", "threads": 1}
        return json.dumps(whole | parts | local)

    @staticmethod
    def text(name: str) -> OfJob:
        """A text of the repository that a job reads."""
        return lambda wildcards: Source(text_hash(name), name)


def _but_for_kappa(systems: dict[str, Any]) -> str:
    """What a row is on every system, without kappa, as JSON."""
    return json.dumps(
        {
            system: {
                **block,
                "options": {k: v for k, v in block["options"].items() if k != "kappa"},
            }
            for system, block in systems.items()
        },
        sort_keys=True,
    )


def _formats(figure: str) -> tuple[str, ...]:
    return ("png", "html", "gif", "mp4") if figure.startswith(ANIMATED) else ("png",)
