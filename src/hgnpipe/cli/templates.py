"""Files to begin with: a system, a model, a preset of one's own.

Those of a system and a model are the examples of the how-to pages, under another name.
"""

import re
from pathlib import Path

from hgnpipe.collection import require

PRESET = """# snakemake --cores 2 results/table1.csv --configfile {name}.yaml
# Laid over config.yaml; every key is described in docs/configuration.md.
preset: {name}

presets:
  {name}:
    systems: [mass_spring]              # names under `systems` of config.yaml
    models: [hgn_vector, hgn_leapfrog]  # rows of the tables; without, all
    seeds: [0]
    data: {{seed: 0, num_train: 1000, num_test: 100, num_frames: 31, image_size: 32}}
    evaluation:
      {{num_trajectories: 100, batch_size: 50, num_extended: 20, horizons: [30, 60],
       symetric_repeats: 2, example: 0, num_samples: 8}}
    options:  # of a family (hgn), or of a row (hgn_vector)
      hgn:
        {{num_filters: 32, kappa: 3.0e-4, centre_frames: true, gradient_rms: 1.5,
         multiplier: 20, multiplier_bounds: [0.1, 20], inferred_frame: middle,
         num_decoded: 5, kl_delay: 200, kl_ramp: 100, horizon_growth: 10,
         geco_start: 300}}
      hgn_vector:
        {{num_pairs: 1, num_filters: 16, gradient_rms: 0.1, multiplier: 1,
         multiplier_bounds: [0.1, 10], num_decoded: 4, kl_delay: 500, kl_ramp: 200,
         horizon_growth: 20, geco_start: 700}}
    training:
      hgn:
        {{num_iterations: 400, batch_size: 16, learning_rate: 2.0e-3,
         max_grad_norm: 1.0, decay: 0.5}}
      hgn_vector: {{num_iterations: 900, warm_up: 100, num_starts: 2, decay: 0.6}}
"""

SYSTEM_NEXT = "pytest tests/systems looks at it; a block `{name}: {{kind: {name}}}` under systems in config.yaml, and its name in a preset, bring it into the tables."  # noqa: E501
MODEL_NEXT = "A line `{name}: {{label: {words}, family: {name}}}` under models in config.yaml, its name in a preset, and its training there, make it a row of the tables."  # noqa: E501
PRESET_NEXT = "Run it: snakemake --cores 2 results/table1.csv --configfile {name}.yaml"
KINDS = {
    "system": ("src/hgnpipe/systems/{name}.py", "add_a_system", SYSTEM_NEXT),
    "model": ("src/hgnpipe/models/{name}.py", "add_a_model", MODEL_NEXT),
    "preset": ("{name}.yaml", None, PRESET_NEXT),
}
"""Where a file of a kind lies, the page with its example, and what to do next."""


def begin(kind: str, name: str) -> tuple[Path, str]:
    """Write a commented file that runs as it is.

    Args:
        kind: One of `KINDS`.
        name: Of what is begun; the file is called so.

    Returns:
        The file, and what to do next.

    Raises:
        ValueError: If the name is no name, the file exists, or the working directory
            is not a copy of this project.
    """
    legal = "lower case letters, digits and _, a letter first"
    require(re.fullmatch(r"[a-z][a-z0-9_]*", name) is not None, "name", name, legal)
    place, page, then = KINDS[kind]
    path = Path(place.format(name=name))
    if not Path("Snakefile").exists() or not path.parent.is_dir():
        raise ValueError(
            f"{Path.cwd()} is not the project's folder: it has no Snakefile. Go there "
            f"first."
        )
    if path.exists():
        raise ValueError(f"{path} exists; choose another name, or remove it.")
    text = PRESET.format(name=name) if page is None else _example(page, name)
    path.write_text(text)
    return path, then.format(name=name, words=name.replace("_", " "))


def _example(page: str, name: str) -> str:
    """Example of a how-to page, with the name of its class replaced."""
    path = Path("docs/howto", f"{page}.md")
    found = re.search(
        r'^```python title="\S+/(\w+)\.py"\n(.*?)^```$',
        path.read_text("utf-8") if path.exists() else "",
        re.MULTILINE | re.DOTALL,
    )
    if found is None:
        raise ValueError(f"{path} is not there, or has no example to begin with.")
    old, text = found.groups()
    return text.replace(f"class {_camel(old)}(", f"class {_camel(name)}(")


def _camel(name: str) -> str:
    return name.title().replace("_", "")
