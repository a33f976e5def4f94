import json
import re
import shlex
from dataclasses import dataclass, field
from itertools import combinations, pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from command_lines import load
from matplotlib.text import Annotation
from PIL import Image
from pipeline import CONFIG, MODELS, shown, snakemake
from simulated import SIMULATED

from hgnpipe.data.points import SPLITS, draw_points, save_points
from hgnpipe.data.rendering import render
from hgnpipe.data.simulation import simulate
from hgnpipe.data.videos import (
    Simulated,
    Videos,
    load_trajectories,
    render_videos,
    save_trajectories,
)
from hgnpipe.densities import build_density
from hgnpipe.evaluation.kept import (
    Errors,
    Film,
    Portrait,
    Step,
    grid_of,
    save_errors,
    save_films,
    save_portrait,
)
from hgnpipe.reporting.plotting import (
    columns_width,
    figure_style,
    log_scale,
)
from hgnpipe.reporting.runs import system_label
from hgnpipe.systems import build_system
from hgnpipe.systems.base import System

NAMES = ["pendulum", "two_body"]
LABELS = {
    "mine": "My HGN", "other": "Other HGN", "hnn": "HNN", "mean_image": "mean image",
}  # fmt: skip
FAMILIES = {"mine": "hgn", "other": "hgn", "hnn": "pixelhnn"}
NUM, NUM_FRAMES = 3, 5
ONE_COORDINATE = ["damped_mass_spring", "duffing", "mass_spring", "pendulum"]
IN_THE_PLANE = ["three_body", "two_body"]
SHOWN = ["mine", "hnn"]
"""Models of Fig. 7."""


FIG07, FIG08 = load("fig07_rollouts"), load("fig08_samples")
FIG07_LOADED = FIG07.load_films
FIG05, FIG06, FIG09, FIG10, FIG11, FIG13 = MODULES = [
    load(name)
    for name in (
        "fig05_systems", "fig06_mse_per_frame", "fig09_flow", "fig10_flows",
        "fig11_convergence", "fig13_integrators",
    )
]  # fmt: skip


@pytest.fixture(autouse=True)
def style():
    with figure_style():
        yield
    plt.close("all")


def texts(figure):
    """All that a reader can read, in one string without line breaks."""
    found = [text.get_text() for text in figure.findobj(plt.Text)]
    return " ".join(" ".join(found).replace("\xa0", " ").split())


def line(axes, name):
    """Values of y of the line of this name."""
    (found,) = (one for one in axes.get_lines() if one.get_label() == name)
    return np.asarray(found.get_ydata(), float)


def scores(mse):
    mse = np.broadcast_to(mse, (NUM, NUM_FRAMES)).astype(np.float32)
    energy, others = np.zeros_like(mse), np.zeros((3, NUM), np.float32)
    return Errors(mse, mse / 2, energy, *others)


def random_scores(seed):
    mse = np.random.default_rng(seed).uniform(5e-4, 6e-4, (NUM, NUM_FRAMES))
    return {"train": scores(mse), "test": scores(mse[::-1])}


def references(seed=7):
    floor = np.random.default_rng(seed).uniform(1e-4, 2e-4, (NUM, NUM_FRAMES))
    mean_image = np.random.default_rng(seed + 1).uniform(2e-3, 3e-3, floor.shape)
    return {
        f"{name} {split}": scores(mse)
        for split in ("train", "test")
        for name, mse in (
            ("mean_image", mean_image),
            ("noise_floor", floor),
            ("true_video", floor * 2),
        )
    }


def found(**models):
    return {"references": references(), **models}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Trajectories and videos of two systems, below a folder for each."""
    folder = tmp_path_factory.mktemp("data")
    for name in NAMES:
        system = build_system(name)
        motion = simulate(system, NUM, NUM_FRAMES, 0)
        (folder / name).mkdir()
        source = folder / name / "train_trajectories.h5"
        labels = {"name": name, "system": system, "seed": 0, "split": "train"}
        save_trajectories(source, motion, **labels)
        list(render_videos(source, folder / name / "train_videos.h5", 8))
    return folder


def films(offset):
    """Films of both splits and three samples; every frame has a shade of its own."""
    shades = np.arange(NUM_FRAMES, dtype=np.uint8)[:, None, None, None]
    video = np.broadcast_to(shades, (NUM_FRAMES, 8, 8, 3)) + np.uint8(offset)
    parts = [video + np.uint8(10 * number) for number in range(len(Film._fields))]
    film = Film(*parts)
    return {"train": film, "test": film}, np.stack(parts[:3])


def error_rows(system, errors):
    """A table of errors with one trajectory of each split."""
    return pd.DataFrame(
        {"system": system, "model": model, "seed": 0, "split": split,
         "trajectory": 0, "mse": mse, "mse_clean": mse, "kl": 0.0}
        for model, mse in errors.items()
        for split in ("train", "test")
    )  # fmt: skip


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Errors, histories and references of made-up runs, where the rules put them."""
    folder = tmp_path_factory.mktemp("results")
    rng = np.random.default_rng(0)
    for name in NAMES:
        for number, model in enumerate(FAMILIES):
            for seed in (0, 1):
                run = folder / "runs" / name / model / f"seed{seed}"
                run.mkdir(parents=True)
                save_errors(run / "errors.h5", random_scores(number))
                course = {"iteration": [10, 20, 30], "mse": rng.uniform(1, 2, 3) / 1e3}
                pd.DataFrame(course).to_csv(run / "history.csv", index=False)
        (folder / "references").mkdir(exist_ok=True)
        for model, offset in (("mine", 0), ("hnn", 100)):
            run = folder / "runs" / name / model / "seed0"
            save_films(run / "films.h5", *films(offset))
            error_rows(name, {model: 1e-3}).to_csv(run / "errors.csv", index=False)
        save_errors(folder / "references" / f"{name}.h5", references())
        levels = {"mean_image": 3e-3, "noise_floor": 1e-4, "true_video": 2e-4}
        rows = error_rows(name, levels)
        rows.to_csv(folder / "references" / f"{name}.csv", index=False)
    return folder


BLOBS = {"num_modes": 3, "std": 0.4}
FLOW_LABELS = {"nhf": "My NHF", "rnvp": "My RNVP"}
GRID, REACH = 20, 3.0


def point_sets():
    return draw_points("modes", BLOBS, dict.fromkeys(SPLITS, 60), 0)


def portrait(num_steps=2, seed=0):
    """A made-up portrait; without steps, that of an RNVP."""
    rng = np.random.default_rng(seed)
    shape = (2, num_steps, GRID, GRID)
    kinetic, potential = rng.normal(size=shape).astype(np.float32)
    steps = [
        Step(kinetic[number], potential[number], 2.0 + number, rng.normal(size=(4, 2)))
        for number in range(num_steps)
    ]
    density = rng.uniform(0, 0.1, (GRID, GRID)).astype(np.float32)
    paths = rng.normal(size=(30, num_steps + 1, 2)).astype(np.float32)
    return Portrait(REACH, density, paths[:, -1], paths, tuple(steps))


HELD_OUT = {
    ("nhf", 0): [3.0, 2.5, 2.2], ("nhf", 1): [3.4, 2.3, 2.0],
    ("rnvp", 0): [3.2, 2.4, 2.1], ("rnvp", 1): [3.0, 2.6, 2.3],
}  # fmt: skip
"""Negative log-likelihoods of two seeds at the rows of their histories."""
EXCESS = {("nhf", 0): 0.1, ("nhf", 1): 0.3, ("rnvp", 0): 0.5, ("rnvp", 1): 0.6}
SECONDS = {"nhf": 0.002, "rnvp": 0.001}


