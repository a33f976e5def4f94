"""What a user can do wrong, each in a real command line, and the line that says so."""

import json
import subprocess
import sys

import h5py
import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from command_lines import command_line, script
from damage import pickle_that_touches
from good_config import GOOD, MISSING
from pipeline import REPOSITORY, environment
from safetensors.torch import save_file
from test_scripts import (
    EVALUATION,
    FIT,
    FLOW,
    HGN,
    MODEL,
    RUN,
    arguments_of,
    outputs_in,
)

from hgnpipe.files.hdf5 import stamp

AGAIN = "Delete it if a rule made it: `snakemake` makes it again."
SERVER = REPOSITORY / "tests/forking.py"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Folder of what scripts read: whole files, and bad ones."""
    folder = tmp_path_factory.mktemp("bad") / RUN
    data = folder / RUN.parts[0]
    for split in ("train", "test"):
        trajectories, videos, motion = (
            data / f"{split}_{what}.h5" for what in ("trajectories", "videos", "motion")
        )
        make("simulate", folder, split=split, output=trajectories)
        make("render", folder, trajectories=trajectories, output=videos)
        make("extend", folder, trajectories=trajectories, output=motion)
    make("simulate", folder, kind="mass_spring", output=folder / "springs.h5")
    make("render", folder, image_size=16, output=folder / "large_videos.h5")
    for name in ("train", "evaluate", "draw_points", "train_flow"):
        make(name, folder)
    spoil(folder)
    return folder


def make(name, folder, **changes):
    script(name)(**arguments_of(name, folder, **changes))


def found(folder, name):
    """Where a file lies below a folder, or would lie."""
    return next(folder.rglob(name), folder / name)


def spoil(folder):
    """Copies of the files with all kinds of faults."""
    for name in ("train_videos.h5", "train_trajectories.h5", "model.safetensors"):
        whole = found(folder, name).read_bytes()
        (folder / f"cut_{name}").write_bytes(whole[: len(whole) * 2 // 3])
        half = len(whole) // 2
        flipped = whole[:half] + bytes([whole[half] ^ 4]) + whole[half + 1 :]
        (folder / f"flipped_{name}").write_bytes(flipped)
    with h5py.File(folder / "old_videos.h5", "w") as file:
        file.attrs["format"] = "hgnpipe videos 1"
    videos = found(folder, "train_videos.h5").read_bytes()
    (folder / "new_videos.h5").write_bytes(videos)
    stamp(folder / "new_videos.h5", "hgnpipe videos 99")
    (folder / "text.h5").write_text("q,p\n1,2\n")
    (folder / "empty.h5").write_bytes(b"")
    (folder / "folder.h5").mkdir()
    save_file({"weight": torch.ones(2)}, folder / "foreign.safetensors")
    pickled = pickle_that_touches(folder / "ran")
    (folder / "pickle.safetensors").write_bytes(pickled)
    numbers = pd.DataFrame(
        np.random.default_rng(0).normal(size=(30, 2)), columns=[*"ab"]
    )
    for name, table in {
        "words": numbers.assign(b="x"),
        "gaps": numbers.assign(b=np.nan),
        "constant": numbers.assign(b=1.0),
        "short": numbers[:4],
    }.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    (folder / "empty.csv").write_text("")
    (folder / "ragged.csv").write_text("a,b\n1,2,3\n4,5,6\n")


def table(file, **options):
    """Points of a table of one's own."""
    return {"kind": "table", "options": {"file": f"@{file}", **options}}


