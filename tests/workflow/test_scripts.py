import inspect
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pandas as pd
import pytest
import torch
from command_lines import FOLDER, as_typed, find, script
from PIL import Image
from safetensors import safe_open

from hgnpipe.data.extended import load_motion
from hgnpipe.data.points import load_points
from hgnpipe.data.rendering import render
from hgnpipe.data.videos import load_trajectories, open_videos
from hgnpipe.evaluation.kept import load_errors, load_films, load_portrait
from hgnpipe.evaluation.likelihood import held_out_log_density, watched_likelihood
from hgnpipe.flows import load_flow
from hgnpipe.runtime.command import join_lists, run

PUBLISHED = FOLDER.parent / "resources" / "published_table1.csv"
SCRIPTS = sorted(p.stem for p in FOLDER.rglob("*.py") if "def main(" in p.read_text())
PUBLISHED2 = FOLDER.parent / "resources" / "published_table2.csv"
CHAIN = [
    "simulate", "render", "extend", "train", "evaluate", "evaluate_references",
    "measure_dynamics", "measure_dynamics_references", "make_films",
    "table1", "table2", "dynamics", "fig07_rollouts", "fig08_samples",
    "draw_points", "train_flow", "evaluate_flow", "evaluate_flow_references",
    "make_portrait", "flow_costs", "flows", "fig09_flow", "fig10_flows",
    "check_hnn", "check_pixelhnn", "hnn_check", "fig14_hnn_check",
    "fig15_kappa",
]  # fmt: skip
OF_SPLITS = CHAIN[:3]
RUN, FLOW_RUN = Path("pendulum/mine/seed0"), Path("blobs/mine/seed0")
HGN = {"num_filters": 4, "latent_channels": 2, "num_decoded": 2}
FIT = {"num_iterations": 2, "batch_size": 2, "learning_rate": 1e-3}
NHF, RNVP = {"num_steps": 2, "hidden_size": 8}, {"num_steps": 2, "hidden_size": 8}
FLOW_FIT = {**FIT, "num_iterations": 6, "log_every": 2, "checkpoint_every": 2}
WATCHED = {"num_points": 10, "num_importance_samples": 2}
MODEL = {"family": "hgn", "options": HGN, "training": FIT}
FLOW = {"family": "nhf", "options": NHF, "training": FLOW_FIT, "watched": WATCHED}
EXTENT = {"num_extended": 3, "horizons": [1, 3]}
EVALUATION = {**EXTENT, "symetric_repeats": 2, "batch_size": 2}
STATES = {
    "seeds": [0, 1], "num_train": 4, "num_test": 3, "horizons": [2, 5], "training": FIT,
}  # fmt: skip
PIXELS = {
    "seeds": [0], "image_size": 8, "num_train": 4, "num_test": 3,
    "options": {"hidden_size": 4}, "training": FIT,
}  # fmt: skip
KINDS = ("csv", "html", "md")
SIZES = {"num_train": 40, "num_validation": 20, "num_test": 20}


@pytest.fixture
def command(monkeypatch, capfd):
    """Call a script as its command line does; answers exit code and standard error."""
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.delenv("HGNPIPE_TRACEBACK", raising=False)

    def call(main, *words, **options):
        arguments = [*map(str, words), *as_typed(options)]
        name = main if isinstance(main, str) else "main"
        main = script(main) if isinstance(main, str) else main
        monkeypatch.setattr(sys, "argv", [name, *arguments])
        code = 0
        try:
            run(main)
        except SystemExit as leaving:
            code = leaving.code
        out, err = capfd.readouterr()
        if isinstance(code, str):  # what Python prints before it leaves with 1
            code, err = 1, err + code + "\n"
        return SimpleNamespace(code=code, out=out, err=err)

    yield call
    signal.signal(signal.SIGTERM, before)