@pytest.fixture(scope="module")
def flow_files(tmp_path_factory):
    """Points, and what two flows with two seeds leave, where the rules put it."""
    folder = tmp_path_factory.mktemp("flows") / "blobs"
    folder.mkdir()
    origin = {"kind": "modes", "options": BLOBS, "seed": 0}
    save_points(folder / "points.h5", point_sets(), origin)
    for number, ((model, seed), held_out) in enumerate(HELD_OUT.items()):
        run = folder / model / f"seed{seed}"
        run.mkdir(parents=True)
        steps = 2 if model == "nhf" else 0
        save_portrait(run / "portrait.h5", portrait(steps, number))
        bound = np.array(held_out) + (0.25 if model == "nhf" else 0)
        course = {"iteration": [10, 20, 30], "held_out": held_out}
        course = pd.DataFrame({**course, "held_out_bound": bound})
        course.to_csv(run / "history.csv", index=False)
        row = {"density": "blobs", "model": model, "seed": seed, "measure": "excess"}
        row |= {"value": EXCESS[model, seed], "error": 0.01}
        pd.DataFrame([row]).to_csv(run / "likelihood.csv", index=False)
    rows = [
        {"model": model, "task": task, "milliseconds": 1000 * seconds * factor}
        for model, seconds in SECONDS.items()
        for task, factor in (("training step, 4 points", 1), ("sample, 4 points", 7))
    ]
    pd.DataFrame(rows).to_csv(folder / "costs.csv", index=False)
    return folder


@pytest.fixture
def arguments(data, results, flow_files):
    """What the rules would give to each script, but for the output."""
    run = "runs/*/mine/*"
    return {
        FIG05: {
            "trajectories": [data / n / "train_trajectories.h5" for n in NAMES],
            "videos": [data / n / "train_videos.h5" for n in NAMES], "example": 0,
        },
        FIG06: {
            "errors": sorted(results.glob("runs/*/*/seed0/errors.h5")),
            "references": [results / "references" / f"{n}.h5" for n in NAMES],
            "families": FAMILIES, "labels": LABELS, "example": 0,
        },
        FIG07: {
            "films": [results / f"runs/pendulum/{m}/seed0/films.h5" for m in SHOWN],
            "errors": [
                *(results / f"runs/pendulum/{m}/seed0/errors.csv" for m in SHOWN),
                results / "references" / "pendulum.csv",
            ],
            "system": "pendulum", "models": ["mine"], "baselines": ["hnn"],
            "labels": LABELS,
        },
        FIG08: {
            "films": [results / f"runs/{n}/mine/seed0/films.h5" for n in NAMES],
            "systems": NAMES, "models": ["mine"], "labels": LABELS,
        },
        FIG09: {
            "points": flow_files / "points.h5", "label": "My NHF",
            "portrait": [flow_files / "nhf" / "seed0" / "portrait.h5"],
        },
        FIG10: {
            "points": flow_files / "points.h5", "costs": flow_files / "costs.csv",
            "portraits": sorted(flow_files.glob("*/seed0/portrait.h5")),
            "history": sorted(flow_files.glob("*/*/history.csv")),
            "likelihood": sorted(flow_files.glob("*/*/likelihood.csv")),
            "num_importance_samples": 32, "labels": FLOW_LABELS,
        },
        FIG11: {
            "history": sorted(results.glob(f"{run}/history.csv")),
            "references": [results / "references" / f"{n}.csv" for n in NAMES],
            "model": "mine", "labels": LABELS,
        },
        FIG13: {},
    }  # fmt: skip


@pytest.fixture
def figure_of(arguments, monkeypatch):
    """The figure that a script would save, given what the rules would give it."""

    def call(module, **changes):
        seen, outputs = [], ["output"]
        if module in (FIG07, FIG08):
            outputs = ["figure", "animation"]
            monkeypatch.setattr(module, "save_animation", lambda *_: None)
        monkeypatch.setattr(module, "save_figure", lambda one, _: seen.append(one))
        places = {name: [] for name in outputs}
        module.main(**{**arguments[module], **places, **changes})
        (figure,) = seen
        return figure

    return call


@pytest.mark.parametrize("module", MODULES)
def test_a_figure_is_a_page_and_a_picture_with_the_same_bytes_each_time(
    module, arguments, tmp_path
):
    places = [tmp_path / name for name in "ab"]
    files = [[place / "a" / "1.pdf", place / "1.png"] for place in places]
    for output in files:
        module.main(**arguments[module], output=output)
    page, picture = files[0]
    assert page.read_bytes().startswith(b"%PDF")
    pixels = plt.imread(picture)
    assert min(pixels.shape[:2]) > 300 and pixels[..., :3].std() > 0.02
    assert len(list(places[0].rglob("*.*"))) == 2
    for one, two in zip(*files, strict=True):
        assert one.read_bytes() == two.read_bytes()


def shape(part):
    """Of each panel of a figure: numbers of lines, images, contours, texts."""
    return [
        (len(a.get_lines()), len(a.get_images()), len(a.collections), len(a.texts))
        for a in part.axes
    ]


def legend_of(part):
    return [text.get_text() for one in part.legends for text in one.get_texts()]


def test_what_fig05_shows(figure_of):
    panels = shape(figure_of(FIG05))
    energies, bars, frames = ([(6, 0, 1, 0), (4, 0, 1, 2)], 2, 2 * 6)
    assert len(panels) == len(energies) + bars + frames
    assert [one for one in panels if one[2] and one[0]] == energies
    # The sixth place is empty; two bodies are numbered in the first frame.
    assert panels.count((0, 1, 0, 0)) == 2 * NUM_FRAMES - 1
    assert panels.count((0, 1, 0, 2)) == 1


def test_what_fig06_shows(figure_of):
    hgn, hnn = figure_of(FIG06).subfigs
    references = [
        "mean image", "noise floor", "true video", "thin: trajectory 0 alone",
    ]  # fmt: skip
    # Three references, and of each model the mean and one trajectory.
    assert shape(hgn) == [(7, 0, 0, 0)] * 4 and shape(hnn) == [(5, 0, 0, 0)] * 4
    assert legend_of(hgn) == ["My HGN", "Other HGN", *references]
    assert legend_of(hnn) == ["HNN", *references]
    for part in (hgn, hnn):
        assert [a.get_title() for a in part.axes] == ["pendulum", "two-body", "", ""]
        labels = [a.get_ylabel().partition("\n")[0] for a in part.axes]
        assert labels == ["train", "", "test", ""]
        assert [a.get_xlabel() for a in part.axes] == ["", "", "frame", "frame"]


@pytest.mark.parametrize("names", [["mine"], ["hnn"], ["mine", "hnn"], ["hnn", "mine"]])
def test_fig06_has_rows_of_the_models_that_it_is_given_and_no_others(figure_of, names):
    figure = figure_of(FIG06, families={name: FAMILIES[name] for name in names})
    assert [legend_of(part)[:-4] for part in figure.subfigs] == [
        [LABELS[name]] for name in names
    ]
    assert "not run" not in texts(figure)


def test_what_fig07_shows(figure_of):
    figure = figure_of(FIG07)
    assert shape(figure) == [(0, 1, 0, 0)] * 2
    skill = f"skill {1 - (1e-3 - 1e-4) / (3e-3 - 1e-4):.2f}"
    for axes, split in zip(figure.axes, ("train", "test"), strict=True):
        assert axes.get_title(loc="left") == f"pendulum, {split} video"
        assert [text.get_text() for text in axes.get_yticklabels()] == [
            "observed", f"My HGN\nforward, {skill}", "true past", "My HGN\nbackward",
            "My HGN\ndouble speed", "My HGN\nhalf speed", f"HNN\nforward, {skill}",
        ]  # fmt: skip
        assert [text.get_text() for text in axes.get_xticklabels()] == ["0", "3"]
        sheet = axes.get_images()[0].get_array()
        rows = np.asarray(sheet)[::10, 10, 0]
        assert rows.tolist() == [3, 23, 13, 33, 43, 53, 123]  # step 3 of each video


@pytest.mark.parametrize("ran", SHOWN)
def test_a_model_of_fig07_that_was_not_run_has_a_label_without_a_skill(
    figure_of, arguments, ran
):
    films = [path for path in arguments[FIG07]["films"] if f"/{ran}/" in str(path)]
    axes = figure_of(FIG07, films=films).axes[0]
    labels = [text.get_text() for text in axes.get_yticklabels()]
    skills = [label for label in labels if "skill" in label]
    assert len(skills) == 1 and skills[0].startswith(LABELS[ran])
    assert all(label == label.strip(", ") for label in labels)
    assert "not run" in texts(axes.figure)


def test_what_fig08_shows(figure_of):
    figure = figure_of(FIG08)
    assert shape(figure) == [(0, 1, 0, 0)] * 2
    for axes, name in zip(figure.axes, ("pendulum", "two-body"), strict=True):
        assert axes.get_title(loc="left") == name
        labels = [text.get_text() for text in axes.get_yticklabels()]
        assert labels == ["data", "My HGN\nsample 1", "2", "3"]
        rows = np.asarray(axes.get_images()[0].get_array())[::10, 10, 0]
        assert rows.tolist() == [4, 4, 14, 24]  # step 4 of each video