SCRIPTS = {
    "simulate an unknown system": ("simulate", {"kind": "pendelum"}, ["'pendelum'", "two_body"]),
    "simulate an unknown option": ("simulate", {"options": {"mas": 1}}, ["'mas'", "noise_std"]),
    "no trajectories": ("simulate", {"num": 0}, ["num is 0", "1 or more"]),
    "one frame": ("simulate", {"num_frames": 1}, ["num_frames is 1", "2 or more"]),
    "negative seed": ("simulate", {"seed": -1}, ["seed is -1", "zero or positive"]),
    "unknown split": ("simulate", {"split": "valid"}, ["split is 'valid'", "train"]),
    "number as text": ("simulate", {"num": "many"}, ["--num is many", "a whole number"]),
    "options that are no JSON": ("simulate", {"options": "{mass: "}, ["--options is {mass:", "keys and their values"]),
    "options that are a list": ("simulate", {"options": "[1]"}, ["--options is [1]", "keys and their values"]),
    "an unknown script option": ("simulate", {"sede": 1}, ["--sede", "--seed"]),
    "a missing script option": ("simulate", {"seed": None}, ["seed", "required"]),
    "a folder that is a file": ("simulate", {"output": "@text.h5/new.h5"}, ["Cannot write", "text.h5/new.h5"]),
    "an output that is a folder": ("simulate", {"output": "@folder.h5"}, ["Cannot write", "folder.h5", "folder"]),
    "render what is not there": ("render", {"trajectories": "@gone.h5"}, ["gone.h5 does not exist"]),
    "render a folder": ("render", {"trajectories": "@folder.h5"}, ["folder.h5 is a folder"]),
    "render text": ("render", {"trajectories": "@text.h5"}, ["text.h5 is text; expected 'hgnpipe trajectories 2'"]),
    "render an empty file": ("render", {"trajectories": "@empty.h5"}, ["empty.h5 is empty", AGAIN]),
    "render cut trajectories": ("render", {"trajectories": "@cut_train_trajectories.h5"}, ["cut_train_trajectories.h5 is damaged", AGAIN]),
    "render flipped trajectories": ("render", {"trajectories": "@flipped_train_trajectories.h5"}, ["flipped_train_trajectories.h5 is damaged", AGAIN]),
    "render videos": ("render", {"trajectories": "@train_videos.h5"}, ["'hgnpipe videos 2'", "expected 'hgnpipe trajectories 2'"]),
    "render too small": ("render", {"image_size": 4}, ["image_size is 4", "8 or more"]),
    "extend backwards": ("extend", {"num_before": -1}, ["num_before is -1", "zero or positive"]),
    "train on cut videos": ("train", {"videos": "@cut_train_videos.h5"}, ["cut_train_videos.h5 is damaged", AGAIN]),
    "train on flipped videos": ("train", {"videos": "@flipped_train_videos.h5"}, ["flipped_train_videos.h5 is damaged", AGAIN]),
    "train on videos of an older version": ("train", {"videos": "@old_videos.h5"}, ["'hgnpipe videos 1'", "'hgnpipe videos 2'", AGAIN]),
    "train on videos of a newer version": ("train", {"videos": "@new_videos.h5"}, ["'hgnpipe videos 99'", "'hgnpipe videos 2'", AGAIN]),
    "train an unknown family": ("train", {"model": {**MODEL, "family": "hgm"}}, ["'hgm'", "hgn, latent_gru, latent_ode, pixelhnn"]),
    "train with an unknown integrator": ("train", {"model": {**MODEL, "options": {**HGN, "integrator": "leapforg"}}}, ["'leapforg'", "euler, leapfrog, rk4"]),
    "decode more than there is": ("train", {"model": {**MODEL, "options": {**HGN, "num_decoded": 9}}}, ["num_decoded is 9", "between 1 and 4, all frames"]),
    "train HNN of an odd size": ("train", {"model": {**MODEL, "family": "pixelhnn", "options": {"latent_size": 3}}}, ["latent_size is 3", "even"]),
    "train without knowing how": ("train", {"model": {"family": "hgn", "options": HGN}}, ["model", "training"]),
    "rate as text": ("train", {"model": {**MODEL, "training": {**FIT, "learning_rate": "1e-3"}}}, ["'learning_rate'", "'1e-3'", "a number", "write it like 1.0e-03"]),
    "no GPU": ("train", {"device": "cuda"}, ["device is 'cuda'", "cpu"]),
    "unknown device": ("train", {"device": "gpu"}, ["'gpu'", "cpu, cuda"]),
    "unknown precision": ("train", {"precision": "fp16"}, ["'fp16'", "fp32"]),
    "a batch of nothing": ("train", {"model": {**MODEL, "training": {**FIT, "batch_size": 0}}}, ["batch_size is 0", "1 or more"]),
    "a model for other videos": ("train", {"model": {**MODEL, "options": {**HGN, "image_size": 8}}, "videos": "@large_videos.h5"}, ["8x8", "16x16"]),
    "evaluate what is no model": ("evaluate", {"model_path": "@flow.safetensors"}, ["'hgnpipe flow 2'", "expected 'hgnpipe model 2'"]),
    "evaluate tensors of another program": ("evaluate", {"model_path": "@foreign.safetensors"}, ["foreign.safetensors", "expected 'hgnpipe model 2'"]),
    "evaluate a pickle": ("evaluate", {"model_path": "@pickle.safetensors"}, ["pickle.safetensors is a ZIP archive", "expected 'hgnpipe model 2'"]),
    "evaluate a flipped model": ("evaluate", {"model_path": "@flipped_model.safetensors"}, ["flipped_model.safetensors is damaged", AGAIN]),
    "evaluate a cut model": ("evaluate", {"model_path": "@cut_model.safetensors"}, ["cut_model.safetensors is damaged", AGAIN]),
    "evaluate on larger videos": ("evaluate", {"videos": ["@large_videos.h5"] * 2}, ["8x8", "16x16"]),
    "evaluate on motions of another system": ("evaluate", {"trajectories": ["@springs.h5", "@test_trajectories.h5"]}, ["train_videos.h5", "springs.h5", "do not belong together: system"]),
    "evaluate on motions of another split": ("evaluate", {"trajectories": ["@test_trajectories.h5"] * 2}, ["do not belong together", "split"]),
    "measure beyond what is known": ("measure_dynamics", {"evaluation": {**EVALUATION, "horizons": [1, 9]}}, ["horizon is 9", "between 1 and 4"]),
    "play a video that is not there": ("make_films", {"example": -1}, ["example is -1", "zero or positive"]),
    "points of text": ("draw_points", table("words.csv"), ["words.csv", "'b'", "'x'", "finite number", "`columns`"]),
    "points with gaps": ("draw_points", table("gaps.csv"), ["gaps.csv", "'b'", "nan", "finite number"]),
    "points that are constant": ("draw_points", table("constant.csv"), ["constant.csv", "Column 2", "same value everywhere", "`columns`"]),
    "too few points": ("draw_points", table("short.csv"), ["short.csv", "number of rows is 4", "10 or more"]),
    "points of a column that is not there": ("draw_points", table("short.csv", columns=["a", "z"]), ["short.csv has no column 'z'", "a, b"]),
    "points of a column taken twice": ("draw_points", table("gaps.csv", columns=["a", "a"]), ["'a'", "once"]),
    "points of no file": ("draw_points", table("gone.csv"), ["gone.csv does not exist"]),
    "points of an empty file": ("draw_points", table("empty.csv"), ["empty.csv is not a table"]),
    "points of a ragged file": ("draw_points", table("ragged.csv"), ["ragged.csv is not a table", "header"]),
    "points of a folder": ("draw_points", table("folder.h5"), ["folder.h5 is a folder", "a file"]),
    "points of HDF5": ("draw_points", table("train_videos.h5"), ["train_videos.h5 is not a table"]),
    "points of an unknown density": ("draw_points", {"kind": "modse"}, ["'modse'", "modes, rings"]),
    "a flow on videos": ("train_flow", {"points": "@train_videos.h5"}, ["'hgnpipe videos 2'", "expected 'hgnpipe points 2'"]),
    "a flow of another dimension": ("train_flow", {"flow": {**FLOW, "options": {"num_steps": 1, "hidden_size": 4, "num_dims": 3}}}, ["dimension of the points is 2"]),
    "judge a model as a flow": ("evaluate_flow", {"flow_path": "@model.safetensors"}, ["'hgnpipe model 2'", "expected 'hgnpipe flow 2'"]),
    "a table of nothing": ("table1", {"errors": ["@empty.csv"]}, ["empty.csv"]),
    "labels that are no JSON": ("table1", {"errors": ["@empty.csv"], "labels": "mine"}, ["--labels is mine", "keys and their values"]),
}  # fmt: skip

