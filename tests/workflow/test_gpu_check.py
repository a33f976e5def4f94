"""The check of a GPU, on a processor: it measures, and keeps what it has."""

import functools
import os
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from command_lines import FOLDER, load

from by_hand import read_settings

CONFIG = FOLDER.parents[1] / "config.yaml"
CHECK = FOLDER / "gpu/gpu_check.sh"
ROWS = ["hgn_vector", "nhf_2"]


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """The smoke preset with one system, one row of each kind."""
    whole = yaml.safe_load(CONFIG.read_text("utf-8"))
    smoke = whole["presets"]["smoke"]
    smoke |= {"systems": ["mass_spring"], "models": ROWS[:1]}
    smoke["flows"]["learn"] = {"modes_8": ["nhf_2"]}
    whole["presets"] = {"smoke": smoke}
    path = tmp_path_factory.mktemp("config") / "config.yaml"
    path.write_text(yaml.safe_dump({**whole, "preset": "smoke"}), "utf-8")
    return path


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def record(work):
    """Stands for a CUDA graph: does the work at every replay."""
    result = torch.zeros((), dtype=torch.float64)

    def launch():
        values = work()
        result.resize_(values.shape).copy_(values)

    return launch, result


def test_losses_of_processor_and_device_are_compared_recorded_and_not(
    here, config, monkeypatch
):
    script = load("gpu_agreement")
    monkeypatch.setattr(script, "fit", functools.partial(script.fit, record=record))
    output = here / "agreement.csv"
    script.main(output, ROWS, "smoke", config_file=config, iterations=8, device="cpu")
    table = pd.read_csv(output)
    assert list(table.row) == [name for name in ROWS for _ in range(4)]
    assert list(table.compared) == ["device", "recorded"] * 4
    assert list(table.precision) == ["fp32", "fp32", "tf32", "tf32"] * 2
    assert (table.difference <= 1e-6).all() and table.agrees.all()


def test_a_row_that_cannot_be_compared_is_written_down_and_the_next_is_tried(
    here, config, monkeypatch
):
    script = load("gpu_agreement")
    original = script.fit

    def fit(network, *args, graphs, **options):
        if graphs and hasattr(network, "geco"):
            raise RuntimeError("CUDA error: an illegal address\nand more")
        history = original(network, *args, graphs=graphs, **options)
        return history if not graphs else history * 1.5

    monkeypatch.setattr(script, "fit", fit)
    output = here / "agreement.csv"
    script.main(output, ROWS, "smoke", config_file=config, iterations=2, device="cpu")
    table = pd.read_csv(output).query("compared == 'recorded'")
    assert table.error.fillna("").str.startswith("CUDA error: an illegal").sum() == 2
    assert not table.agrees.any()
    assert table.difference.tolist()[2:] == pytest.approx([0.5, 0.5])


def test_noise_of_a_device_is_drawn_by_the_processor():
    script = load("gpu_agreement")
    generator = torch.Generator().manual_seed(3)
    expected = torch.Generator().manual_seed(3)
    with script.ProcessorNoise():
        found = [
            torch.empty(4).normal_(generator=generator),
            torch.rand(3, generator=generator),
            torch.randint(9, (5,), generator=generator),
        ]
        generator.manual_seed(4)
        found.append(torch.randn(2, generator=generator))
    others = [
        torch.empty(4).normal_(generator=expected),
        torch.rand(3, generator=expected),
        torch.randint(9, (5,), generator=expected),
    ]
    others.append(torch.randn(2, generator=expected.manual_seed(4)))
    for one, other in zip(found, others, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)
    assert torch.equal(
        generator.get_state(), torch.Generator().manual_seed(4).get_state()
    )


def test_the_speed_of_an_iteration_is_measured_with_its_operations(here, config):
    script, output = load("gpu_speed"), here / "speed.csv"
    sizes = {"preset": "smoke", "config_file": config, "timed": 3, "device": "cpu"}
    script.main(output, [*ROWS, "unknown"], **sizes)
    table = pd.read_csv(output)
    assert list(table.graphs) == [False, True] * 3
    measured = table[table.row.isin(ROWS)]
    assert (measured.milliseconds > 0).all() and (measured.gflop > 0).all()
    assert np.allclose(
        measured.tflop_per_s, measured.gflop / measured.milliseconds, rtol=1e-2
    )
    assert table.error[4:].str.contains("unknown").all()


def test_another_preset_is_named_with_those_that_exist(config):
    with pytest.raises(ValueError, match=r"Unknown preset 'night'\. Known: smoke"):
        read_settings("night", config)


@pytest.mark.slow
def test_the_check_runs_to_its_end_and_goes_on_where_it_was_stopped(here, config):
    small = {
        "PRESET": "smoke", "DEVICE": "cpu", "CONFIG": str(config), "OTHERS": "",
        "FIRST": "hgn_vector", "TIMED": "nhf_2",
    }  # fmt: skip

    def check():
        done = subprocess.run(
            ["bash", CHECK, "500"], env={**os.environ, **small}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        files = [path for path in here.rglob("results/smoke/**/*") if path.is_file()]
        return done.stdout, {path: path.stat().st_mtime_ns for path in files}

    said, made = check()
    run = here / "results/smoke/runs/mass_spring/hgn_vector/seed0"
    for name in ("model.safetensors", "errors.csv", "dynamics.csv"):
        assert run / name in made, said
    assert pd.read_csv(here / "results/gpu/agreement.csv").agrees.all(), said
    assert len(pd.read_csv(here / "results/gpu/speed.csv")) == 2
    said, again = check()
    assert "agreement: done before" in said and again == made

    # A training whose time is up goes on in the next call.
    shutil.rmtree(run)
    long = yaml.safe_load(config.read_text("utf-8"))
    training = long["presets"]["smoke"]["training"]
    training["hgn"] |= {"num_iterations": 3000, "log_every": 20}
    path = here / "config.yaml"
    path.write_text(yaml.safe_dump(long), "utf-8")
    script = load("gpu_trainings")
    sizes = {"preset": "smoke", "config_file": path, "device": "cpu"}
    script.main(["hgn_vector"], 15, **sizes)
    log = here / "results/logs/gpu/mass_spring_hgn_vector.log"
    assert "iterations, saved in" in log.read_text("utf-8")
    script.main(["hgn_vector"], 15, **sizes)
    assert "resumes after" in log.read_text("utf-8")