def test_fig07_shows_every_model_at_every_speed_below_the_one_before(figure_of):
    figure = figure_of(FIG07, models=["mine", "other"])
    for axes in figure.axes:
        labels = [text.get_text() for text in axes.get_yticklabels()]
        kinds = [label.partition("\n")[2].partition(",")[0] for label in labels[:-1]]
        assert kinds == [
            "", "forward", "forward", "", "backward", "backward", "double speed",
            "double speed", "half speed", "half speed",
        ]  # fmt: skip
        assert [label.partition("\n")[0] for label in labels[1:3]] == [
            LABELS["mine"], LABELS["other"],
        ]  # fmt: skip
        assert len(axes.texts) == 4  # other was not run


def test_fig07_leaves_out_what_a_preset_or_a_model_does_not_have(
    figure_of, monkeypatch
):
    kept = {}

    def load_films(path):
        found, samples = FIG07_LOADED(path)
        kept[path] = {
            split: film._replace(half=film.half[:0]) for split, film in found.items()
        }
        return kept[path], samples

    monkeypatch.setattr(FIG07, "load_films", load_films)
    figure = figure_of(FIG07, baselines=[])
    labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert [label.partition("\n")[2].partition(",")[0] for label in labels] == [
        "", "forward", "", "backward", "double speed",
    ]  # fmt: skip
    assert "not run" not in texts(figure) and kept


def test_fig08_shows_the_samples_of_every_model(figure_of):
    figure = figure_of(FIG08, models=["mine", "other"])
    for axes in figure.axes:
        labels = [text.get_text() for text in axes.get_yticklabels()]
        assert labels == ["data", "My HGN\nsample 1", "2", "3", "Other HGN\nsample 1"]
        assert [text.get_text() for text in axes.texts] == ["not run"]


def test_what_fig09_shows(figure_of):
    figure = figure_of(FIG09)
    rows = np.reshape([a.get_title() for a in figure.axes], (2, 5)).tolist()
    assert rows == [
        ["target", "$K(p)$ of step 1", "$V(q)$ of step 1", "leapfrog step 1", "prior"],
        ["My NHF", "$K(p)$ of step 2", "$V(q)$ of step 2", "leapfrog step 2",
         "integrated flow"],
    ]  # fmt: skip
    density, kinetic, potential = (0, 1, 0, 0), (0, 0, 1, 0), (2, 0, 1, 0)
    row = [density, kinetic, potential, (0, 0, 2, 0)]
    assert shape(figure) == [*row, (0, 0, 1, 0), *row, (0, 0, 2, 0)]


def test_what_fig10_shows(figure_of):
    top, bottom = figure_of(FIG10).subfigs
    assert shape(top)[:3] == [(0, 1, 0, 0)] * 3 and len(top.axes) == 4  # colour bar
    assert shape(bottom)[:2] == [(4, 0, 2, 1)] * 2  # limit, two flows, axis cut
    assert shape(bottom)[2:] == [(1, 0, 0, 0)] * 2  # one bound
    assert legend_of(bottom) == ["target", "My NHF", "My RNVP", "ELBO (below)"]


def test_what_fig11_shows(figure_of):
    figure = figure_of(FIG11)
    assert shape(figure) == [(3, 0, 1, 0)] * 2
    assert [a.get_title() for a in figure.axes] == ["pendulum", "two-body"]
    assert legend_of(figure) == [
        "mean image", "noise floor", "mean over the seeds", "lowest to highest seed",
    ]  # fmt: skip
    assert figure.axes[0].get_ylabel().startswith("My HGN\n")


def test_what_fig13_shows(figure_of):
    figure = figure_of(FIG13)
    assert [a.get_title(loc="left") for a in figure.axes] == [
        "A   leapfrog, $dt=0.4$", "Euler, $dt=0.4$", "B   one leapfrog step, $dt=1.4$",
    ]  # fmt: skip
    assert [len(a.patches) for a in figure.axes] == [8, 8, 0]  # faces and edges
    assert shape(figure)[2] == (1, 0, 1, 3 + 3 + 3 + 2)  # arrows, numbers, formulas


RUNS = {
    FIG06: ["errors"], FIG07: ["films"], FIG08: ["films"], FIG09: ["portrait"],
    FIG10: ["portraits", "history", "likelihood"], FIG11: ["history"],
}  # fmt: skip
MISSING = {
    FIG06: "not run: My HGN", FIG07: "pendulum: no model of this figure was run",
    FIG08: "My HGN: no samples on this system",
    FIG09: "My NHF: not in this preset or not trained yet",
    FIG10: "no flow of this target is trained yet", FIG11: "mine: not in this preset",
}  # fmt: skip


@pytest.mark.parametrize("module", RUNS)
def test_without_any_run_a_figure_says_what_is_missing(figure_of, module):
    figure = figure_of(module, **{name: [] for name in RUNS[module]})
    assert MISSING[module] in texts(figure)
    figure.draw_without_rendering()


@pytest.mark.parametrize(
    ("module", "changes"),
    [
        (FIG05, {"trajectories": [], "videos": []}),
        (FIG06, {"errors": [], "references": []}), (FIG06, {"families": {}}),
        (FIG08, {"films": [], "systems": []}),
        (FIG11, {"history": [], "references": []}),
    ],
)  # fmt: skip
def test_without_any_system_or_model_a_figure_says_so(figure_of, module, changes):
    figure = figure_of(module, **changes)
    assert re.search("no (system|model) to show", texts(figure))
    figure.draw_without_rendering()


@pytest.mark.parametrize("module", RUNS)
def test_runs_of_one_system_or_flow_are_enough(figure_of, arguments, module):
    first = {name: arguments[module][name][:1] for name in RUNS[module]}
    figure_of(module, **first).draw_without_rendering()


@pytest.mark.parametrize("module", [FIG07, FIG08])
@pytest.mark.parametrize("runs", ["all", "one", "none"])
def test_an_animation_has_a_picture_for_each_step_and_is_never_missing(
    arguments, tmp_path, module, runs
):
    shown = {"all": slice(None), "one": slice(1), "none": slice(0)}[runs]
    options = {**arguments[module], "figure": [tmp_path / "1.png"]}
    options["films"] = options["films"][shown]
    module.main(**options, animation=[tmp_path / "1.gif", tmp_path / "1.mp4"])
    with Image.open(tmp_path / "1.gif") as image:
        assert image.n_frames == (1 if runs == "none" else NUM_FRAMES)
    assert len(list(tmp_path.iterdir())) == 3


def test_the_animation_of_fig07_ends_with_samples_of_models_that_have_a_prior(
    figure_of, monkeypatch
):
    seen = []
    monkeypatch.setattr(FIG07, "animate", lambda rows, *_: seen.append(rows))
    figure_of(FIG07)
    (rows,) = seen
    samples = {split: row[-1] for split, row in rows.items()}
    assert {label for label, _ in samples.values()} == {"My HGN\nsample"}
    assert [label for label, _ in rows["train"]].count("HNN\nforward") == 1
    (_, drawn), kept = films(0), films(0)[0]
    for number, (split, (_, video)) in enumerate(samples.items()):
        np.testing.assert_array_equal(video, drawn[number])
        np.testing.assert_array_equal(rows[split][0][1], kept[split].observed)


@pytest.mark.parametrize(
    "label", ["<b>", "a & b", "a * b", "# 1", "'a' \"b\"", "f_psi"]
)
def test_a_label_is_drawn_as_it_is_written(figure_of, label):
    labels = {**LABELS, "mine": label}
    for module in (FIG06, FIG11):
        assert label in texts(figure_of(module, labels=labels))
    assert label in texts(figure_of(FIG07, labels=labels))
    assert label in texts(figure_of(FIG08, labels=labels, films=[]))
    assert label in texts(figure_of(FIG09, label=label))
    assert label in texts(figure_of(FIG10, labels={"nhf": label}))


@pytest.mark.parametrize("module", [FIG05, FIG06])
@pytest.mark.parametrize("example", [-1, NUM])
def test_an_example_that_is_not_there_is_refused(module, example, arguments, tmp_path):
    options = {**arguments[module], "example": example, "output": [tmp_path / "a.png"]}
    with pytest.raises(ValueError, match=f"example is {example}; it must be less than"):
        module.main(**options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("module", "key"), [(FIG06, "errors"), (FIG11, "history")])
