"""The benchmark scripts measure what they say; how long it takes is not tested."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from command_lines import find, load
from PIL import Image

pytestmark = pytest.mark.slow

TINY = {"batch_size": 2, "num_frames": 4, "image_size": 8, "num_filters": 4}


def call(name, *arguments):
    command = [sys.executable, find(name), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_every_variant_is_measured_in_its_own_process(tmp_path):
    output = tmp_path / "step.csv"
    sizes = [part for key, value in TINY.items() for part in (f"--{key}", value)]
    done = call("step", *sizes, "--steps", 2, "--rounds", 1, "--output", output)
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(output, index_col="variant")
    assert list(table.index) == ["naive", "naive_tuned", "fast", "batch", "product"]
    assert table.gflop["product"] == pytest.approx(2 * 2.048**3, rel=1e-3)
    assert table.gflop["naive"] > 1.1 * table.gflop["fast"] > 0
    assert (table.seconds > 0).all() and (table.peak_memory_mb > 50).all()
    assert table.ratio_to_naive["naive"] == 1
    expected = table.seconds["naive"] / table.seconds["fast"]
    assert table.ratio_to_naive["fast"] == pytest.approx(expected, rel=1e-2)
    assert (table.batch_size == 2).all() and (table.measured == 2).all()


@pytest.mark.parametrize("variant", ["naive", "naive_tuned", "fast"])
def test_every_variant_computes_the_same_gradient(variant, monkeypatch):
    script = load("step")
    original, made = script.HGN, []

    def keep(**options):
        # Noise follows the order in memory, which differs.
        made.append(model := original(deterministic=True, **options))
        return model

    def gradient(name):
        with monkeypatch.context() as patch:
            patch.setattr(script, "HGN", keep)
            step = script.training_step(name, *TINY.values())
            step()
        parts = [p.grad.flatten() for p in made.pop().parameters()]
        return torch.cat(parts)

    found, expected = gradient(variant), gradient("fast")
    assert (found - expected).norm() < 1e-4 * expected.norm()


def test_the_table_of_all_benchmarks_loses_nothing(tmp_path):
    first, second, output = (tmp_path / f"{name}.csv" for name in ("a", "b", "all"))
    pd.DataFrame({"seconds": [1.5, 2.5], "system": ["x", "y"]}).to_csv(
        first, index=False
    )
    pd.DataFrame({"seconds": [3.5], "variant": ["z"]}).to_csv(second, index=False)
    load("join").main([first, second], output)
    table = pd.read_csv(output)
    assert list(table.benchmark) == ["a", "a", "b"]
    assert list(table.seconds) == [1.5, 2.5, 3.5]
    assert list(table.system.fillna("-")) == ["x", "y", "-"]


@pytest.fixture(scope="module")
def growth(tmp_path_factory):
    """Smallest possible measurement of growth."""
    output = tmp_path_factory.mktemp("scaling") / "scaling.csv"
    script = load("scaling")
    script.FRAMES = 3
    sizes = {
        "num_frames": 3, "image_size": 8, "num_filters": 2, "batch_size": 2,
        "threads": 1,
    }  # fmt: skip
    script.STEPS = {
        "HGN (leapfrog)": sizes | {"latent_channels": 1},
        "HGN (vector)": sizes | {"num_pairs": 1},
    }
    script.GROWN = {"num_frames": (3, 5), "batch_size": (2, 4), "num_pairs": (1, 2)}
    script.side_by_side = lambda number, rounds: [1.0 * number**2] * rounds
    script.main(["mass_spring"], [20, 40], [1], [1, 2, 4], 1, output)
    return output


def test_growth_is_measured_for_everything_that_can_grow(growth):
    table = pd.read_csv(growth)
    assert list(dict.fromkeys(table.grows)) == [
        "trajectories simulated", "trajectories rendered", "frames", "image size",
        "batch size", "pairs", "cores", "parallel jobs",
    ]  # fmt: skip
    both = {"HGN (leapfrog)", "HGN (vector)"}
    assert set(table[table.grows == "batch size"].what) == both
    assert set(table[table.grows == "pairs"].what) == {"HGN (vector)"}
    assert (table.seconds > 0).all() and (table.measured == 1).all()
    assert table.device.str.contains("cores").all()


def test_the_exponent_of_growth_is_that_since_the_point_before(growth):
    table = pd.read_csv(growth)
    jobs = table[table.grows == "parallel jobs"].set_index("value").exponent
    assert np.isnan(jobs[1]) and list(jobs[[2, 4]]) == [2.0, 2.0]
    firsts = table.groupby(["grows", "what"], sort=False).exponent.first()
    others = table.exponent.notna().sum()
    assert others == len(table) - len(firsts)


def test_the_figures_show_every_table(growth, tmp_path):
    place = {"device": "cpu", "threads": 1}
    step = tmp_path / "step.csv"
    variants = ["naive", "naive_tuned", "fast", "batch"]
    pd.DataFrame(
        {"variant": variants, "seconds": [4.0, 3, 2, 0.01], "peak_memory_mb": 100}
    ).assign(**place).to_csv(step, index=False)
    data = tmp_path / "data.csv"
    pd.DataFrame(
        {"system": "two_body", "stage": ["simulate", "render", "render"],
         "image_size": [0, 32, 64], "per_second": 10.0, "ms_each": [100.0, 0.2, 0.8]}
    ).to_csv(data, index=False)  # fmt: skip
    workflow = tmp_path / "workflow.csv"
    what = ["plan of a", "plan of b", "start of train", "start of table1"]
    pd.DataFrame(
        {"what": what, "jobs": [5, 9, None, None], "seconds": [2.0, 3, 1, 0.5]}
    ).to_csv(workflow, index=False)
    figures = [tmp_path / "speed.png", tmp_path / "scaling.png"]
    load("draw").main(step, data, workflow, growth, *([figure] for figure in figures))
    for figure in figures:
        width, height = Image.open(figure).size
        assert width == 1400 and height > 300
        shades = np.asarray(Image.open(figure).convert("L"))
        assert 0.01 < (shades < 250).mean() < 0.6


def test_a_plan_that_fails_is_said_in_one_line(tmp_path):
    script = load("workflow")
    with pytest.raises(RuntimeError, match=r"--dry-run failed: .*Snakefile"):
        script.snakemake(tmp_path, "--dry-run")


def test_the_start_of_every_script_of_a_rule_is_measured_and_of_nothing_else():
    found = {path.stem for path in load("workflow").scripts()}
    assert {"train", "table1", "fig05_systems", "flow_costs", "workflow"} <= found
    assert "naive_hgn" not in found and len(found) > 25