def arguments_of(name, folder, **changes):
    """Options with which a script works, given what the scripts before it made."""
    data, videos, motions = (
        [folder / RUN.parts[0] / f"{split}_{what}.h5" for split in ("train", "test")]
        for what in ("trajectories", "videos", "motion")
    )
    model = folder / "model.safetensors"
    points = folder / FLOW_RUN.parts[0] / "points.h5"
    flow = folder / FLOW_RUN / "flow.safetensors"
    of_check = folder / RUN.parts[0]
    evaluated = {"videos": videos, "trajectories": data, "num_trajectories": 3}
    usual = {
        "simulate": {
            "kind": "pendulum", "options": {"noise_std": 0.1}, "num": 4,
            "num_frames": 4, "seed": 0, "split": "train", "output": data[0],
        },
        "render": {"trajectories": data[0], "image_size": 8, "output": videos[0]},
        "extend": {
            "trajectories": data[0], "num_trajectories": 3, "num_before": 3,
            "num_after": 4, "output": motions[0],
        },
        "train": {
            "videos": videos[0], "model": MODEL, "num_frames": 4, "seed": 0,
            "output": folder, "checkpoint": folder / "checkpoint.safetensors",
            "device": "cpu",
        },
        "evaluate": {
            "model_path": model, **evaluated, "batch_size": 2,
            "table": folder / "errors.csv", "errors": folder / "errors.h5",
            "device": "cpu",
        },
        "evaluate_references": {
            "train_videos": videos[0], **evaluated, "seed": 0,
            "table": folder / "references.csv", "errors": folder / "references.h5",
        },
        "measure_dynamics": {
            "model_path": model, "train_videos": videos[0], "videos": videos[1],
            "trajectories": data[1], "motion": motions[1],
            "errors": folder / "errors.h5", "evaluation": EVALUATION,
            "output": folder / "dynamics.csv", "device": "cpu",
        },
        "measure_dynamics_references": {
            "train_videos": videos[0], "motion": motions[1], "num_frames": 4,
            "evaluation": EXTENT, "output": folder / "references_dynamics.csv",
        },
        "make_films": {
            "model_path": model, "videos": videos, "motions": motions, "example": 1,
            "num_samples": 2, "output": folder / "films.h5", "device": "cpu",
        },
        "table1": {
            "errors": [folder / "errors.csv", folder / "references.csv"],
            "published": PUBLISHED, "labels": {"mine": "My HGN"}, "preset": "tiny",
            "systems": ["pendulum"],
            "output": [folder / f"table1.{kind}" for kind in KINDS],
        },
        "table2": {
            "errors": [folder / "errors.h5"], "published": PUBLISHED2,
            "labels": {"mine": "My HGN"}, "example": 1, "preset": "tiny",
            "systems": ["pendulum"],
            "output": [folder / f"table2.{kind}" for kind in KINDS],
        },
        "dynamics": {
            "measures": [folder / "dynamics.csv", folder / "references_dynamics.csv"],
            "labels": {"mine": "My HGN", "mean_image": "mean image"}, "preset": "tiny",
            "systems": ["pendulum"],
            "output": [folder / f"all_measures.{kind}" for kind in KINDS],
        },
        "fig07_rollouts": {
            "films": [folder / "films.h5"],
            "errors": [folder / "errors.csv", folder / "references.csv"],
            "system": "pendulum", "models": ["mine"], "baselines": ["hnn"],
            "labels": {"mine": "My HGN"}, "figure": [folder / "fig07.png"],
            "animation": [folder / "fig07.gif"],
        },
        "fig08_samples": {
            "films": [folder / "films.h5"], "systems": ["pendulum", "two_body"],
            "models": ["mine"], "labels": {"mine": "My HGN"},
            "figure": [folder / "fig08.png"], "animation": [folder / "fig08.gif"],
        },
        "draw_points": {
            "kind": "modes", "options": {"num_modes": 3}, "sizes": SIZES, "seed": 0,
            "output": points,
        },
        "train_flow": {
            "points": points, "flow": FLOW, "seed": 0, "output": flow.parent,
            "checkpoint": folder / "flow_checkpoint.safetensors", "device": "cpu",
        },
        "evaluate_flow": {
            "flow_path": flow, "points": points, "num_points": 10,
            "num_importance_samples": [4, 1], "device": "cpu",
            "output": flow.with_name("likelihood.csv"),
        },
        "evaluate_flow_references": {
            "points": points, "num_points": 10,
            "output": points.with_name("references.csv"),
        },
        "make_portrait": {
            "flow_path": flow, "points": points, "num_samples": 15, "grid_size": 8,
            "num_importance_samples": 2, "output": flow.with_name("portrait.h5"),
            "device": "cpu",
        },
        "flow_costs": {
            "flows": {
                "mine": {"family": "nhf", "options": NHF, "batch_size": 4},
                "other": {"family": "realnvp", "options": RNVP, "batch_size": 4},
            },
            "reference": "other", "num_points": 10, "num_importance_samples": 2,
            "repeats": 2, "output": folder / "costs.csv", "device": "cpu",
        },
        "flows": {
            "likelihood": [
                points.with_name("references.csv"), flow.with_name("likelihood.csv"),
            ],
            "costs": folder / "costs.csv", "preset": "tiny",
            "labels": {"gaussian": "Gaussian", "mine": "My NHF", "other": "RNVP"},
            "output": [folder / f"flows.{kind}" for kind in KINDS],
        },
        "fig09_flow": {
            "points": points, "portrait": [flow.with_name("portrait.h5")],
            "label": "My NHF", "output": [folder / "fig09.png"],
        },
        "fig10_flows": {
            "points": points, "portraits": [flow.with_name("portrait.h5")],
            "history": [flow.with_name("history.csv")],
            "likelihood": [flow.with_name("likelihood.csv")],
            "costs": folder / "costs.csv",
            "num_importance_samples": 2,
            "labels": {"mine": "My NHF"}, "output": [folder / "fig10.png"],
        },
        "check_hnn": {
            "trajectories": data, "check": STATES, "table": of_check / "states.csv",
            "motions": of_check / "states.h5",
        },
        "check_pixelhnn": {
            "trajectories": data, "check": PIXELS, "table": of_check / "pixels.csv",
            "film": of_check / "pixels.h5",
        },
        "hnn_check": {
            "measures": [of_check / "states.csv", of_check / "pixels.csv"],
            "preset": "tiny",
            "output": [folder / f"hnn_check.{kind}" for kind in KINDS],
        },
        "fig14_hnn_check": {
            "states": [of_check / "states.h5"], "pixels": [of_check / "pixels.h5"],
            "output": [folder / "fig14.png"],
        },
        "fig15_kappa": {
            "measures": [folder / "dynamics.csv"], "errors": [folder / "errors.csv"],
            "kappas": {"pendulum": {"mine": 3e-4, "other": 6e-4}},
            "labels": {"mine": "My HGN"}, "output": [folder / "fig15.png"],
        },
    }  # fmt: skip
    return {**usual[name], **changes}