TINY, FLOWS = "presets.tiny", "presets.tiny.flows"
HGN_OPTIONS, HGN_FIT = f"{TINY}.options.hgn", f"{TINY}.training.hgn"
# Every value that is wrong is tested in tests/config/test_checks.py; here is one of each
# kind, as Snakemake says it.
CONFIGURATIONS = {
    "empty": ("", ["is empty", "keys and their values"]),
    "no mapping": ("preset smoke", ["is no mapping", "keys and their values"]),
    "a tab": ("preset: tiny\npresets:\n\ttiny: 1\n", ["line 3", "not with tabs"]),
    "an open bracket": (GOOD + "more: [1", ["is not YAML"]),
    "binary": ("\0\1", ["cannot be read as YAML"]),
    "a call of Python": (GOOD + "more: !!python/object/apply:os.mkdir [ran]", ["python/object/apply:os.mkdir", "plain data"]),
    "a template": (GOOD + "__use_yte__: true\nmore: ?open('ran', 'w')", ["__use_yte__", "not allowed"]),
    "a key twice": (GOOD + "threads: 2", ["'threads'", "second time"]),
    "a typo in a key": ({"presset": "tiny"}, ["'presset'", "Known: preset, device"]),
    "a missing key": ({f"{TINY}.seeds": MISSING}, [TINY, "'seeds' is missing"]),
    "an unknown preset": ({"preset": "tony"}, ["preset", "'tony'", "Known: tiny"]),
    "a preset that leads out": ({"preset": "../tiny"}, ["preset", "'../tiny'", "Known: tiny"]),
    "a system that leads out": ({"systems": {"../out": {"kind": "pendulum"}}}, ["systems", "'../out'", "letters, digits and underscores"]),
    "an unknown family": ({"models.hgn.family": "hgm"}, ["models.hgn.family", "'hgm'", "hgn, latent_gru, latent_ode, pixelhnn"]),
    "an unknown option": ({f"{HGN_OPTIONS}.width": 3}, ["'width'", "num_filters"]),
    "no iterations for one system": ({f"{HGN_FIT}.num_iterations": {"spring": 9}}, ["(orbit)", "'num_iterations'"]),
    "a label of two rows": ({"models.hgn.label": "HNN"}, ["models.hnn.label", "'HNN' also names models.hgn"]),
    "an option without effect": ({"models.hgn.options.first_horizon": 2}, ["models.hgn.options", "first_horizon has no effect"]),
    "an endless number": ({"systems.spring.frame_dt": float("inf")}, ["systems.spring", "frame_dt", "finite"]),
    "an unknown density": ({"densities.blobs.kind": "modse"}, ["densities.blobs", "'modse'", "modes"]),
}  # fmt: skip
RUNS = "results/tiny/runs/spring"
COMMANDS = {
    "an unknown preset": (["--config", "preset=../out"], ["config.yaml", "'../out'", "Known: tiny"]),
    "an unknown key": (["--config", "presset=tiny"], ["config.yaml", "'presset'", "Known: preset"]),
    "an unknown device": (["--config", "device=gpu"], ["config.yaml", "device", "'gpu'", "'auto', 'cpu' or 'cuda'"]),
    "no flag": (["--config", "only_finished=maybe"], ["config.yaml", "only_finished", "'maybe'", "true or false"]),
    "no threads": (["--config", "threads=0"], ["config.yaml", "threads", "greater than or equal to 1"]),
    "an unknown file": (["results/tiny/tables/table3.csv"], ["No rule makes", "table3.csv", "Did you mean", "table2.csv"]),
    "an unknown preset in a path": (["results/tony/tables/table1.csv"], ["Unknown preset 'tony'", "Known: tiny"]),
    "a path that leads out": (["results/../../data/spring/train_videos.h5"], ["No rule makes", "../data/spring/train_videos.h5"]),
    "an unknown model": ([f"{RUNS}/hgm/seed0/model.safetensors"], ["'hgm'", "Known: hgn, hnn"]),
    "a seed that is none": ([f"{RUNS}/hgn/seed-1/model.safetensors"], ["seed is '-1'", "whole number"]),
    "a table that is not there": (["results/tiny/flows/mine/points.h5"], ["mine.csv"]),
}  # fmt: skip