def test_a_run_on_a_system_without_references_is_refused(
    module, key, arguments, tmp_path
):
    options = {**arguments[module], "output": [tmp_path / "a.png"]}
    options["references"] = options["references"][:1]
    with pytest.raises(ValueError, match="Unknown system 'two_body'"):
        module.main(**options)


def test_systems_are_called_as_in_the_paper():
    assert [system_label(name) for name in SIMULATED] == [
        "coupled-springs", "damped-mass-spring", "double-pendulum", "duffing",
        "mass-spring", "pendulum", "three-body", "two-body",
    ]  # fmt: skip


def test_a_figure_grows_when_more_systems_than_fill_a_page_are_drawn():
    assert columns_width(1) == columns_width(4) == columns_width(8) / 2


@pytest.mark.parametrize("high", [1.7, 3, 10, 50, 200, 1e4, 1e12])
def test_a_log_scale_has_a_few_ticks_in_plain_numbers(high):
    _, axes = plt.subplots()
    axes.plot([1, high])
    log_scale(axes)
    low, top = axes.get_ylim()
    ticks = [tick for tick in axes.get_yticks() if low <= tick <= top]
    assert 2 <= len(ticks) <= 9
    assert float(axes.yaxis.get_major_formatter()(ticks[0])) == pytest.approx(ticks[0])


# Fig. 5


def made(system, num=2):
    """A system with trajectories and grey videos."""
    motion = simulate(system, num, NUM_FRAMES, 0)
    frames = np.full((num, NUM_FRAMES, 8, 8, 3), 90, np.uint8)
    return Simulated(system, motion, {}), Videos(frames, system.frame_dt, {})


@pytest.mark.parametrize("name", SIMULATED)
def test_the_paths_on_the_energy_are_the_trajectories(name):
    simulated, videos = made(build_system(name))
    figure = FIG05.draw({name: (simulated, videos)}, 1)
    q, p = simulated.trajectories.q, simulated.trajectories.p
    if q.shape[-1] == 1:
        expected = [np.stack([q[n, :, 0], p[n, :, 0]]) for n in range(len(q))]
    elif name in IN_THE_PLANE:
        expected = [path.T for path in simulated.system.bodies(q[1]).swapaxes(0, 1)]
    else:
        expected = [q[1].T]
    lines = [one.get_data() for one in figure.axes[0].get_lines()]
    paths = [line for line in lines if len(line[0]) == NUM_FRAMES]
    np.testing.assert_array_equal(paths, expected)


@pytest.mark.parametrize("name", SIMULATED)
def test_frames_are_shown_with_their_times(name):
    system = build_system(name)
    shown = texts(FIG05.draw({name: made(system)}, 0))
    for frame in range(NUM_FRAMES):
        assert f"$t={frame * system.frame_dt:.3g}$" in shown


@pytest.mark.parametrize("name", SIMULATED)
def test_the_colours_of_an_energy_say_how_large_it_is(name):
    shown = texts(FIG05.draw({name: made(build_system(name))}, 0))
    assert "energy $H$" in shown


def test_the_energy_of_several_bodies_says_which_of_them_is_moved():
    titles = {}
    for name in SIMULATED:
        figure = FIG05.draw({name: made(build_system(name))}, 0)
        (bar,) = (a for a in figure.axes if a.get_title().startswith("energy"))
        titles[name] = bar.get_title()
    bodies = "energy $H$, body 1 at $(x, y)$"
    angles = "energy $H$ at $(q_1, q_2)$"
    assert titles == {
        **dict.fromkeys(IN_THE_PLANE, bodies),
        **dict.fromkeys(["coupled_springs", "double_pendulum"], angles),
        **dict.fromkeys(ONE_COORDINATE, "energy $H$"),
    }


@pytest.mark.parametrize("name", ["two_body", "three_body"])
def test_bodies_are_told_apart_without_their_colours(name):
    system = build_system(name)
    motion = simulate(system, 2, NUM_FRAMES, 0)
    size = 64
    frames = render(system, motion.q, size)
    videos = Videos(frames, system.frame_dt, {})
    figure = FIG05.draw({name: (Simulated(system, motion, {}), videos)}, 1)
    figure.draw_without_rendering()
    energy = figure.axes[0]
    places = system.bodies(motion.q[1, :1])[0]
    numbers = energy.texts
    assert [one.get_text() for one in numbers] == [
        f"{n + 1}" for n in range(len(places))
    ]
    np.testing.assert_allclose([one.xy for one in numbers], places)
    dashes = [str(one._unscaled_dash_pattern) for one in energy.get_lines()[::2]]
    assert len({*dashes}) == len(places)
    (first,) = (a for a in figure.axes if a.get_title() == "$t=0$")
    for one, color in zip(first.texts, system.colors, strict=True):
        column, row = (round(value) for value in one.xy)
        np.testing.assert_allclose(frames[1, 0, row, column], color, atol=30)


def test_only_an_energy_with_a_pole_is_clipped():
    ends = {}
    for name in SIMULATED:
        figure = FIG05.draw({name: made(build_system(name))}, 0)
        (filled,) = (c for c in figure.axes[0].collections if hasattr(c, "levels"))
        ends[name] = filled.extend
    smooth = [*ONE_COORDINATE, "coupled_springs", "double_pendulum"]
    assert ends == dict.fromkeys(smooth, "neither") | dict.fromkeys(IN_THE_PLANE, "min")


@dataclass(frozen=True, kw_only=True)
class TwoRotors(System):
    """Two angles, which are not points of the plane."""

    radius: tuple[float, float] = (0.5, 1.0)
    noise_std: float = 0.1
    frame_dt: float = 0.1
    view: float = 3.0
    num_coordinates: int = field(default=2, init=False)
    colors: tuple = field(default=((173, 0, 0), (0, 146, 0)), init=False)

    def hamiltonian(self, q, p):
        return p.square().sum(-1) / 2 - torch.cos(q).sum(-1)

    def sample_initial_states(self, rng, num):
        q = rng.uniform(*self.radius, size=(num, 2))
        return q, np.zeros_like(q)

    def bodies(self, q):
        return np.stack([np.sin(q), -np.cos(q)], axis=-1)


def test_a_system_whose_positions_are_no_points_is_drawn_over_its_coordinates():
    simulated, videos = made(TwoRotors())
    figure = FIG05.draw({"rotors": (simulated, videos)}, 0)
    path, _ = figure.axes[0].get_lines()
    np.testing.assert_array_equal(path.get_xydata(), simulated.trajectories.q[0])
    assert {"$q_1$", "$q_2$"} <= set(texts(figure).split())


def test_where_constants_vary_the_energy_and_the_motion_are_those_of_the_example():
    simulated, videos = made(build_system("mass_spring", m=[0.4, 1.0], hue=[0, 1]))
    q, p = (values[1] for values in simulated.trajectories[1:3])
    figure = FIG05.draw({"varied": (simulated, videos)}, 1)
    axes = figure.axes[0]
    path, _ = axes.get_lines()
    np.testing.assert_array_equal(path.get_xydata(), np.stack([q[:, 0], p[:, 0]], 1))
    np.testing.assert_allclose(
        np.multiply(path.get_color(), 255), simulated.system.colors_of(q[0])[0]
    )
    assert "energy $H$ of this motion" in texts(figure)
    assert axes.get_xlabel() == "position $q$"


def test_bodies_whose_masses_vary_are_drawn_in_the_plane_as_ever():
    system = build_system("two_body", m=[0.9, 1.1], hue=[0, 1])
    simulated, videos = made(system)
    figure = FIG05.draw({"varied": (simulated, videos)}, 1)
    lines = [line.get_xydata() for line in figure.axes[0].get_lines()]
    paths = [line for line in lines if len(line) == NUM_FRAMES]
    expected = system.bodies(simulated.trajectories.q[1]).swapaxes(0, 1)
    np.testing.assert_array_equal(paths, expected)
    assert "body 1 at $(x, y)$" in texts(figure)


@pytest.mark.parametrize("num", [1, 2, 4, 6])
def test_any_number_of_systems_is_drawn(num, data):
    one = made(build_system("two_body"))
    figure = FIG05.draw({f"system_{n}": one for n in range(num)}, 0)
    figure.draw_without_rendering()


