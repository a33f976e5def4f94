"""The benchmark scripts measure what they say; how long it takes is not tested."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch

FOLDER = Path(__file__).parents[1] / "workflow" / "scripts"
TINY = {"batch_size": 2, "num_frames": 4, "image_size": 8, "num_filters": 4}


def module(name):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def call(name, *arguments):
    command = [sys.executable, FOLDER / f"{name}.py", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_every_variant_is_measured_in_its_own_process(tmp_path):
    output = tmp_path / "step.csv"
    sizes = [part for key, value in TINY.items() for part in (f"--{key}", value)]
    done = call(
        "benchmark_step", *sizes, "--steps", 2, "--rounds", 1, "--output", output
    )
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
    script = module("benchmark_step")
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
    module("benchmarks").main([first, second], output)
    table = pd.read_csv(output)
    assert list(table.benchmark) == ["a", "a", "b"]
    assert list(table.seconds) == [1.5, 2.5, 3.5]
    assert list(table.system.fillna("-")) == ["x", "y", "-"]