def of_folder(value, folder):
    """The same with paths for ``@name``."""
    if isinstance(value, dict):
        return {key: of_folder(part, folder) for key, part in value.items()}
    if isinstance(value, list):
        return [of_folder(part, folder) for part in value]
    if isinstance(value, str) and value.startswith("@"):
        return str(found(folder, value[1:]))
    return value


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Run a command line in a process of its own; answers exit code and output."""
    shown = tmp_path_factory.mktemp("shown") / "output.txt"
    variables = environment(HGNPIPE_TRACEBACK="")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    server = subprocess.Popen([sys.executable, SERVER], env=variables, **pipes)

    def call(words, folder):
        server.stdin.write(json.dumps([words, str(folder), str(shown)]) + "\n")
        server.stdin.flush()
        return int(server.stdout.readline()), shown.read_text()

    yield call
    server.stdin.close()
    assert server.wait() == 0


@pytest.fixture
def refused(run, made, tmp_path):
    """Run a command line that must be refused in one line, and leave no file behind."""

    def call(words, expected):
        before = files_of(made) | files_of(tmp_path)
        code, shown = run(words, tmp_path)
        assert code > 0 and "Traceback (most recent call last)" not in shown, shown
        lines = shown.splitlines()
        assert any(all(word in line for word in expected) for line in lines), shown
        assert files_of(made) | files_of(tmp_path) == before
        assert not (made / "ran").exists() and not (tmp_path / "ran").exists()

    return call


def files_of(folder):
    """All files below, without what Snakemake keeps for itself."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path for path in paths if ".snakemake" not in path.parts}