def test_fig05_reads_the_systems_from_the_paths(arguments, data):
    loaded = load_trajectories(arguments[FIG05]["trajectories"][0])
    assert loaded.system == build_system("pendulum")


# Fig. 6


def panels06(figure):
    """Panels by family, row and system."""
    return [np.reshape(part.axes, (2, -1)) for part in figure.subfigs]


def test_lines_of_fig06_are_means_with_the_example_thin_behind():
    mine, hnn = random_scores(0), random_scores(1)
    every = {"pendulum": found(mine=mine, other=mine, hnn=hnn)}
    figure = FIG06.draw(every, FAMILIES, LABELS, 2)
    blocks = zip(panels06(figure), (("mine", mine), ("hnn", hnn)), strict=True)
    for panels, (name, scored) in blocks:
        for axes, split in zip(panels[:, 0], ("train", "test"), strict=True):
            mse = 1e4 * scored[split].mse
            np.testing.assert_allclose(line(axes, name), mse.mean(axis=0), rtol=1e-6)
            np.testing.assert_allclose(line(axes, f"_{name}"), mse[2], rtol=1e-6)
            mean, alone = (
                next(one for one in axes.get_lines() if one.get_label() == label)
                for label in (name, f"_{name}")
            )
            assert alone.get_zorder() < mean.get_zorder()
            assert alone.get_linewidth() < mean.get_linewidth() / 2
            assert alone.get_color() == mean.get_color()
    assert "thin: trajectory 2 alone" in texts(figure)


def test_references_of_fig06_are_means_over_all_trajectories():
    every = {"pendulum": found(mine=random_scores(0))}
    axes = panels06(FIG06.draw(every, FAMILIES, LABELS, 1))[0][0, 0]
    known = {name: references()[f"{name} train"].mse for name in FIG06.REFERENCES}
    assert [*known] == ["mean_image", "noise_floor", "true_video"]
    for name, mse in known.items():
        expected = 1e4 * mse.mean(axis=0)
        np.testing.assert_allclose(line(axes, name), expected, rtol=1e-6)


@pytest.mark.slow
def test_fig06_of_a_preset_with_flows_shows_its_models_and_no_flow(fresh):
    done = snakemake(fresh, "-n", "-p", "results/smoke/figures/fig06_mse_per_frame.png")
    said, script = shown(done), "fig06_mse_per_frame.py"
    (command,) = re.findall(rf"python \S*{script} .*$", said, re.M)
    words = shlex.split(command)
    families, labels = (
        json.loads(words[words.index(f"--{key}") + 1]) for key in ("families", "labels")
    )
    every = {"pendulum": found(**dict.fromkeys(MODELS, random_scores(0)))}
    figure = FIG06.draw(every, families, labels, 0)
    named = [label for part in figure.subfigs for label in legend_of(part)[:-4]]
    assert sorted(named) == sorted(row["label"] for row in MODELS.values())
    assert len(CONFIG["flows"]) > 0
    for name, row in CONFIG["flows"].items():
        assert name not in texts(figure) and row["label"] not in texts(figure)
    assert "not run" not in texts(figure)


@pytest.mark.parametrize("num", [1, 4, 5, 9])
def test_legend_and_remarks_of_fig06_lie_on_the_page_and_apart(num):
    names = [f"model{n}" for n in range(num)]
    mean_image = references()
    collapsed = {s: mean_image[f"mean_image {s}"] for s in ("train", "test")}
    systems = ["spring", "pendulum", "two_body", "three_body"]
    every = {s: found(**dict.fromkeys(names, collapsed)) for s in systems}
    labels = {name: f"Model ({name})" for name in names}
    figure = FIG06.draw(every, dict.fromkeys(names, "hgn"), labels, 0)
    figure.draw_without_rendering()
    page, (part,) = figure.bbox, figure.subfigs
    boxes = [one.get_window_extent() for one in part.legends]
    boxes += [axes.xaxis.label.get_window_extent() for axes in part.axes[-4:]]
    assert len(boxes) == 5
    assert all(page.x0 <= box.x0 and box.x1 <= page.x1 for box in boxes)
    remarks = boxes[1:]
    assert all(a.x1 <= b.x0 for a, b in pairwise(remarks))


def test_models_of_a_family_share_rows_and_scales():
    every = {name: found(**{m: random_scores(0) for m in FAMILIES}) for name in NAMES}
    every["pendulum"]["hnn"] = {s: scores(1.0) for s in ("train", "test")}
    hgn_panels, hnn_panels = panels06(FIG06.draw(every, FAMILIES, LABELS, 0))
    assert hgn_panels.shape == hnn_panels.shape == (2, len(NAMES))
    assert hgn_panels[0, 0].get_ylim() == hgn_panels[1, 0].get_ylim()
    assert hgn_panels[0, 0].get_ylim()[1] < 1e4 < hnn_panels[0, 0].get_ylim()[1]


def test_fig06_names_models_and_systems_as_people_do():
    every = {"two_body": found(**{m: random_scores(0) for m in FAMILIES})}
    shown = texts(FIG06.draw(every, FAMILIES, LABELS, 0))
    for name in (*LABELS.values(), "noise floor", "two-body", "train", "test"):
        assert name in shown


def test_a_model_that_was_not_run_is_named():
    every = {"pendulum": found(mine=random_scores(0))}
    shown = texts(FIG06.draw(every, FAMILIES, LABELS, 0))
    assert "not run: Other HGN" in shown and "not run: HNN" in shown


def test_without_any_run_the_panels_of_fig06_say_so():
    figure = FIG06.draw({"pendulum": found()}, FAMILIES, LABELS, 0)
    for panel in np.concatenate(panels06(figure)).flat:
        assert [text.get_text() for text in panel.texts] == ["not run"]
    figure.draw_without_rendering()


def test_a_model_that_predicts_the_mean_image_is_named():
    mean_image = references()
    collapsed = {s: mean_image[f"mean_image {s}"] for s in ("train", "test")}
    every = {"pendulum": found(mine=collapsed, other=random_scores(0))}
    shown = texts(FIG06.draw(every, FAMILIES, LABELS, 0))
    assert "like the mean image or worse: My HGN" in shown
    assert "worse: Other" not in shown and "My HGN, Other" not in shown


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_rollout_that_is_not_finite_is_named_and_the_rest_drawn(value):
    broken = random_scores(0)
    broken["test"].mse[2, 1:] = value
    every = {"pendulum": found(mine=broken, other=random_scores(1))}
    figure = FIG06.draw(every, FAMILIES, LABELS, 2)
    assert "not finite: My HGN" in texts(figure)
    figure.draw_without_rendering()
    assert np.isfinite(panels06(figure)[0][1, 0].get_ylim()).all()


# Fig. 9


def panels09(figure):
    return np.reshape(figure.axes, (-1, 5))


def place_of_maximum(axes):
    """Where an image is largest, in the coordinates of its axes."""
    (image,) = axes.get_images()
    array = image.get_array()
    row, column = np.unravel_index(array.argmax(), array.shape)
    left, right, bottom, top = image.get_extent()
    x = left + (column + 0.5) / array.shape[1] * (right - left)
    assert image.origin == "lower"
    return x, bottom + (row + 0.5) / array.shape[0] * (top - bottom)


def test_the_densities_of_fig09_are_gaussian_kernel_estimates_of_target_and_flow():
    data, flow = point_sets(), portrait()
    axes = panels09(FIG09.draw(data, flow, "My NHF"))
    for panel, samples in ((axes[0, 0], data.test), (axes[1, 0], flow.samples)):
        drawn = panel.get_images()[0].get_array()
        grid = grid_of(REACH, len(drawn))
        squares = np.square(grid[:, None] - samples).sum(-1)
        width = 2 * 0.3**2
        expected = (np.exp(-squares / width) / (np.pi * width)).mean(1)
        np.testing.assert_allclose(drawn.ravel(), expected, rtol=1e-4, atol=1e-9)
    assert axes[0, 0].get_title() == "target" and axes[1, 0].get_title() == "My NHF"


def bars09(axes):
    """Ends of the colour bar below a panel as they are written, and its name."""
    (place,) = axes.child_axes
    ends = [
        one.get_text().replace("\N{MINUS SIGN}", "-") for one in place.get_xticklabels()
    ]
    return [float(end) for end in ends], place.get_xlabel()