def make_chain(folder, scripts, **simulated):
    """Make data, and what scripts make of them, one after the other."""
    for split in ("train", "test"):
        data, videos, motion = (
            folder / RUN.parts[0] / f"{split}_{what}.h5"
            for what in ("trajectories", "videos", "motion")
        )
        changes = {"split": split, "output": data, **simulated}
        script("simulate")(**arguments_of("simulate", folder, **changes))
        for name, output in {"render": videos, "extend": motion}.items():
            changes = {"trajectories": data, "output": output}
            script(name)(**arguments_of(name, folder, **changes))
    for name in scripts:
        script(name)(**arguments_of(name, folder))
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Folder of everything that the scripts make."""
    folder = tmp_path_factory.mktemp("chain") / RUN
    return make_chain(folder, CHAIN[len(OF_SPLITS) :])


@pytest.fixture
def folder(made, tmp_path):
    """A copy of that folder that a test may damage."""
    return Path(shutil.copytree(made, tmp_path / RUN))


def test_scripts_that_draw_what_was_evaluated_start_without_torch():
    """A start with torch takes three seconds, one without it one."""
    drawing = [*(f"fig{n:02}" for n in (6, 7, 8, 9, 10, 11, 14, 15, 16)), "table2"]
    paths = [p for n in drawing for p in FOLDER.rglob(f"*{n}*.py")]
    assert len(paths) == len(drawing)
    code = f"import runpy, sys; [runpy.run_path(p) for p in {[*map(str, paths)]}]"
    check = "; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code + check]).returncode == 0


def test_the_chain_has_scripts_that_exist():
    assert set(CHAIN) <= set(SCRIPTS)


def test_the_chain_makes_its_files_and_nothing_else(made):
    files = (path for path in made.rglob("*") if path.is_file())
    assert sorted(str(path.relative_to(made)) for path in files) == [
        "all_measures.csv", "all_measures.html", "all_measures.md",
        "blobs/mine/seed0/flow.safetensors", "blobs/mine/seed0/history.csv",
        "blobs/mine/seed0/likelihood.csv", "blobs/mine/seed0/portrait.h5",
        "blobs/mine/seed0/run.json", "blobs/points.h5", "blobs/references.csv",
        "costs.csv", "dynamics.csv", "errors.csv", "errors.h5",
        "fig07.gif", "fig07.png", "fig08.gif", "fig08.png", "fig09.png", "fig10.png",
        "fig14.png", "fig15.png", "films.h5", "flows.csv", "flows.html", "flows.md",
        "history.csv", "hnn_check.csv", "hnn_check.html", "hnn_check.md",
        "model.safetensors",
        "pendulum/pixels.csv", "pendulum/pixels.h5", "pendulum/states.csv",
        "pendulum/states.h5", "pendulum/test_motion.h5",
        "pendulum/test_trajectories.h5", "pendulum/test_videos.h5",
        "pendulum/train_motion.h5", "pendulum/train_trajectories.h5",
        "pendulum/train_videos.h5", "references.csv", "references.h5",
        "references_dynamics.csv", "run.json", "table1.csv", "table1.html",
        "table1.md", "table2.csv", "table2.html", "table2.md",
    ]  # fmt: skip


def test_the_chain_ends_in_finite_numbers(made):
    table = pd.read_csv(made / "table1.csv")
    assert len(table) == 4 * 2
    columns = ["mse_x1e4", "std_x1e4", "mse_clean_x1e4", "kl", "skill"]
    assert np.isfinite(table[columns]).all(axis=None)


def test_a_system_whose_constants_vary_reaches_the_same_tables(tmp_path):
    varied = {"m": [0.4, 0.6], "length": [0.8, 1.0], "hue": [0, 1], "noise_std": 0.1}
    scripts = [name for name in CHAIN[len(OF_SPLITS) :] if "pixel" not in name]
    scripts = scripts[: scripts.index("fig07_rollouts")]
    folder = make_chain(tmp_path / RUN, scripts, options=varied)
    table = pd.read_csv(folder / "table1.csv")
    assert np.isfinite(table[["mse_x1e4", "mse_clean_x1e4", "skill"]]).all(axis=None)
    measures = pd.read_csv(folder / "dynamics.csv").set_index("measure").value
    of_map = [name for name in measures.index if "energy_" in name and "sampl" in name]
    assert (
        len(of_map) == 3
        and measures[[*of_map, "inferred_energy_distance"]].isna().all()
    )
    known = ["symetric_deviation", "state_map_r2", "sample_nearest_x1e4"]
    assert np.isfinite(measures[known]).all()


def test_errors_of_the_chain_are_of_the_first_trajectories_of_both_splits(made):
    table = pd.read_csv(made / "errors.csv")
    assert table.groupby("split").trajectory.apply(list).to_dict() == {
        "test": [0, 1, 2], "train": [0, 1, 2],
    }  # fmt: skip
    errors = load_errors(made / "errors.h5")["test"]
    means = table[table.split == "test"].mse
    np.testing.assert_allclose(errors.mse.mean(axis=1), means, rtol=1e-5)


def test_the_references_of_the_chain_have_errors_of_every_frame(made):
    table = pd.read_csv(made / "references.csv")
    frames = load_errors(made / "references.h5")
    for (model, split), rows in table.groupby(["model", "split"]):
        means = frames.pop(f"{model} {split}").mse.mean(axis=1)
        np.testing.assert_allclose(means, rows.mse, rtol=1e-5)
    assert frames == {}


def test_without_noise_the_floor_is_zero_and_skill_the_share_of_the_mean_image(
    tmp_path,
):
    place = tmp_path / RUN
    usual = arguments_of("evaluate_references", place)
    for split, data, videos in zip(
        ("train", "test"), usual["trajectories"], usual["videos"], strict=True
    ):
        clean = {"options": {"noise_std": 0.0}, "split": split, "output": data}
        script("simulate")(**arguments_of("simulate", place, **clean))
        drawn = {"trajectories": data, "output": videos}
        script("render")(**arguments_of("render", place, **drawn))
    for name in ("train", "evaluate", "evaluate_references", "table1"):
        script(name)(**arguments_of(name, place))
    table = pd.read_csv(place / "table1.csv").set_index(["model", "split"])
    columns = ["mse_x1e4", "mse_clean_x1e4"]
    assert (table.loc["noise_floor", columns] == 0).all(axis=None)
    np.testing.assert_array_equal(*(table[column] for column in columns))
    mine = table.loc["mine"]
    expected = 1 - mine.mse_x1e4 / table.loc["mean_image"].mse_x1e4
    np.testing.assert_allclose(mine.skill, expected, rtol=1e-4)


def test_the_splits_of_the_chain_are_different_videos(made):
    paths = (made / f"pendulum/{split}_videos.h5" for split in ("train", "test"))
    train, test = map(open_videos, paths)
    assert not (train.frames == test.frames).all()


def test_motions_of_the_chain_are_about_its_trajectories(made):
    for split in ("train", "test"):
        known = load_trajectories(
            made / f"pendulum/{split}_trajectories.h5"
        ).trajectories
        system, motion, _ = load_motion(made / f"pendulum/{split}_motion.h5")
        np.testing.assert_array_equal(motion.q[:, 3:7], known.q[:3])
        assert len(motion.t) == 3 + 4 + 4 and system.noise_std == 0.1


def test_measures_of_the_chain_have_numbers_where_there_are_enough_rollouts(made):
    table = pd.read_csv(made / "dynamics.csv").set_index("measure")
    undefined = ["energy_r2_linear", "energy_r2_monotone"]
    assert {"sample_energy_distance", "sample_nearest_x1e4"} <= {*table.index}
    assert table.value[undefined].isna().all()
    assert np.isfinite(table.value.drop(undefined)).all()
    assert {"mse_beyond_1_x1e4", "mse_beyond_3_x1e4"} <= {*table.index}
    assert table.num["mse_window_x1e4"] == 3 and table.num["symetric"] == 2


def test_references_and_models_have_errors_of_the_same_frames(made):
    model, references = (
        pd.read_csv(made / f"{name}.csv").set_index("measure")
        for name in ("dynamics", "references_dynamics")
    )
    assert {*references.index} <= {*model.index}
    assert set(references.model) == {"mean_image"}
    assert references.value["skilful_steps"] == 0


def test_the_error_of_the_window_is_that_of_the_evaluation(made):
    measures = pd.read_csv(made / "dynamics.csv").set_index("measure")
    errors = load_errors(made / "errors.h5")["test"]
    expected = 1e4 * errors.mse_clean.mean()
    assert measures.value["mse_window_x1e4"] == pytest.approx(expected, rel=1e-4)


def test_the_size_of_the_phase_space_is_that_of_the_system_in_the_videos(folder):
    recipe = {**MODEL, "family": "pixelhnn", "options": {"hidden_size": 4}}
    changes = {"model": recipe, "output": folder / "new"}
    script("train")(**arguments_of("train", folder, **changes))
    with safe_open(folder / "new" / "model.safetensors", "pt") as file:
        assert json.loads(file.metadata()["options"])["latent_size"] == 2


@pytest.mark.parametrize(
    ("output", "label"),
    [("a/b/seed0", "train a/b "), ("b/seed0", "train hgn "), ("a/b/c", "train hgn ")],
)
def test_progress_names_the_run_if_the_folder_does(
    command, folder, monkeypatch, output, label
):
    monkeypatch.chdir(folder)
    changes = {"output": Path(output)}
    done = command("train", **arguments_of("train", folder, **changes))
    assert done.code == 0 and f"\n{label}" in f"\n{done.err}"


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("evaluate", "model_path"), ("measure_dynamics", "model_path"),
        ("make_films", "model_path"), ("evaluate_flow", "flow_path"),
        ("make_portrait", "flow_path"),
    ],
)  # fmt: skip
def test_a_file_that_does_not_say_whose_run_it_is_is_refused(
    command, folder, name, key
):
    path = shutil.copy(arguments_of(name, folder)[key], folder / "blobs")
    assert "does not say which run" in refusal(command, name, folder, **{key: path})


def test_films_of_the_chain_are_of_the_example(made):
    films, samples = load_films(made / "films.h5")
    assert samples.shape == (2, 4, 8, 8, 3) and {*films} == {"train", "test"}
    for split, film in films.items():
        videos = open_videos(made / f"pendulum/{split}_videos.h5").frames
        np.testing.assert_array_equal(film.observed, videos[1])
        system, motion, _ = load_motion(made / f"pendulum/{split}_motion.h5")
        np.testing.assert_array_equal(film.past, render(system, motion.q[1, 3::-1], 8))


def test_table_2_of_the_chain_is_about_its_energies(made):
    table = pd.read_csv(made / "table2.csv", keep_default_na=False)
    energy = load_errors(made / "errors.h5")["test"].energy.astype(float)
    row = table[table.split == "test"].iloc[0]
    assert row.across_variance == pytest.approx(energy.mean(axis=1).var(), rel=1e-4)


def test_what_the_paper_does_not_have_is_not_called_collapsed(made):
    table = pd.read_csv(made / "table2.csv", keep_default_na=False)
    assert table.published_variance_x1e4.to_list() == ["", ""]


def test_the_page_of_measures_has_every_measure(made):
    measures = pd.read_csv(made / "dynamics.csv").measure
    text = (made / "all_measures.md").read_text("utf-8")
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + len(measures) and "# Measures of the dynamics" in text


def test_measures_are_kept_whole_in_the_table(made):
    FILES = ("dynamics.csv", "references_dynamics.csv")
    columns = ["model", "measure", "value", "num"]
    parts = [pd.read_csv(made / f) for f in FILES]
    table = pd.read_csv(made / "all_measures.csv")
    pd.testing.assert_frame_equal(
        table[columns], pd.concat(parts, ignore_index=True)[columns], rtol=1e-5
    )


@pytest.mark.parametrize("name", ["fig07_rollouts", "fig08_samples"])
def test_figures_without_any_run_say_so(folder, name):
    script(name)(**arguments_of(name, folder, films=[]))
    assert (folder / f"{name[:5]}.png").stat().st_size > 1000
    assert (folder / f"{name[:5]}.gif").stat().st_size > 100


def test_the_animation_of_the_rollouts_has_a_picture_for_each_frame(made):
    for name in ("fig07", "fig08"):
        with Image.open(made / f"{name}.gif") as image:
            assert image.n_frames == 4


@pytest.mark.parametrize("name", ["run.json", FLOW_RUN / "run.json"])
def test_the_run_says_where_it_came_from(made, name):
    origin = json.loads((made / name).read_text())
    assert {"commit", "torch", "device", "seed", "wall_s", "code"} <= origin.keys()


def test_a_script_repeated_makes_the_same_bytes(made, folder):
    # What the others leave is stored with the time that it took.
    for name in set(CHAIN) - {"render", "train", "train_flow", "flow_costs"}:
        script(name)(**arguments_of(name, folder))
    for path in filter(Path.is_file, made.rglob("*")):
        name = path.relative_to(made)
        assert path.read_bytes() == (folder / name).read_bytes(), name


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_argument_is_typed_documented_and_in_the_help(command, name):
    main = script(name)
    documented = inspect.getdoc(main).partition("Args:\n")[2].splitlines()
    documented = [line.split(":")[0].strip() for line in documented if ":" in line]
    assert list(inspect.signature(main).parameters) == documented
    done = command(name, "--help")
    assert done.code == 0 and "Traceback" not in done.err
    for parameter in inspect.signature(main).parameters.values():
        assert parameter.annotation is not inspect.Parameter.empty
        assert f"--{parameter.name}" in done.out


def by_hand(*arguments, **environment):
    """A script in a process of its own."""
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


def test_a_script_runs_by_hand():
    done = by_hand(find("render"), "--help")
    assert done.returncode == 0 and "Height and width in pixels" in done.stdout


def test_a_mistake_ends_a_process_in_one_line_and_exit_code_1(tmp_path):
    done = by_hand(
        find("render"), "--trajectories", tmp_path / "gone.h5",
        "--image_size", 8, "--output", tmp_path / "videos.h5",
        HGNPIPE_TRACEBACK="",
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == f"Error: {tmp_path / 'gone.h5'} does not exist.\n"


def failing(error):
    def main(num: int = 0) -> None:
        raise error

    return main


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("num is 0"), "Error: num is 0\n"),
        (RuntimeError("diverged"), "Error: diverged\n"),
        (OSError(28, "No space left"), "Error: OSError: [Errno 28] No space left\n"),
    ],
)
def test_what_a_user_can_mend_is_one_line(command, error, line):
    done = command(failing(error))
    assert (done.code, done.err) == (1, line)


def test_an_error_of_the_program_keeps_its_traceback(command):
    with pytest.raises(AttributeError):
        command(failing(AttributeError("bug")))


def test_the_traceback_of_a_mistake_is_shown_on_request(command, monkeypatch):
    monkeypatch.setenv("HGNPIPE_TRACEBACK", "1")
    main = failing(ValueError("num is 0"))
    with pytest.raises(ValueError, match="num is 0"):
        monkeypatch.setattr(sys, "argv", ["main"])
        run(main)


def test_an_interrupted_script_says_so_and_ends_like_one(command):
    done = command(failing(KeyboardInterrupt()))
    assert (done.code, done.err) == (130, "Stopped.\n")


def test_sigterm_ends_a_script_like_ctrl_c(command):
    def main() -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    assert command(main).code == 130


@pytest.mark.parametrize(
    "words", [["--nun", "3"], ["--num", "three"], ["--num", "1.5"], ["3"]]
)
def test_a_command_line_that_does_not_fit_is_refused(command, words):
    def main(num: int = 0) -> None:
        raise AssertionError("the script ran")

    done = command(main, *words)
    assert done.code not in (0, None) and "Traceback" not in done.err


@pytest.mark.parametrize(
    ("words", "joined"),
    [
        ("--files a b --num 1", ["--files", '["a", "b"]', "--num", "1"]),
        ("--num 1 --files a", ["--num", "1", "--files", '["a"]']),
        ("--files --num 1", ["--files", "[]", "--num", "1"]),
        ("--num 1", ["--num", "1"]),
        ("", []),
    ],
)
def test_files_with_blanks_between_them_become_one_list(words, joined):
    def main(files: list[Path], num: int) -> None: ...

    assert join_lists(main, words.split()) == joined


def test_lists_reach_main_as_lists_of_paths(command):
    seen = []

    def main(files: list[Path], num: int = 0) -> None:
        seen.append((files, num))

    command(main, files=["a b.csv", "c.csv"], num=3)
    assert seen == [([Path("a b.csv"), Path("c.csv")], 3)]


OUTPUTS = {
    "simulate": ["output"],
    "render": ["output"],
    "train": ["output", "checkpoint"],
    "evaluate": ["table", "errors"],
    "evaluate_references": ["table", "errors"],
    "table1": ["output"],
    "extend": ["output"],
    "measure_dynamics": ["output"],
    "measure_dynamics_references": ["output"],
    "make_films": ["output"],
    "table2": ["output"],
    "dynamics": ["output"],
    "fig07_rollouts": ["figure", "animation"],
    "fig08_samples": ["figure", "animation"],
    "draw_points": ["output"],
    "train_flow": ["output", "checkpoint"],
    "evaluate_flow": ["output"],
    "evaluate_flow_references": ["output"],
    "make_portrait": ["output"],
    "flow_costs": ["output"],
    "flows": ["output"],
    "fig09_flow": ["output"],
    "fig10_flows": ["output"],
    "check_hnn": ["table", "motions"],
    "check_pixelhnn": ["table", "film"],
    "hnn_check": ["output"],
    "fig14_hnn_check": ["output"],
    "fig15_kappa": ["output"],
}
INPUTS = [
    ("render", "trajectories"),
    ("train", "videos"),
    ("evaluate", "model_path"),
    ("evaluate", "videos"),
    ("evaluate", "trajectories"),
    ("evaluate_references", "train_videos"),
    ("evaluate_references", "videos"),
    ("evaluate_references", "trajectories"),
    ("table1", "errors"),
    ("table1", "published"),
    ("extend", "trajectories"),
    ("measure_dynamics", "model_path"),
    ("measure_dynamics", "train_videos"),
    ("measure_dynamics", "videos"),
    ("measure_dynamics", "trajectories"),
    ("measure_dynamics", "motion"),
    ("measure_dynamics", "errors"),
    ("measure_dynamics_references", "train_videos"),
    ("measure_dynamics_references", "motion"),
    ("make_films", "model_path"),
    ("make_films", "videos"),
    ("make_films", "motions"),
    ("table2", "errors"),
    ("table2", "published"),
    ("dynamics", "measures"),
    ("fig07_rollouts", "films"),
    ("fig07_rollouts", "errors"),
    ("fig08_samples", "films"),
    ("train_flow", "points"),
    ("evaluate_flow", "flow_path"),
    ("evaluate_flow", "points"),
    ("evaluate_flow_references", "points"),
    ("make_portrait", "flow_path"),
    ("make_portrait", "points"),
    ("flows", "likelihood"),
    ("flows", "costs"),
    ("fig09_flow", "points"),
    ("fig09_flow", "portrait"),
    ("fig10_flows", "points"),
    ("fig10_flows", "portraits"),
    ("fig10_flows", "history"),
    ("fig10_flows", "likelihood"),
    ("fig10_flows", "costs"),
    ("check_hnn", "trajectories"),
    ("check_pixelhnn", "trajectories"),
    ("hnn_check", "measures"),
    ("fig14_hnn_check", "states"),
    ("fig14_hnn_check", "pixels"),
    ("fig15_kappa", "measures"),
    ("fig15_kappa", "errors"),
]


def outputs_in(target, name, folder):
    """Paths in another folder for all outputs of a script."""
    usual = arguments_of(name, folder)

    def path(key, like):
        return target / f"{key}{like.suffix}"

    return {
        key: [path(key, one) for one in usual[key]]
        if isinstance(usual[key], list)
        else path(key, usual[key])
        for key in OUTPUTS[name]
    }


def refusal(command, name, folder, **changes):
    """The one line with which a script refuses to work; nothing may be left behind."""
    target = folder / "new"
    target.mkdir(exist_ok=True)
    new = outputs_in(target, name, folder)
    done = command(name, **arguments_of(name, folder, **{**new, **changes}))
    errors = [line for line in done.err.splitlines() if "% |" not in line]
    assert done.code == 1 and "Traceback" not in done.err
    assert len(errors) == 1 and errors[0].startswith("Error: "), done.err
    assert [path for path in target.rglob("*") if path.is_file()] == []
    assert list(folder.rglob("*.part")) == []
    return errors[0]


def last(value):
    return value[-1] if isinstance(value, list) else value


@pytest.mark.parametrize(("name", "key"), INPUTS)
def test_an_input_that_is_missing_or_damaged_is_named(command, folder, name, key):
    value = arguments_of(name, folder)[key]
    path = folder / f"bad{last(value).suffix}"
    change = [*value[:-1], path] if isinstance(value, list) else path
    whole = last(value).read_bytes()
    content = {"truncated": whole[: len(whole) * 2 // 3], "empty": b""}
    for damage in ("missing", "truncated", "foreign", "empty"):
        path.unlink(missing_ok=True)
        if damage == "missing":
            pass
        elif damage == "foreign" or (damage == "truncated" and path.suffix == ".csv"):
            h5py.File(path, "w").close()
        else:
            path.write_bytes(content[damage])
        told = refusal(command, name, folder, **{key: change})
        assert str(path) in told, damage


@pytest.mark.parametrize("name", CHAIN)
def test_a_folder_that_cannot_be_written_to_is_named(command, folder, name):
    (folder / "file").write_text("not a folder")
    changes = outputs_in(folder / "file", name, folder)
    assert f"Cannot write {folder / 'file'}" in refusal(
        command, name, folder, **changes
    )


@pytest.fixture
def large(folder):
    """Videos of other sizes than the model's."""
    path = folder / "large_videos.h5"
    script("render")(**arguments_of("render", folder, image_size=16, output=path))
    return path


