import importlib.util
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.text import Annotation

from hgnpipe.data import (
    Simulated,
    Videos,
    load_trajectories,
    render_videos,
    save_trajectories,
)
from hgnpipe.plotting import columns_width, figure_style, log_scale, system_label
from hgnpipe.scores import Scores, save_scores
from hgnpipe.simulation import simulate
from hgnpipe.systems import SYSTEMS, System, build_system

FOLDER = Path(__file__).parents[1] / "workflow" / "scripts"
NAMES = ["pendulum", "two_body"]
LABELS = {
    "mine": "My HGN", "other": "Other HGN", "hnn": "HNN", "mean_image": "mean image",
}  # fmt: skip
FAMILIES = {"mine": "hgn", "other": "hgn", "hnn": "pixelhnn"}
NUM, NUM_FRAMES = 3, 5


def script(name):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FIG05, FIG06, FIG11, FIG13 = (
    script(name)
    for name in (
        "fig05_systems", "fig06_mse_per_frame", "fig11_convergence",
        "fig13_integrators",
    )
)  # fmt: skip


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
    return Scores(mse, mse / 2, np.zeros_like(mse), np.zeros(NUM, np.float32))


def random_scores(seed):
    mse = np.random.default_rng(seed).uniform(5e-4, 6e-4, (NUM, NUM_FRAMES))
    return {"train": scores(mse), "test": scores(mse[::-1])}