def test_every_panel_of_fig09_names_its_axes():
    axes = panels09(FIG09.draw(point_sets(), portrait(), ""))
    for row in axes:
        for panel, name in zip(row, "qpqqq", strict=True):
            assert panel.get_xlabel().partition("\n")[0] == f"${name}_1$"
            assert panel.get_ylabel() == f"${name}_2$"


@pytest.mark.parametrize("num_steps", [1, 2, 3])
def test_panels_of_the_same_quantity_have_the_same_limits(num_steps):
    axes = panels09(FIG09.draw(point_sets(), portrait(num_steps), ""))
    shown = [panel for panel in axes.flat if panel.axison]
    limits = {"q": set(), "p": set()}
    for panel in shown:
        assert panel.get_xlim() == panel.get_ylim()
        limits[panel.get_xlabel()[1]].add(panel.get_xlim())
    widest = 2.0 + num_steps - 1
    assert limits == {"q": {(-REACH, REACH)}, "p": {(-widest, widest)}}


def test_dots_beyond_the_limits_are_counted():
    flow = portrait()
    flow.paths[:] = 0
    flow.paths[:4, 0] = 2 * REACH
    axes = panels09(FIG09.draw(point_sets(), flow, ""))
    assert axes[0, 4].get_xlabel() == "$q_1$\n4 of 30 outside"
    assert axes[1, 4].get_xlabel() == axes[0, 3].get_xlabel() == "$q_1$"


def test_colour_bars_of_fig09_say_how_large_densities_and_energies_are():
    flow = portrait()
    axes = panels09(FIG09.draw(point_sets(), flow, ""))
    images = [row[0].get_images()[0] for row in axes]
    largest = max(image.get_array().max() for image in images)
    for row, image, step in zip(axes, images, flow.steps, strict=True):
        assert image.get_clim() == pytest.approx((0, largest))
        ends, name = bars09(row[0])
        assert name == "density" and ends == pytest.approx([0, largest], rel=0.05)
        for panel, energy, letter in zip(
            row[1:3], (step.kinetic, step.potential), "KV", strict=True
        ):
            ends, name = bars09(panel)
            expected = [energy.min(), np.quantile(energy, 0.9)]
            assert name == f"energy ${letter}$"
            assert ends == pytest.approx(expected, rel=0.05)


def test_the_legend_of_fig09_says_what_is_marked():
    known = ["minimum of $V$", "mode of the target", "a path, and where it ends"]
    assert legend_of(FIG09.draw(point_sets(), portrait(), "")) == known
    rings = draw_points("rings", {}, dict.fromkeys(SPLITS, 60), 0)
    assert legend_of(FIG09.draw(rings, portrait(), "")) == [known[0], known[2]]


def test_a_density_is_drawn_where_it_is():
    flow = portrait()
    flow = flow._replace(samples=np.tile(np.float32([[1.0, -2.0]]), (30, 1)))
    axes = panels09(FIG09.draw(point_sets(), flow, ""))[1, 0]
    assert place_of_maximum(axes) == pytest.approx((1, -2), abs=0.1)


def lowest(axes):
    """Middle of what has the colour of the lowest energies."""
    (filled,) = (one for one in axes.collections if hasattr(one, "levels"))
    return filled.get_paths()[0].vertices.mean(axis=0), filled.levels


def test_energies_are_drawn_where_they_are_each_on_its_own_grid():
    x, y = grid_of(1.0, GRID).T.reshape(2, GRID, GRID).astype(np.float32)
    kinetic, potential = (x - 0.5) ** 2 + (y + 0.5) ** 2, x**2 + (y - 0.5) ** 2
    step = portrait().steps[0]._replace(kinetic=kinetic, potential=potential)
    axes = panels09(FIG09.draw(point_sets(), portrait()._replace(steps=(step,)), ""))
    place, levels = lowest(axes[0, 1])
    np.testing.assert_allclose(place, [0.5 * 2.0, -0.5 * 2.0], atol=0.2)
    assert levels[0] == pytest.approx(kinetic.min())
    assert levels[-1] == pytest.approx(np.quantile(kinetic, 0.9), rel=1e-5)
    place, _ = lowest(axes[0, 2])
    np.testing.assert_allclose(place, [0, 0.5 * REACH], atol=0.3)


def test_minima_of_the_potential_and_modes_of_the_target_are_marked():
    data, flow = point_sets(), portrait(2)
    axes = panels09(FIG09.draw(data, flow, ""))
    for row, step in zip(axes, flow.steps, strict=False):
        dots, crosses = row[2].get_lines()
        np.testing.assert_array_equal(dots.get_xydata(), step.minima)
        np.testing.assert_array_equal(crosses.get_xydata(), data.modes)
        assert (dots.get_marker(), crosses.get_marker()) == ("o", "x")


def moved(axes):
    """Lines, end points and colours of a panel that shows motion."""
    lines, dots = axes.collections
    return np.array(lines.get_segments()), dots.get_offsets(), dots.get_facecolor()


@pytest.mark.parametrize("num_steps", [1, 2, 3])
def test_every_step_and_the_whole_flow_move_positions_as_the_paths_do(num_steps):
    flow = portrait(num_steps)
    axes = panels09(FIG09.draw(point_sets(), flow, ""))
    assert len(axes) == max(2, num_steps)
    for number in range(num_steps):
        lines, ends, _ = moved(axes[number, 3])
        np.testing.assert_allclose(lines, flow.paths[:, number : number + 2])
        np.testing.assert_allclose(ends, flow.paths[:, number + 1])
    lines, ends, _ = moved(axes[1, 4])
    np.testing.assert_allclose(lines, flow.paths)
    np.testing.assert_allclose(ends, flow.samples)
    (dots,) = axes[0, 4].collections
    np.testing.assert_allclose(dots.get_offsets(), flow.paths[:, 0])


def test_a_position_keeps_its_colour_which_says_at_which_angle_it_ends():
    angles = np.linspace(0, 2 * np.pi, 30, endpoint=False)
    ends = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    flow = portrait()
    flow.paths[:, -1] = ends * np.random.default_rng(0).uniform(0.5, 2, (30, 1))
    axes = panels09(FIG09.draw(point_sets(), flow, ""))
    expected = plt.get_cmap("hsv")(angles / (2 * np.pi))
    (prior,) = axes[0, 4].collections
    for colors in (
        prior.get_facecolor(),
        *(moved(panel)[2] for panel in (axes[0, 3], axes[1, 3], axes[1, 4])),
    ):
        np.testing.assert_allclose(colors[:, :3], expected[:, :3], atol=0.05)


@pytest.mark.parametrize("num_steps", [1, 2, 3])
def test_panels_of_fig09_say_of_which_step_they_are(num_steps):
    axes = panels09(FIG09.draw(point_sets(), portrait(num_steps), ""))
    for number, row in enumerate(axes[:num_steps], start=1):
        extra = f" of step {number}" if num_steps > 1 else ""
        titles = [panel.get_title() for panel in row[1:4]]
        assert titles == [f"$K(p)${extra}", f"$V(q)${extra}", f"leapfrog step {number}"]
    for panel in axes[num_steps:, 1:4].flat:
        assert not panel.axison and panel.get_title() == ""


def test_a_flow_without_energies_is_drawn_without_their_panels():
    figure = FIG09.draw(point_sets(), portrait(0), "My RNVP")
    axes = panels09(figure)
    assert [panel.axison for panel in axes[:, 1:4].flat] == [False] * 6
    assert axes[1, 0].axison and "My RNVP" in texts(figure)
    figure.draw_without_rendering()


def test_a_density_without_modes_has_no_crosses():
    data = draw_points("rings", {}, dict.fromkeys(SPLITS, 60), 0)
    axes = panels09(FIG09.draw(data, portrait(), ""))
    _, crosses = axes[0, 2].get_lines()
    assert crosses.get_xydata().shape == (0, 2)


def test_fig09_without_a_portrait_says_so(figure_of):
    figure = figure_of(FIG09, portrait=[])
    assert "My NHF: not in this preset or not trained yet" in texts(figure)


# Fig. 10


def densities10(figure):
    """Panels of densities that show one, by the first line of their title."""
    panels = figure.subfigs[0].axes
    return {a.get_title().split("\n")[0]: a for a in panels if a.get_images()}