def test_videos_of_another_size_than_the_model_are_refused(command, folder, large):
    line = refusal(command, "evaluate", folder, videos=[large, large])
    assert "16x16" in line and "8x8" in line


def test_a_model_of_another_size_than_the_videos_is_not_trained(command, folder, large):
    model = {**MODEL, "options": {**HGN, "image_size": 8}}
    line = refusal(command, "train", folder, model=model, videos=large)
    assert "16x16" in line and "8x8" in line


def test_a_list_of_videos_without_their_trajectories_is_refused(command, folder):
    one = arguments_of("evaluate", folder)["trajectories"][:1]
    for name in ("evaluate", "evaluate_references"):
        line = refusal(command, name, folder, trajectories=one)
        shutil.rmtree(folder / "new")
        assert "videos" in line and "trajectories" in line


def stored(name, folder, **columns):
    """A table of one's own, as CSV."""
    path = folder / f"{name}.csv"
    rng = np.random.default_rng(0)
    numbers = pd.DataFrame(rng.normal(3, [1, 2, 4], (30, 3)), columns=[*"abc"])
    numbers.assign(**columns).to_csv(path, index=False)
    return path


def of_table(path, **options):
    """What rule draw_points is given for a table."""
    return {"kind": "table", "options": {"file": str(path), **options}}


