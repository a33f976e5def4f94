"""What rules ask of systems of which there are only videos, made elsewhere."""

import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from hgnpipe.config.reading import file_of
from hgnpipe.config.settings import OfJob, Settings
from hgnpipe.systems import build_system
from hgnpipe.systems._observed import Observed


class ObservedSettings:
    """Systems without a simulation, and the files that their videos are in.

    Args:
        settings: The whole configuration.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.names = settings.observed

    @property
    def pattern(self) -> str:
        """Regular expression of the names of these systems."""
        return "|".join(sorted(self.names)) or "(?!)"

    @property
    def simulated_pattern(self) -> str:
        """Regular expression of the names of all other systems."""
        others = [s for s in self.settings.config.systems if s not in self.names]
        return "|".join(others) or "(?!)"

    def of_preset(self, preset: str) -> list[str]:
        """Those of a preset, in its order."""
        systems = self.settings.config.presets[preset].systems
        return [system for system in systems if system in self.names]

    def per_simulated(self, file: str) -> OfJob:
        """A file below ``results/{preset}/`` for each of the other systems."""
        return self.settings.per_system(file, without=self.names)

    def files(self, wildcards: Any) -> list[str]:
        """Files that the videos of a split, by default test, are read from."""
        split = getattr(wildcards, "split", "test")
        return self._system(wildcards.system).files(split)

    def check_files(
        self, targets: Collection[str], files: Sequence[str | Path]
    ) -> None:
        """Check that there are files of all videos that may be needed.

        Args:
            targets: What is asked for: of the presets in these paths, and of the one
                that is built, if it is not of them alone.
            files: Where the configuration was read from.

        Raises:
            ValueError: If not; the message names file, system and option.
        """
        config = self.settings.config
        asked = [re.match(r"(?:\./)?results/(\w+)/", target) for target in targets]
        named = {found[1] if found else config.preset for found in asked}
        for preset in (named or {config.preset}) & config.presets.keys():
            for name in self.of_preset(preset):
                where = ("systems", name)
                try:
                    for split in ("train", "test"):
                        self._system(name).files(split)
                except ValueError as error:
                    file = file_of(where, files)
                    raise ValueError(f"{file}: systems.{name}: {error}") from None

    def _system(self, name: str) -> Observed:
        block = self.settings.config.systems[name]
        return build_system(block.kind, **block.options)