def courses10(figure):
    """Panels of held-out likelihood against steps and against time."""
    return figure.subfigs[1].axes[:2]


def bounds10(figure):
    """Panels of the bound against steps and against time."""
    return figure.subfigs[1].axes[2:]


def of_seed(paths, seed):
    return [path for path in paths if path.parent.name == f"seed{seed}"]


def test_densities_of_fig10_are_the_true_one_and_those_of_the_portraits(figure_of):
    panels = densities10(figure_of(FIG10))
    assert list(panels) == ["target", "My NHF", "My RNVP"]
    target = build_density("modes", **BLOBS)
    truth = np.exp(target.log_density(grid_of(REACH, GRID))).reshape(GRID, GRID)
    densities = [truth, portrait(2, 0).density, portrait(0, 2).density]
    for axes, density in zip(panels.values(), densities, strict=True):
        (image,) = axes.get_images()
        np.testing.assert_allclose(image.get_array(), density, rtol=1e-6)
        assert image.get_clim() == pytest.approx((0, truth.max()))
        assert image.origin == "lower"
        assert image.get_extent() == [-REACH, REACH, -REACH, REACH]


def test_fig10_says_the_entropy_and_what_each_flow_has_more_on_average(figure_of):
    titles = [a.get_title() for a in densities10(figure_of(FIG10)).values()]
    entropy = -point_sets().log_density.mean()
    assert titles == [
        f"target\nentropy {entropy:.3f} nats",
        "My NHF\nexcess 0.200 nats",
        "My RNVP\nexcess 0.550 nats",
    ]


def test_courses_of_fig10_are_means_over_the_seeds(figure_of):
    left, right = courses10(figure_of(FIG10))
    for model, label in FLOW_LABELS.items():
        expected = -np.mean([HELD_OUT[model, seed] for seed in (0, 1)], axis=0)
        np.testing.assert_allclose(line(left, label), expected)
        np.testing.assert_allclose(line(right, label), expected)


def test_one_seed_of_a_flow_is_drawn_as_it_was_logged(figure_of, arguments):
    files = {
        key: of_seed(arguments[FIG10][key], 1) for key in ("history", "likelihood")
    }
    figure = figure_of(FIG10, **files)
    left, _ = courses10(figure)
    for model, label in FLOW_LABELS.items():
        np.testing.assert_allclose(line(left, label), -np.array(HELD_OUT[model, 1]))
    assert densities10(figure)["My NHF"].get_title().endswith("excess 0.300 nats")


def test_seeds_of_a_flow_span_a_band_from_the_lowest_to_the_highest(figure_of):
    left, _ = courses10(figure_of(FIG10))
    for model, band in zip(FLOW_LABELS, left.collections, strict=True):
        corners = band.get_paths()[0].vertices
        seeds = -np.array([HELD_OUT[model, seed] for seed in (0, 1)])
        for iteration, low, high in zip(
            [10, 20, 30], seeds.min(0), seeds.max(0), strict=True
        ):
            heights = corners[corners[:, 0] == iteration, 1]
            assert (heights.min(), heights.max()) == pytest.approx((low, high))


def test_courses_are_drawn_against_steps_and_against_the_time_that_these_take(
    figure_of,
):
    figure = figure_of(FIG10)
    left, right = courses10(figure)
    for model, label in FLOW_LABELS.items():
        for axes, unit in ((left, 1), (right, SECONDS[model])):
            (drawn,) = (one for one in axes.get_lines() if one.get_label() == label)
            steps = np.array([10, 20, 30])
            np.testing.assert_allclose(drawn.get_xdata(), steps * unit)
    words = [axes.get_xlabel() for axes in bounds10(figure)]
    assert words == ["training step", "time of training (s)"]


def test_the_bound_has_a_panel_of_its_own_where_it_is_another(figure_of):
    target = point_sets().validation_log_density.mean()
    mean = np.mean([HELD_OUT["nhf", seed] for seed in (0, 1)], axis=0)
    for axes in bounds10(figure_of(FIG10)):
        (bound,) = axes.get_lines()
        assert bound.get_label() == "My NHF" and bound.get_linestyle() == "--"
        np.testing.assert_allclose(bound.get_ydata(), target + mean + 0.25)
        assert axes.get_yscale() == "log" and axes.yaxis_inverted()


def test_without_a_bound_that_differs_its_panels_say_so(figure_of, arguments):
    history = [one for one in arguments[FIG10]["history"] if "rnvp" in one.parts]
    figure = figure_of(FIG10, history=history)
    for axes in bounds10(figure):
        assert [one.get_text() for one in axes.texts] == [
            "no flow has a bound\nthat differs"
        ]
    figure.draw_without_rendering()


@pytest.mark.parametrize(("first", "cut"), [(3.0, False), (300.0, True)])
def test_an_axis_that_ends_above_a_curve_says_so(figure_of, tmp_path, first, cut):
    path = tmp_path / "blobs" / "nhf" / "seed0" / "history.csv"
    path.parent.mkdir(parents=True)
    held_out = [first, 3.0, 2.9]
    course = {"iteration": [10, 20, 30], "held_out": held_out}
    pd.DataFrame({**course, "held_out_bound": held_out}).to_csv(path)
    for axes in courses10(figure_of(FIG10, history=[path])):
        assert (axes.get_ylim()[0] > -first) == cut
        marks = [one for one in axes.get_lines() if one.get_label() == FIG10.CUT]
        words = [one.get_text() for one in axes.texts]
        assert (len(marks), len(words)) == ((1, 1) if cut else (0, 0))


def test_densities_of_fig10_have_axes_and_one_colour_bar(figure_of):
    figure = figure_of(FIG10)
    panels = [*densities10(figure).values()]
    assert {axes.get_xlabel() for axes in panels} == {"$q_1$"}
    assert panels[0].get_ylabel() == "$q_2$"
    assert figure.subfigs[0].axes[-1].get_ylabel() == "density $p(q)$"


def test_the_limit_of_the_courses_is_the_true_density_of_the_points_watched(
    figure_of,
):
    expected = point_sets().validation_log_density.mean()
    for axes in courses10(figure_of(FIG10)):
        np.testing.assert_allclose(line(axes, "target"), expected)
        low, high = axes.get_ylim()
        assert low < expected < high


def test_fig10_says_with_how_many_samples_the_courses_are_estimated(figure_of):
    left, _ = courses10(figure_of(FIG10))
    assert "$K = 32$" in left.get_ylabel()


def test_every_flow_of_fig10_is_in_its_legend(figure_of):
    (legend,) = figure_of(FIG10).subfigs[1].legends
    names = [text.get_text() for text in legend.get_texts()]
    assert names == ["target", *FLOW_LABELS.values(), "ELBO (below)"]


@pytest.mark.parametrize("num", [1, 4, 5, 7])
def test_any_number_of_flows_is_drawn(figure_of, tmp_path, num):
    paths = []
    for number in range(num):
        path = tmp_path / "blobs" / f"flow{number}" / "seed0" / "portrait.h5"
        path.parent.mkdir(parents=True)
        save_portrait(path, portrait(seed=number))
        paths.append(path)
    figure = figure_of(FIG10, portraits=paths)
    assert list(densities10(figure)) == ["target", *(p.parts[-3] for p in paths)]
    figure.draw_without_rendering()


def test_fig10_without_any_flow_says_so(figure_of):
    figure = figure_of(FIG10, portraits=[], history=[], likelihood=[])
    assert "no flow of this target is trained yet" in texts(figure)
    figure.draw_without_rendering()


def test_a_flow_whose_cost_is_not_known_is_drawn_against_steps(figure_of, tmp_path):
    costs = tmp_path / "costs.csv"
    rows = "model,task,milliseconds\nrnvp,training step,1\n"
    costs.write_text(rows)
    figure = figure_of(FIG10, costs=costs)
    left, _ = courses10(figure)
    assert len(line(left, "My NHF")) == 3
    figure.draw_without_rendering()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_flow_whose_likelihood_is_not_finite_leaves_the_others_to_be_seen(
    figure_of, arguments, tmp_path, value
):
    path = tmp_path / "blobs" / "nhf" / "seed0" / "history.csv"
    path.parent.mkdir(parents=True)
    course = {"iteration": [10, 20], "held_out": [3.0, value]}
    pd.DataFrame({**course, "held_out_bound": [3.0, value]}).to_csv(path)
    history = of_seed(arguments[FIG10]["history"], 0)
    others = [one for one in history if "rnvp" in one.parts]
    figure = figure_of(FIG10, history=[path, *others])
    left, _ = courses10(figure)
    low, high = left.get_ylim()
    seen = line(left, "My RNVP")
    assert np.isfinite([low, high]).all() and low < seen[-1] < high
    figure.draw_without_rendering()