@pytest.fixture
def wide(folder):
    """Points in three dimensions, and a flow of each family that has learned them."""
    points = folder / "wide.h5"
    table = of_table(stored("wide", folder))
    script("draw_points")(**arguments_of("draw_points", folder, **table, output=points))
    flows = {}
    for family, options in {"nhf": NHF, "realnvp": RNVP}.items():
        flows[family] = folder / "wide" / family / "seed0" / "flow.safetensors"
        flow = {**FLOW, "family": family, "options": options}
        changes = {"points": points, "flow": flow, "output": flows[family].parent}
        script("train_flow")(**arguments_of("train_flow", folder, **changes))
    return SimpleNamespace(points=points, flows=flows)


@pytest.mark.parametrize(
    ("script_name", "key", "file", "words"),
    [
        ("evaluate_flow", "flow_path", "model.safetensors", "'hgnpipe flow 2'"),
        ("make_portrait", "flow_path", "model.safetensors", "'hgnpipe flow 2'"),
        ("evaluate", "model_path", FLOW_RUN / "flow.safetensors", "'hgnpipe model 2'"),
        ("train_flow", "points", "pendulum/train_videos.h5", "'hgnpipe points 2'"),
        ("fig09_flow", "portrait", "blobs/points.h5", "'hgnpipe portrait 2'"),
    ],
)
def test_a_file_of_another_kind_is_named_with_what_is_expected(
    command, folder, script_name, key, file, words
):
    usual = arguments_of(script_name, folder)[key]
    change = [folder / file] if isinstance(usual, list) else folder / file
    line = refusal(command, script_name, folder, **{key: change})
    assert str(folder / file) in line and words in line