@pytest.mark.parametrize("case", SCRIPTS)
def test_what_a_script_cannot_do_it_says_in_one_line(refused, made, tmp_path, case):
    name, changes, expected = SCRIPTS[case]
    new = outputs_in(tmp_path / "new", name, made)
    options = {**arguments_of(name, made, **new), **of_folder(changes, made)}
    refused(command_line(name, options), expected)


def edited(edits):
    """The good configuration with other values at some places, as YAML."""
    config = yaml.safe_load(GOOD)
    for place, value in edits.items():
        *path, key = place.split(".")
        block = config
        for part in path:
            block = block[part]
        if value is MISSING:
            del block[key]
        else:
            block[key] = value
    return yaml.safe_dump(config, sort_keys=False)


@pytest.fixture
def planned(refused, fresh, tmp_path):
    """Plan with a configuration; Snakemake must refuse it."""

    def call(text, words, expected):
        (tmp_path / "config.yaml").write_text(text)
        where = ["--snakefile", str(fresh / "Snakefile"), "--directory", str(tmp_path)]
        words = words or ["results/tiny/data/spring/train_videos.h5"]
        refused(["-m", "snakemake", "--dry-run", *where, *words], expected)

    return call


@pytest.mark.parametrize("case", CONFIGURATIONS)
def test_what_a_configuration_must_not_say_is_said_in_one_line(planned, case):
    edits, expected = CONFIGURATIONS[case]
    text = edits if isinstance(edits, str) else edited(edits)
    planned(text, [], ["config.yaml", *expected])


@pytest.mark.parametrize("case", COMMANDS)
def test_what_snakemake_cannot_be_asked_for_is_said_in_one_line(planned, case):
    words, expected = COMMANDS[case]
    planned(GOOD, words, expected)


def test_the_good_configuration_is_planned(run, fresh, tmp_path):
    (tmp_path / "config.yaml").write_text(GOOD)
    where = ["--snakefile", str(fresh / "Snakefile"), "--directory", str(tmp_path)]
    target = "results/tiny/data/spring/train_videos.h5"
    code, shown = run(["-m", "snakemake", "--dry-run", *where, target], tmp_path)
    assert code == 0 and "rule render" in shown


def test_the_traceback_is_there_for_who_asks(made, tmp_path):
    options = arguments_of("draw_points", made, seed=-1, output=tmp_path / "points.h5")
    done = subprocess.run(
        [sys.executable, *command_line("draw_points", options)],
        env=environment(HGNPIPE_TRACEBACK="1"),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and "Traceback" in done.stderr
    assert "seed is -1; it must be zero or positive." in done.stderr