@pytest.mark.parametrize("content", ["", "a,b\n1,2\n"])
@pytest.mark.parametrize("key", ["history", "likelihood"])
def test_what_is_no_table_of_a_flow_is_named(content, key, arguments, tmp_path):
    path = tmp_path / "blobs" / "nhf" / "seed0" / f"{key}.csv"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    options = {**arguments[FIG10], key: [path], "output": [tmp_path / "a.png"]}
    with pytest.raises(ValueError, match=str(path)):
        FIG10.main(**options)
    assert not (tmp_path / "a.png").exists()


# Figs. 11 and 12

ITERATIONS = [10, 20, 30]
LEVELS = pd.DataFrame(
    {"mean_image": [3e-3, 2e-3], "noise_floor": [1e-4, 2e-4]}, index=NAMES
)


def courses(*rows):
    """A course of the training for each seed."""
    return {seed: pd.Series(row, ITERATIONS) for seed, row in enumerate(rows)}


def test_one_seed_is_drawn_as_it_was_logged():
    figure = FIG11.draw({"pendulum": courses([3e-3, 2e-3, 1e-3])}, LEVELS, "mine", {})
    np.testing.assert_allclose(line(figure.axes[0], "mean"), [30, 20, 10])
    assert figure.axes[0].collections[:] == []
    assert "one seed" in texts(figure)


def test_several_seeds_are_a_mean_and_a_band_from_the_lowest_to_the_highest():
    rows = [3e-3, 2e-3, 2e-3], [1e-3, 1e-3, 5e-4], [2e-3, 3e-3, 5e-4]
    figure = FIG11.draw({"pendulum": courses(*rows)}, LEVELS, "mine", LABELS)
    np.testing.assert_allclose(line(figure.axes[0], "mean"), [20, 20, 10])
    (band,) = figure.axes[0].collections
    corners = band.get_paths()[0].vertices
    for iteration, low, high in zip(ITERATIONS, (10, 10, 5), (30, 30, 20), strict=True):
        heights = corners[corners[:, 0] == iteration, 1]
        assert (heights.min(), heights.max()) == pytest.approx((low, high))
    assert "lowest to highest seed" in texts(figure)


def test_the_references_of_fig11_are_those_of_each_system():
    every = {name: courses([3e-3, 2e-3, 1e-3]) for name in NAMES}
    figure = FIG11.draw(every, LEVELS, "mine", LABELS)
    for axes, name in zip(figure.axes, NAMES, strict=True):
        for reference in LEVELS:
            expected = 1e4 * LEVELS.loc[name, reference]
            np.testing.assert_allclose(line(axes, reference), expected)


def test_fig11_takes_the_references_of_the_training_split(
    arguments, tmp_path, monkeypatch
):
    seen = []
    monkeypatch.setattr(FIG11, "save_figure", lambda figure, _: seen.append(figure))
    references = arguments[FIG11]["references"]
    for path in references:
        table = pd.read_csv(path)
        table.loc[table.split == "test", "mse"] = 1.0
        table.to_csv(tmp_path / path.name, index=False)
    changed = [tmp_path / path.name for path in references]
    FIG11.main(**{**arguments[FIG11], "references": changed, "output": []})
    np.testing.assert_allclose(line(seen[0].axes[0], "mean_image"), 30)


def test_a_model_that_the_preset_lacks_is_named():
    figure = FIG11.draw({name: {} for name in NAMES}, LEVELS, "mine", LABELS)
    assert "mine: not in this preset" in texts(figure)
    figure.draw_without_rendering()


def test_a_system_whose_training_is_missing_says_so():
    every = {"pendulum": courses([3e-3, 2e-3, 1e-3]), "two_body": {}}
    figure = FIG11.draw(every, LEVELS, "mine", LABELS)
    said = [[text.get_text() for text in axes.texts] for axes in figure.axes]
    assert said == [[], ["not run"]]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_training_that_is_not_finite_says_when(value):
    rows = [3e-3, value, value], [1e-3, 1e-3, 5e-4]
    figure = FIG11.draw({"pendulum": courses(*rows)}, LEVELS, "mine", LABELS)
    assert "seed 0: not finite at 20" in texts(figure)
    np.testing.assert_allclose(line(figure.axes[0], "mean"), [20, 10, 5])
    figure.draw_without_rendering()


@pytest.mark.parametrize("content", ["", "a,b\n1,2\n", "iteration,mse\n1,high\n"])
def test_what_is_no_course_of_a_training_is_named(content, arguments, tmp_path):
    path = tmp_path / "pendulum" / "mine" / "seed0" / "history.csv"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    options = {**arguments[FIG11], "history": [path], "output": [tmp_path / "a.png"]}
    with pytest.raises(ValueError, match=f"{path} is not the course of a training"):
        FIG11.main(**options)


# Fig. 13


def areas(integrator):
    volumes = FIG13.transported(integrator)
    return np.array([FIG13.area(volume) for volume in volumes])


def test_leapfrog_keeps_the_area():
    np.testing.assert_allclose(areas("leapfrog"), areas("leapfrog")[0], rtol=1e-12)


def test_every_euler_step_multiplies_the_area_by_the_same_factor():
    growth = (1 + FIG13.DT**2) ** FIG13.EVERY
    np.testing.assert_allclose(areas("euler")[1:] / areas("euler")[:-1], growth)


def test_the_areas_that_fig13_prints_are_those_of_its_quadrilaterals():
    for axes, name in zip(FIG13.draw().axes, FIG13.COMPARED, strict=False):
        printed = [text.get_text().split("\n")[-1] for text in axes.texts]
        expected = areas(name) / areas(name)[0]
        assert printed == [f"area × {value:.2f}" for value in expected]


def test_areas_of_fig13_can_be_compared_by_eye_and_lie_within_its_panels():
    figure = FIG13.draw()
    figure.draw_without_rendering()
    left, right, _ = figure.axes
    assert left.get_xlim() == left.get_ylim() == right.get_xlim() == right.get_ylim()
    for axes in (left, right):
        frame = axes.get_window_extent()
        boxes = [one.get_window_extent() for one in (*axes.patches, *axes.texts)]
        for box in boxes:
            assert frame.x0 <= box.x0 and box.x1 <= frame.x1
            assert frame.y0 <= box.y0 and box.y1 <= frame.y1
        shown = [text.get_window_extent() for text in axes.texts]
        assert not any(a.overlaps(b) for a, b in combinations(shown, 2))
        volumes = [patch.get_window_extent() for patch in axes.patches]
        assert not any(a.overlaps(b) for a in shown for b in volumes)
    for axes in figure.axes:
        assert [*axes.get_xticks()] == [*axes.get_yticks()]


def test_the_quadrilaterals_are_carried_along_the_lines_of_equal_energy():
    radius = np.linalg.norm(FIG13.transported("leapfrog").mean(axis=1), axis=1)
    np.testing.assert_allclose(radius, radius[0], rtol=0.05)


def test_the_arrows_of_a_leapfrog_step_follow_each_other_to_its_end():
    axes = FIG13.draw().axes[2]
    arrows = [text for text in axes.texts if isinstance(text, Annotation)]
    heads = np.array([arrow.xy for arrow in arrows])
    tails = np.array([arrow.xyann for arrow in arrows])
    np.testing.assert_allclose(tails[0], FIG13.START)
    np.testing.assert_allclose(tails[1:], heads[:-1])
    half = FIG13.LONG_DT / 2  # on the oscillator the force is -q
    (q, p), kick = FIG13.START, tails[1, 1]
    np.testing.assert_allclose(tails[1], (q, p - half * q))
    np.testing.assert_allclose(heads[1], (q + FIG13.LONG_DT * kick, kick))
    np.testing.assert_allclose(heads[2], (heads[1, 0], kick - half * heads[1, 0]))


def test_fig13_names_the_equations_of_the_paper():
    shown = texts(FIG13.draw())
    assert shown.count("(Eq. 24)") == 2 and shown.count("(Eq. 25)") == 1