@pytest.mark.parametrize("name", ["evaluate_flow", "make_portrait"])
def test_points_of_another_dimension_than_the_flow_are_refused(
    command, folder, wide, name
):
    line = refusal(command, name, folder, points=wide.points)
    assert "dimension of the points is 3" in line


@pytest.mark.parametrize("family", ["nhf", "realnvp"])
@pytest.mark.parametrize("name", ["evaluate_flow", "make_portrait"])
def test_a_flow_of_another_dimension_than_the_points_is_refused(
    command, folder, wide, name, family
):
    line = refusal(command, name, folder, flow_path=wide.flows[family])
    assert "dimension of the points is 2" in line


def test_only_a_flow_in_two_dimensions_has_a_portrait(command, folder, wide):
    changes = {"points": wide.points, "flow_path": wide.flows["nhf"]}
    line = refusal(command, "make_portrait", folder, **changes)
    assert "dimension of the points is 3; it must be 2" in line


@pytest.mark.parametrize(
    ("columns", "options", "words"),
    [
        ({"d": "x"}, {}, ["'d'", "'x'", "finite number"]),
        ({"b": np.nan}, {}, ["'b'", "nan", "finite number"]),
        ({}, {"columns": ["a", "z"]}, ["no column 'z'", "a, b, c"]),
        ({}, {"file": "gone.csv"}, ["gone.csv"]),
    ],
    ids=["text", "gap", "column", "missing"],
)
def test_a_table_that_cannot_be_used_is_named(command, folder, columns, options, words):
    path = stored("bad", folder, **columns)
    line = refusal(command, "draw_points", folder, **of_table(path, **options))
    for word in words if "file" in options else [str(path), *words]:
        assert word in line


def test_a_constant_column_of_a_table_is_refused(command, folder):
    path = stored("bad", folder, b=1.0)
    line = refusal(command, "draw_points", folder, **of_table(path))
    assert "same value everywhere" in line and "`columns`" in line


def changing(name, usual):
    """Changes of one argument that holds several values."""
    return lambda **changes: {name: {**usual, **changes}}


model, flow = changing("model", MODEL), changing("flow", FLOW)
evaluation, extent = (changing("evaluation", usual) for usual in (EVALUATION, EXTENT))


NOT_SO_FAR = "horizon is 9; it must be between 1 and 4"
NOT_OF_A_TABLE = "Unknown option 'num_modes' of density 'table'"
NO_SAMPLES = "num_importance_samples is 0"


def watched(**changes):
    return flow(watched={**WATCHED, **changes})


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("simulate", {"kind": "pendelum"}, "Unknown system 'pendelum'"),
        ("simulate", {"options": {"mas": 1}}, "Unknown option 'mas'"),
        ("simulate", {"num": 0}, "num is 0; it must be 1 or more"),
        ("simulate", {"split": "valid"}, "split is 'valid'"),
        ("simulate", {"threads": 0}, "threads is 0; it must be 1 or more"),
        ("render", {"image_size": 4}, "image_size is 4; it must be 8 or more"),
        ("train", model(family="hgm"), "Unknown model family 'hgm'"),
        ("train", model(options={"width": 1}), "Unknown option 'width'"),
        ("train", model(options={"seed": 1}), "Unknown option 'seed'"),
        ("train", model(training={**FIT, "epochs": 1}), "Unknown option 'epochs'"),
        ("train", model(training={**FIT, "batch_size": "2"}), "'batch_size'"),
        ("train", model(training={"batch_size": 2}), "Missing option 'num_iter"),
        ("train", model(optoins={}), "--model has the unknown key 'optoins'; known"),
        ("train", {"model": {"family": "hgn"}}, "--model lacks 'options', 'training'"),
        ("train", {"device": "gpu"}, "Unknown device 'gpu'"),
        ("evaluate", {"num_trajectories": 0}, "num_trajectories is 0"),
        ("evaluate", {"batch_size": 0}, "batch_size is 0"),
        ("evaluate_references", {"num_trajectories": 0}, "num_trajectories is 0"),
        ("extend", {"num_trajectories": 0}, "num_trajectories is 0"),
        ("extend", {"num_before": -1}, "num_before is -1; it must be zero or positive"),
        ("measure_dynamics", evaluation(horizons=[1, 9]), NOT_SO_FAR),
        ("measure_dynamics", evaluation(symetric_repeats=0), "num_repeats is 0"),
        ("measure_dynamics", evaluation(batch_size=0), "batch_size is 0"),
        ("measure_dynamics_references", extent(horizons=[9]), "horizon is 9"),
        ("make_films", {"example": 3}, "example is 3; it must be between 0 and 2"),
        ("table2", {"example": 3}, "example is 3; it must be between 0 and 2"),
        ("draw_points", {"kind": "modse"}, "Unknown density 'modse'"),
        ("draw_points", {"options": {"num_mode": 1}}, "Unknown option 'num_mode'"),
        ("draw_points", {"options": {"std": 0.0}}, "std is 0.0; it must be positive"),
        ("draw_points", {"kind": "table"}, NOT_OF_A_TABLE),
        ("draw_points", {"kind": "table", "options": {}}, "Missing option 'file'"),
        ("draw_points", {"sizes": {**SIZES, "num_train": 0}}, "num_train is 0"),
        ("draw_points", {"sizes": {"num_train": 9}}, "sizes is {'num_train': 9}; it"),
        (
            "measure_dynamics",
            {"evaluation": EXTENT},
            "--evaluation lacks 'batch_size', 'symetric_re",
        ),
        ("train_flow", flow(family="hgn"), "Unknown flow family 'hgn'"),
        ("train_flow", flow(options={"width": 1}), "Unknown option 'width'"),
        ("train_flow", flow(options={"seed": 1}), "Unknown option 'seed'"),
        ("train_flow", flow(options={"num_dims": 3}), "dimension of the points is 2"),
        ("train_flow", flow(options={"num_steps": 0}), "num_steps is 0"),
        ("train_flow", flow(training={**FIT, "epochs": 1}), "Unknown option 'epochs'"),
        ("train_flow", flow(training={"batch_size": 2}), "Missing option 'num_iter"),
        (
            "train_flow",
            flow(watched={}),
            "known there are num_points, num_importance_samples",
        ),
        ("train_flow", {"device": "gpu"}, "Unknown device 'gpu'"),
        ("train_flow", watched(num_importance_samples=0), NO_SAMPLES),
        ("train_flow", watched(num_points=0), "num_points is 0"),
        ("evaluate_flow", {"num_importance_samples": [1, 0]}, "must be numbers of 1"),
        ("evaluate_flow", {"num_importance_samples": []}, "must be numbers of 1"),
        ("evaluate_flow", {"num_points": 0}, "num_points is 0"),
        ("evaluate_flow_references", {"num_points": 0}, "num_points is 0"),
        ("make_portrait", {"num_importance_samples": 0}, "num_importance_samples is 0"),
        ("make_portrait", {"num_samples": 0}, "num_samples is 0"),
        ("make_portrait", {"grid_size": 0}, "grid_size is 0"),
        (
            "flow_costs",
            {"reference": "third"},
            "Unknown flow 'third'. Known: mine",
        ),
        ("flow_costs", {"repeats": 0}, "repeats is 0"),
        ("flow_costs", {"num_importance_samples": 0}, "num_importance_samples"),
    ],
)
def test_a_value_that_is_not_legal_is_named(command, folder, name, changes, words):
    assert words in refusal(command, name, folder, **changes)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
