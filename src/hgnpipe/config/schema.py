"""Types of ``config.yaml``, from which the JSON schema for editors is made.

    python -m hgnpipe.config.schema > workflow/schemas/config.schema.json

Nothing has a default that a result depends on: all of it is written in the file. Values
are taken as they are: ``"8"``, ``8.0`` and ``true`` are no integers.
"""

import json
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

NAME = r"^[A-Za-z][A-Za-z0-9_]*$"
"""Letters, digits and underscores, because names are folders."""
LABEL = r"^[^\s_|$`\\][^|$`\\\r\n\t]*$"
"""One line without what Markdown or a figure would take for something else."""


def _without_twins(values: list[Any]) -> list[Any]:
    twins = sorted({str(v) for v in values if values.count(v) > 1})
    if twins:
        raise ValueError(f"{', '.join(twins)} is listed twice.")
    return values


Name = Annotated[str, StringConstraints(pattern=NAME)]
Label = Annotated[str, StringConstraints(pattern=LABEL)]
Names = Annotated[list[Name], Field(min_length=1), AfterValidator(_without_twins)]
Count = Annotated[int, Field(ge=1, lt=2**31)]
Two = Annotated[int, Field(ge=2, lt=2**31)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Counts = Annotated[list[Count], Field(min_length=1), AfterValidator(_without_twins)]
Seeds = Annotated[list[Seed], Field(min_length=1), AfterValidator(_without_twins)]
Options = dict[Name, Any]
"""Options of a constructor, which checks them; a value that is a mapping from systems,
and ``default``, to values is that of the system."""
Overlay = dict[Name, Options]
"""Options by family, and laid over them by the name of a row."""
Figure = Literal[
    "fig05", "fig06", "fig07", "fig08", "fig09", "fig10", "fig11", "fig12", "fig13",
    "fig14", "fig15", "fig16",
]  # fmt: skip
FIGURES: tuple[str, ...] = get_args(Figure)
Figures = Annotated[list[Figure], Field(min_length=1), AfterValidator(_without_twins)]


class Block(BaseModel):
    """Keys that are all known, and values that are not converted."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _know_all_keys(cls, block: Any) -> Any:
        if isinstance(block, dict) and cls.model_config["extra"] == "forbid":
            for key in block:  # pydantic's own message does not say what is known
                if key not in cls.model_fields:
                    known = ", ".join(cls.model_fields)
                    raise ValueError(f"Unknown key {key!r}. Known: {known}.")
        return block


class Kind(Block):
    """A system or density: ``kind`` names a file, the rest are options."""

    model_config = ConfigDict(extra="allow")
    kind: str

    @property
    def options(self) -> dict[str, Any]:
        """Arguments of what ``kind`` names."""
        return self.model_extra or {}


class Row(Block):
    """A model or a flow: what tables call it, and how it differs from its family."""

    label: Label
    family: str
    options: Options = {}


class Data(Block):
    """Videos of every system.

    Models whose ``num_targets`` asks for more frames train on as many longer videos,
    with ``num_around`` frames more on both sides: the initial state is that of the
    frame after those.
    """

    seed: Seed
    num_train: Count
    num_test: Count
    num_frames: Annotated[int, Field(ge=3, le=10_000)]
    num_around: Annotated[int, Field(ge=0, le=10_000)] = 0
    image_size: Literal[8, 16, 32, 64, 128]


class Evaluation(Block):
    """How many videos of a system are evaluated, followed, and shown."""

    num_trajectories: Count
    batch_size: Count
    num_extended: Two
    horizons: Counts
    symetric_repeats: Count
    example: Annotated[int, Field(ge=0)]
    num_samples: Count


class Points(Block):
    """Points of every density."""

    seed: Seed
    num_train: Two
    num_validation: Two
    num_test: Two


class FlowEvaluation(Block):
    """How flows are judged, and which of them figures show."""

    num_points: Two
    num_importance_samples: Counts
    num_watched: Two
    num_watched_samples: Count
    grid_size: Two
    repeats: Count
    shown: str | None = None
    compared: str | None = None
    reference: str | None = None


class Flows(Block):
    """The flows of a preset; ``learn`` says which of them learn which density."""

    learn: Annotated[dict[Name, Names], Field(min_length=1)]
    seeds: Seeds
    data: Points
    evaluation: FlowEvaluation
    options: Overlay = {}
    training: Overlay


class StateCheck(Block):
    """HNN of true states against a perceptron, on each of some systems."""

    systems: Names
    seeds: Seeds
    num_train: Count
    num_test: Two
    horizons: Counts
    training: Options


class PixelCheck(Block):
    """PixelHNN on videos of one system, of a size of their own."""

    system: Name
    seeds: Seeds
    image_size: Annotated[int, Field(ge=8, lt=2**31)]
    num_train: Count
    num_test: Two
    options: Options = {}
    training: Options


class HNNCheck(Block):
    """The paper's check that HNN works where it is known to (Sec. 4)."""

    states: StateCheck
    pixels: PixelCheck


class Preset(Block):
    """Sizes and trainings; models and figures are all of them where not listed."""

    systems: Names
    models: Names | None = None
    figures: Figures | None = None
    seeds: Seeds
    data: Data
    evaluation: Evaluation
    options: Overlay = {}
    training: Overlay
    flows: Flows | None = None
    hnn_check: HNNCheck | None = None
    readings: Name | None = None

    @property
    def simulated(self) -> list[str]:
        """All systems of which there are trajectories."""
        check = self.hnn_check
        more = [*check.states.systems, check.pixels.system] if check else []
        return list(dict.fromkeys([*self.systems, *more]))


class Config(Block):
    """All of ``config.yaml``."""

    preset: str
    device: Literal["auto", "cpu", "cuda"]
    precision: Literal["tf32", "fp32"]
    reproducible: bool
    graphs: bool = True
    threads: Count
    only_finished: bool
    systems: dict[Name, Kind]
    models: Annotated[dict[Name, Row], Field(min_length=1)]
    densities: dict[Name, Kind] = {}
    flows: dict[Name, Row] = {}
    presets: Annotated[dict[Name, Preset], Field(min_length=1)]


def json_schema() -> str:
    """The types as JSON schema."""
    return json.dumps(Config.model_json_schema(), indent=1) + "\n"


if __name__ == "__main__":
    print(json_schema(), end="")