def references(seed=7):
    floor = np.random.default_rng(seed).uniform(1e-4, 2e-4, (NUM, NUM_FRAMES))
    mean_image = np.random.default_rng(seed + 1).uniform(2e-3, 3e-3, floor.shape)
    return {
        f"{name} {split}": scores(mse)
        for split in ("train", "test")
        for name, mse in (("mean_image", mean_image), ("noise_floor", floor))
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


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Scores, histories and references of made-up runs, where the rules put them."""
    folder = tmp_path_factory.mktemp("results")
    rng = np.random.default_rng(0)
    for name in NAMES:
        for number, model in enumerate(FAMILIES):
            for seed in (0, 1):
                run = folder / "runs" / name / model / f"seed{seed}"
                run.mkdir(parents=True)
                save_scores(run / "rollouts.h5", random_scores(number))
                course = {"iteration": [10, 20, 30], "mse": rng.uniform(1, 2, 3) / 1e3}
                pd.DataFrame(course).to_csv(run / "history.csv", index=False)
        (folder / "references").mkdir(exist_ok=True)
        save_scores(folder / "references" / f"{name}.h5", references())
        rows = [
            {"system": name, "model": model, "seed": 0, "split": split,
             "trajectory": 0, "mse": mse, "mse_clean": mse, "kl": 0.0}
            for model, mse in (("mean_image", 3e-3), ("noise_floor", 1e-4))
            for split in ("train", "test")
        ]  # fmt: skip
        pd.DataFrame(rows).to_csv(folder / "references" / f"{name}.csv", index=False)
    return folder


@pytest.fixture
def arguments(data, results):
    """What the rules would give to each script, but for the output."""
    run = "runs/*/mine/*"
    return {
        FIG05: {
            "trajectories": [data / n / "train_trajectories.h5" for n in NAMES],
            "videos": [data / n / "train_videos.h5" for n in NAMES], "example": 0,
        },
        FIG06: {
            "rollouts": sorted(results.glob("runs/*/*/seed0/rollouts.h5")),
            "references": [results / "references" / f"{n}.h5" for n in NAMES],
            "families": FAMILIES, "labels": LABELS, "example": 0,
        },
        FIG11: {
            "history": sorted(results.glob(f"{run}/history.csv")),
            "references": [results / "references" / f"{n}.csv" for n in NAMES],
            "model": "mine", "labels": LABELS,
        },
        FIG13: {},
    }  # fmt: skip


@pytest.mark.parametrize("module", [FIG05, FIG06, FIG11, FIG13])
def test_a_figure_is_a_page_and_a_picture_that_is_not_blank(
    module, arguments, tmp_path
):
    module.main(
        **arguments[module], output=[tmp_path / "a" / "1.pdf", tmp_path / "1.png"]
    )
    assert (tmp_path / "a" / "1.pdf").read_bytes().startswith(b"%PDF")
    picture = plt.imread(tmp_path / "1.png")
    assert min(picture.shape[:2]) > 300 and picture[..., :3].std() > 0.02
    assert len(list(tmp_path.rglob("*.*"))) == 2


@pytest.mark.parametrize("module", [FIG05, FIG06, FIG11, FIG13])
def test_a_figure_repeated_has_the_same_bytes(module, arguments, tmp_path):
    for name in "ab":
        output = [tmp_path / f"{name}.pdf", tmp_path / f"{name}.png"]
        module.main(**arguments[module], output=output)
    for kind in ("pdf", "png"):
        one, two = ((tmp_path / f"{name}.{kind}").read_bytes() for name in "ab")
        assert one == two


@pytest.mark.parametrize("module", [FIG05, FIG06])
@pytest.mark.parametrize("example", [-1, NUM])
def test_an_example_that_is_not_there_is_refused(module, example, arguments, tmp_path):
    options = {**arguments[module], "example": example, "output": [tmp_path / "a.png"]}
    with pytest.raises(ValueError, match=f"example is {example}; it must be less than"):
        module.main(**options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("module", "key"), [(FIG06, "rollouts"), (FIG11, "history")])
def test_a_run_on_a_system_without_references_is_refused(
    module, key, arguments, tmp_path
):
    options = {**arguments[module], "output": [tmp_path / "a.png"]}
    options["references"] = options["references"][:1]
    with pytest.raises(ValueError, match="Unknown system 'two_body'"):
        module.main(**options)


def test_systems_are_called_as_in_the_paper():
    assert [system_label(name) for name in SYSTEMS] == [
        "mass-spring", "pendulum", "two-body", "three-body",
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


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_paths_on_the_energy_are_the_trajectories(name):
    simulated, videos = made(build_system(name))
    figure = FIG05.draw({name: (simulated, videos)}, 1)
    q, p = simulated.trajectories.q, simulated.trajectories.p
    if q.shape[-1] == 1:
        expected = [np.stack([q[n, :, 0], p[n, :, 0]]) for n in range(len(q))]
    else:
        expected = [path.T for path in simulated.system.bodies(q[1]).swapaxes(0, 1)]
    lines = [one.get_data() for one in figure.axes[0].get_lines()]
    paths = [line for line in lines if len(line[0]) == NUM_FRAMES]
    np.testing.assert_array_equal(paths, expected)


@pytest.mark.parametrize("name", SYSTEMS)
def test_frames_are_shown_with_their_times(name):
    system = build_system(name)
    shown = texts(FIG05.draw({name: made(system)}, 0))
    for frame in range(NUM_FRAMES):
        assert f"$t={frame * system.frame_dt:.3g}$" in shown


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_colours_of_an_energy_say_how_large_it_is(name):
    shown = texts(FIG05.draw({name: made(build_system(name))}, 0))
    assert "energy $H$" in shown


def test_only_an_energy_with_a_pole_is_clipped():
    ends = {}
    for name in SYSTEMS:
        figure = FIG05.draw({name: made(build_system(name))}, 0)
        (filled,) = (c for c in figure.axes[0].collections if hasattr(c, "levels"))
        ends[name] = filled.extend
    assert ends == {
        "mass_spring": "neither", "pendulum": "neither",
        "two_body": "min", "three_body": "min",
    }  # fmt: skip


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


def test_lines_of_fig06_are_the_errors_of_the_example():
    mine, hnn = random_scores(0), random_scores(1)
    every = {"pendulum": found(mine=mine, other=mine, hnn=hnn)}
    figure = FIG06.draw(every, FAMILIES, LABELS, 2)
    hgn_panels, hnn_panels = panels06(figure)
    for row, split in enumerate(("train", "test")):
        drawn = line(hgn_panels[row, 0], "mine")
        np.testing.assert_allclose(drawn, 1e4 * mine[split].mse[2], rtol=1e-6)
        drawn = line(hnn_panels[row, 0], "hnn")
        np.testing.assert_allclose(drawn, 1e4 * hnn[split].mse[2], rtol=1e-6)


def test_the_mean_image_is_of_the_example_and_the_floor_of_all_trajectories():
    every = {"pendulum": found(mine=random_scores(0))}
    axes = panels06(FIG06.draw(every, FAMILIES, LABELS, 1))[0][0, 0]
    mean_image, floor = (references()[f"{n} train"].mse for n in FIG06.REFERENCES)
    drawn = line(axes, "mean_image")
    np.testing.assert_allclose(drawn, 1e4 * mean_image[1], rtol=1e-6)
    drawn = line(axes, "noise_floor")
    np.testing.assert_allclose(drawn, 1e4 * floor.mean(axis=0), rtol=1e-6)


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
        assert printed == [f"{value:.2f}" for value in expected]


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