@pytest.mark.parametrize(
    "name", [name for name in CHAIN if "device" in arguments_of(name, Path())]
)
def test_a_gpu_that_is_not_there_is_one_line(command, folder, name):
    assert "device is 'cuda'" in refusal(command, name, folder, device="cuda")


TRAININGS = ["train", "train_flow"]


@pytest.mark.parametrize(
    ("name", "output"), [(name, key) for name in TRAININGS for key in OUTPUTS[name]]
)
def test_a_training_that_could_not_write_does_not_begin(command, folder, name, output):
    (folder / "file").write_text("not a folder")
    changes = {output: folder / "file" / "output"}
    done = command(name, **arguments_of(name, folder, **changes))
    assert done.code == 1 and "Cannot write" in done.err
    assert "it/s" not in done.err and list(folder.glob("*checkpoint*")) == []


@pytest.mark.parametrize("name", TRAININGS)
def test_a_finished_training_leaves_no_checkpoint(command, folder, name):
    assert command(name, **arguments_of(name, folder)).code == 0
    assert list(folder.glob("*checkpoint*")) == []


# Flows


def measures(path):
    """Values and errors by measure, of a table of one flow."""
    table = pd.read_csv(path).set_index("measure")
    assert table.index.is_unique
    return table


def test_points_of_the_chain_are_independent_draws_of_known_density(made):
    points, origin = load_points(made / "blobs/points.h5")
    assert origin == {"kind": "modes", "options": {"num_modes": 3}, "seed": 0}
    assert [len(part) for part in points[:3]] == [40, 20, 20]
    rows = np.concatenate(points[:3])
    assert len(np.unique(rows, axis=0)) == 80 and points.modes.shape == (3, 2)
    assert np.isfinite(points.log_density).all()


def test_points_of_a_table_are_its_rows_standardised_by_those_to_train_on(folder):
    path = stored("mine", folder)
    table = of_table(path, columns=["c", "a"], held_out=0.1)
    script("draw_points")(**arguments_of("draw_points", folder, **table))
    points, origin = load_points(folder / "blobs/points.h5")
    assert [len(part) for part in points[:3]] == [24, 3, 3]
    np.testing.assert_allclose(points.train.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(points.train.std(0), 1)
    rows = np.concatenate(points[:3]) * origin["std"] + origin["mean"]
    expected = pd.read_csv(path)[["c", "a"]].to_numpy()
    assert not np.allclose(rows, expected)  # in another order
    np.testing.assert_allclose(np.sort(rows, axis=0), np.sort(expected, axis=0))
    assert np.isnan(points.log_density).all()


@pytest.mark.parametrize("family", ["nhf", "realnvp"])
def test_a_far_row_leaves_every_figure_of_a_flow_a_number_and_is_counted(
    folder, family
):
    rows = np.random.default_rng(0).standard_normal((20, 2))
    order = np.random.default_rng([0, 3]).permutation(20)
    rows[order[[3, 6]]] = 1e30, 0  # one to judge by, one to watch the training with
    path = folder / "far.npy"
    np.save(path, rows)
    script("draw_points")(**arguments_of("draw_points", folder, **of_table(path)))
    own = {"family": family, "options": NHF}
    script("train_flow")(**arguments_of("train_flow", folder, **flow(**own)))
    history = pd.read_csv(folder / FLOW_RUN / "history.csv")
    assert np.isfinite(history).all(axis=None)
    assert (history.held_out_unjudged == 1).all()
    for name in ("evaluate_flow", "evaluate_flow_references"):
        script(name)(**arguments_of(name, folder))
    table = measures(folder / FLOW_RUN / "likelihood.csv")
    assert np.isfinite(table.value).all() and table.value["num_unjudged"] == 1
    assert "nan" not in (folder / FLOW_RUN / "likelihood.csv").read_text().lower()


def test_the_history_of_a_flow_has_what_was_watched_in_every_row(made):
    history = pd.read_csv(made / FLOW_RUN / "history.csv")
    assert history.iteration.tolist() == [2, 4, 6]
    assert np.isfinite(history[["loss", "held_out", "held_out_bound"]]).all(axis=None)
    assert (history.held_out < history.held_out_bound).all()


def test_the_flow_that_is_kept_is_the_one_of_the_best_row(folder, monkeypatch):
    main, found = script("train_flow"), []

    def worse_after_two_rows(*arguments):
        row = watched_likelihood(*arguments)
        found.append(row["held_out"])
        return {**row, "held_out": abs(len(found) - 2.0)}

    monkeypatch.setitem(main.__globals__, "watched_likelihood", worse_after_two_rows)
    main(**arguments_of("train_flow", folder))
    history = pd.read_csv(folder / FLOW_RUN / "history.csv")
    assert history.held_out.idxmin() == 1 < len(history) - 1
    assert len(set(found)) == len(history)
    points, _ = load_points(folder / "blobs/points.h5")
    best = load_flow(folder / FLOW_RUN / "flow.safetensors")
    _, estimate = held_out_log_density(best, points.validation[:10], 2, 0)
    assert -estimate.mean() == pytest.approx(found[1], rel=1e-12)


def test_an_interrupted_training_of_a_flow_resumes_and_ends_as_if_undisturbed(
    command, made, folder, monkeypatch
):
    (folder / FLOW_RUN / "flow.safetensors").unlink()
    main, watched = script("train_flow"), []

    def interrupted(*arguments):
        watched.append(1)
        if len(watched) == 3:
            raise KeyboardInterrupt
        return watched_likelihood(*arguments)

    monkeypatch.setitem(main.__globals__, "watched_likelihood", interrupted)
    done = command(main, **arguments_of("train_flow", folder))
    assert done.code == 130 and done.err.endswith("Stopped.\n")
    assert (folder / "flow_checkpoint.safetensors").exists()
    assert not (folder / FLOW_RUN / "flow.safetensors").exists()

    assert command("train_flow", **arguments_of("train_flow", folder)).code == 0
    record = json.loads((folder / FLOW_RUN / "run.json").read_text())
    assert record["resumed_at"] == 4
    course = FLOW_RUN / "history.csv"
    assert (folder / course).read_bytes() == (made / course).read_bytes()
    one, other = (load_flow(f / FLOW_RUN / "flow.safetensors") for f in (folder, made))
    for name, weight in one.state_dict().items():
        assert torch.equal(weight, other.state_dict()[name]), name


def test_measures_of_an_nhf_are_finite_and_of_the_likelihood_and_the_map(made):
    table = measures(made / FLOW_RUN / "likelihood.csv")
    assert set(table.index) == {
        "nll_1", "nll_4", "nll", "nll_bound", "num_importance_samples", "excess",
        "excess_bound", "log_volume_change", "inversion_error_float32",
        "inversion_error_float64", "num_minima_1", "num_minima_2", "num_modes",
        "modes_with_minimum_1", "modes_with_minimum_2", "num_unjudged",
        "num_unjudged_1", "num_unjudged_4", "num_unjudged_bound",
    }  # fmt: skip
    assert not table.value[table.index.str.startswith("num_unjudged")].any()
    assert np.isfinite(table.value).all()
    averaged = table.index.str.startswith(("nll", "excess"))
    assert (table.error[averaged] > 0).all() and table.error[~averaged].isna().all()
    assert table.value["num_importance_samples"] == 4
    assert table.value["nll"] == table.value["nll_4"] < table.value["nll_bound"]
    assert table.value["log_volume_change"] < 1e-10
    assert table.value["inversion_error_float64"] < 1e-10
    assert table.value["num_modes"] == 3
    names = table[["density", "model", "seed"]].drop_duplicates()
    assert names.to_numpy().tolist() == [["blobs", "mine", 0]]


def test_measures_of_an_rnvp_are_exact_and_not_of_a_map_with_energies(folder):
    changes = flow(family="realnvp", options=RNVP)
    script("train_flow")(**arguments_of("train_flow", folder, **changes))
    script("evaluate_flow")(**arguments_of("evaluate_flow", folder))
    table = measures(folder / FLOW_RUN / "likelihood.csv")
    assert set(table.index) == {
        "nll", "nll_bound", "num_importance_samples", "excess", "excess_bound",
        "num_unjudged", "num_unjudged_bound",
    }  # fmt: skip
    assert table.value["nll"] == table.value["nll_bound"]
    assert table.value["excess"] == table.value["excess_bound"]
    assert table.value["num_importance_samples"] == 0


def test_the_excess_is_what_a_density_has_more_than_the_true_one_at_the_same_points(
    made,
):
    found = measures(made / FLOW_RUN / "likelihood.csv").value
    references = pd.read_csv(made / "blobs/references.csv")
    references = references.set_index(["model", "measure"]).value
    entropy = references["target", "nll"]
    points, _ = load_points(made / "blobs/points.h5")
    assert entropy == pytest.approx(-points.log_density[:10].mean(), rel=1e-12)
    for nll, excess in (
        (found["nll"], found["excess"]),
        (found["nll_bound"], found["excess_bound"]),
        (references["gaussian", "nll"], references["gaussian", "excess"]),
    ):
        assert excess == pytest.approx(nll - entropy, rel=1e-9)


def test_of_a_table_no_true_density_is_claimed(folder, wide):
    changes = {"points": wide.points, "flow_path": wide.flows["nhf"]}
    script("evaluate_flow")(**arguments_of("evaluate_flow", folder, **changes))
    table = measures(folder / FLOW_RUN / "likelihood.csv")
    assert {"nll", "nll_bound", "num_minima_1"} <= set(table.index)
    assert {"excess", "excess_bound", "num_modes"}.isdisjoint(table.index)
    name = "evaluate_flow_references"
    script(name)(**arguments_of(name, folder, points=wide.points))
    references = pd.read_csv(folder / "blobs/references.csv")
    found = references[["model", "measure"]].to_numpy().tolist()
    assert found == [["gaussian", "nll"], ["gaussian", "num_unjudged"]]
    assert np.isfinite(references.value).all()


def test_the_portrait_of_the_chain_has_the_sizes_it_was_asked_for(made):
    portrait = load_portrait(made / FLOW_RUN / "portrait.h5")
    assert portrait.density.shape == (8, 8) and portrait.samples.shape == (15, 2)
    assert portrait.paths.shape == (15, 3, 2) and len(portrait.steps) == 2


def test_costs_have_a_row_per_flow_and_task_and_are_relative_to_the_reference(made):
    costs = pd.read_csv(made / "costs.csv")
    shared = {"training step, 4 points", "sample, 10 points", "density, 10 points"}
    sampled = {"density with 2 samples, 10 points"}
    tasks = costs.groupby("model").task.apply(set).to_dict()
    assert tasks == {"mine": shared | sampled, "other": shared}
    assert len(costs) == 7 and (costs.milliseconds > 0).all()
    times = costs.set_index(["model", "task"])
    assert (times.ratio_to_other["other"] == 1).all()
    for task in shared:
        expected = times.milliseconds["mine", task] / times.milliseconds["other", task]
        ratio = times.ratio_to_other["mine", task]
        assert ratio == pytest.approx(expected, rel=1e-3)
    assert np.isnan(times.ratio_to_other["mine", sampled.pop()])


def test_the_page_of_the_flows_has_likelihood_structure_and_cost(made):
    text = (made / "flows.md").read_text("utf-8")
    found = measures(made / FLOW_RUN / "likelihood.csv").value
    assert f"| My NHF | {found['nll']:.3f} ± " in text and "(K = 4)" in text
    assert f"bound {found['nll_bound']:.3f}" in text
    assert f"excess {found['excess']:.3f}" in text
    assert "| Gaussian | " in text and "My NHF on blobs" in text
    assert re.search(r"^\| RNVP \| .* ms \(x 1\)", text, re.MULTILINE)
    page = (made / "flows.html").read_text("utf-8")
    assert page.count("<table") == 3 and f"{found['nll']:.3f} ± " in page
