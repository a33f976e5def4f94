"""Videos that were made elsewhere, from files to tables and figures."""

import json

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from command_lines import load, script
from tfrecords import write_suite

from hgnpipe.data.observed import load_clips
from hgnpipe.data.videos import open_videos
from hgnpipe.evaluation.kept import load_errors, load_films
from hgnpipe.models import build_model, save_model
from hgnpipe.reporting.table1 import layout1, read_errors, read_published, table1

SIZE, LENGTH, SHOWN = 8, 14, 4
EVALUATION = {
    "num_extended": 5, "horizons": [2, 4, 50], "symetric_repeats": 2, "batch_size": 4,
}  # fmt: skip
LABELS = {"mine": "My HGN", "mean_image": "mean image", "noise_floor": "noise floor"}
LABELS |= {"true_video": "true video"}
SPLITS = ("train", "test")


def films_of_waves(num):
    """Waves that run over the picture, and where they are: (q, p)."""
    rng = np.random.default_rng(num)
    phase = rng.uniform(0, 6, (num, 1)) + 0.4 * np.arange(LENGTH)
    size = rng.uniform(0.4, 1, (num, 1))
    x = np.linspace(0, 3, SIZE)
    wave = size[..., None] * np.sin(x + phase[..., None])
    shape = (num, LENGTH, SIZE, SIZE, 3)
    frames = np.broadcast_to((127 + 100 * wave)[:, :, None, :, None], shape)
    states = np.stack([size * np.sin(phase), size * np.cos(phase)], axis=2)
    return frames.astype(np.uint8), states


def files_of(kind, folder):
    """Options of a system of this kind, and the files that they name."""
    if kind == "videos":
        np.save(folder / "waves.npy", films_of_waves(14)[0])
        return {"train": str(folder / "waves.npy"), "test": 0.5}
    parts = {
        split: films_of_waves(num) for split, num in zip(SPLITS, (6, 7), strict=True)
    }
    frames, states = ({k: v[n] for k, v in parts.items()} for n in (0, 1))
    write_suite(folder / "suite", frames, states)
    return {"folder": str(folder / "suite")}


@pytest.fixture(scope="module", params=["videos", "dm_suite"])
def made(request, tmp_path_factory):
    """Kind, and a folder with what all stages make of a system of it but a training."""
    kind, folder = request.param, tmp_path_factory.mktemp("observed") / "waves"
    folder.mkdir()
    options = files_of(kind, folder)
    usual = {"kind": kind, "options": options, "image_size": SIZE, "seed": 0}
    videos = {split: folder / f"{split}_videos.h5" for split in SPLITS}
    for split, path in videos.items():
        script("import_videos")(
            **usual, num=9, num_frames=SHOWN, example=1, split=split, output=path
        )
    clips, place = folder / "test_clips.h5", folder / "mine" / "seed0"
    script("import_clips")(
        **usual,
        num_frames=SHOWN,
        num_before=3,
        output=clips,
        horizons=EVALUATION["horizons"],
        num=EVALUATION["num_extended"],
    )
    place.mkdir(parents=True)
    options = {"num_frames": SHOWN, "image_size": SIZE, "num_filters": 4}
    options |= {"latent_channels": 2}
    model = build_model("hgn", **options)
    save_model(model, place / "model.safetensors", family="hgn", options=options)
    run = {"model_path": place / "model.safetensors", "device": "cpu"}
    both = [*videos.values()]
    files = {"table": "errors.csv", "errors": "errors.h5"}
    script("evaluate_observed")(
        **run, videos=both, num_trajectories=6, batch_size=4,
        **{key: place / file for key, file in files.items()},
    )  # fmt: skip
    script("evaluate_observed_references")(
        videos=both, num_trajectories=6,
        **{k: folder / file.replace("errors", "waves") for k, file in files.items()},
    )  # fmt: skip
    known = {"train_videos": videos["train"], "clips": clips, "evaluation": EVALUATION}
    script("measure_observed")(
        **run, **known, videos=videos["test"], output=place / "dynamics.csv"
    )
    script("measure_observed_references")(**known, output=folder / "dynamics.csv")
    script("make_observed_films")(
        **run, videos=both, example=1, num_samples=2, output=place / "films.h5"
    )
    return kind, folder


@pytest.fixture
def folder(made):
    return made[1]


def test_splits_have_windows_of_the_size_that_is_asked_for(folder):
    for split in SPLITS:
        videos = open_videos(folder / f"{split}_videos.h5")
        assert videos.frames.shape == (9, SHOWN, SIZE, SIZE, 3)
        assert videos.attributes["split"] == split


def test_clips_are_as_long_as_all_videos_allow(made):
    kind, folder = made
    clips = load_clips(folder / "test_clips.h5")
    assert clips.frames.shape[:2] == (5, 3 + SHOWN + 4) and clips.start == 3
    assert clips.q.shape[2] == (1 if kind == "dm_suite" else 0)


def test_an_example_that_is_not_there_is_refused_before_any_training(made, tmp_path):
    kind, folder = made
    options = {"videos": {"train": str(folder / "waves.npy"), "test": 0.5}}
    options["dm_suite"] = {"folder": str(folder / "suite")}
    with pytest.raises(
        ValueError, match=r"systems.mine \(test\): evaluation.example is 99"
    ):
        script("import_videos")(
            kind=kind, options=options[kind], num=5, num_frames=SHOWN, image_size=SIZE,
            example=99, seed=0, split="test", output=tmp_path / "mine" / "a.h5",
        )  # fmt: skip


def test_errors_are_against_what_was_observed_and_of_nothing_clean(folder):
    table = pd.read_csv(folder / "mine/seed0/errors.csv")
    assert table.groupby("split").size().to_dict() == {"train": 6, "test": 6}
    assert np.isfinite(table.mse).all() and table.mse_clean.isna().all()
    errors = load_errors(folder / "mine/seed0/errors.h5")["test"]
    assert np.isnan(errors.mse_clean).all() and (errors.moved_true > 0).all()
    references = load_errors(folder / "waves.h5")
    assert {*references} == {"mean_image train", "mean_image test"}
    frames = open_videos(folder / "train_videos.h5").frames / 255
    expected = np.square(frames[:6] - frames.mean((0, 1))).mean((2, 3, 4))
    found = references["mean_image train"].mse
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_measures_are_those_that_need_no_more_truth_than_there_is(made):
    kind, folder = made
    measures = pd.read_csv(folder / "mine/seed0/dynamics.csv").set_index("measure")
    there = {"mse_window_x1e4", "mse_beyond_2_x1e4", "mse_beyond_4_x1e4"}
    there |= {"mse_before_3_x1e4", "skilful_steps", "reversibility_error"}
    there |= {"energy_drift", "energy_drift_beyond", "sample_nearest_x1e4"}
    there |= {"sample_diversity", "sample_motion"}
    names = {*measures.index}
    assert there <= names and np.isfinite(measures.value[[*there]]).all()
    absent = {"mse_beyond_50_x1e4", "energy_r2_linear", "sample_energy_distance"}
    assert not absent & names
    assert ("symetric" in names) == (kind == "dm_suite")
    mean_image = pd.read_csv(folder / "dynamics.csv").set_index("measure")
    assert {*mean_image.index} < names
    assert mean_image.value["skill_window"] == pytest.approx(0, abs=1e-6)


def test_films_have_no_past(folder):
    films, samples = load_films(folder / "mine/seed0/films.h5")
    assert len(samples) == 2 and {*films} == {*SPLITS}
    for split, film in films.items():
        videos = open_videos(folder / f"{split}_videos.h5").frames
        np.testing.assert_array_equal(film.observed, videos[1])
        assert film.past.shape == (0, SIZE, SIZE, 3) and len(film.backward) == SHOWN


@pytest.fixture
def beside_simulated(folder):
    """Table 1 of the system and of a simulated one."""
    errors = read_errors([folder / "mine/seed0/errors.csv", folder / "waves.csv"])
    other = errors.assign(system="spring", mse_clean=errors.mse)
    floor = other[other.model == "mean_image"]
    others = [
        floor.assign(model=name, mse=floor.mse / 10)
        for name in ("noise_floor", "true_video")
    ]
    found = pd.concat([errors, other, *others], ignore_index=True)
    published = read_published("workflow/resources/published_table1.csv")
    return table1(found, published, LABELS, ["waves", "spring"])


def test_table_1_says_what_nobody_knows(beside_simulated):
    rows = beside_simulated.set_index(["system", "model"])
    assert rows.loc["waves", "skill"].isna().all()
    assert rows.loc["waves", "mse_clean_x1e4"].isna().all()
    assert rows.loc["spring", "skill"].notna().all()
    page = layout1(beside_simulated, ["waves", "spring"])
    for name in ("noise floor", "true video"):
        assert page.loc[name, "waves"].to_list() == ["N/A", "N/A"]
        assert page.loc[name, "spring"].str.contains("clean").all()
    assert [*page.index] == [*LABELS.values()]
    assert not page.loc["My HGN", "waves"].str.contains("skill|nan").any()


def test_tables_of_such_a_system_alone_name_it(folder, tmp_path):
    runs, usual = folder / "mine/seed0", {"labels": LABELS, "preset": "own"}
    usual["systems"] = ["waves"]
    published = "workflow/resources/published_table{}.csv"
    script("table1")(
        **usual, errors=[runs / "errors.csv", folder / "waves.csv"],
        published=published.format(1), output=[tmp_path / "table1.md"],
    )  # fmt: skip
    script("table2")(
        **usual, errors=[runs / "errors.h5"], example=1,
        published=published.format(2), output=[tmp_path / "table2.md"],
    )  # fmt: skip
    script("dynamics")(
        **usual, measures=[runs / "dynamics.csv", folder / "dynamics.csv"],
        output=[tmp_path / "dynamics.md"],
    )  # fmt: skip
    words = (tmp_path / "table1.md").read_text("utf-8")
    assert "N/A: of the videos of waves" in words and "| noise floor" not in words
    assert (
        "Videos of waves were not made here" in (tmp_path / "dynamics.md").read_text()
    )
    assert "| My HGN" in (tmp_path / "table2.md").read_text()


@pytest.fixture
def figure_of(folder, tmp_path, monkeypatch):
    """The figure that a script makes of the system."""

    def call(name, **options):
        module, seen = load(name), []
        monkeypatch.setattr(module, "save_figure", lambda one, _: seen.append(one))
        monkeypatch.setattr(module, "save_animation", lambda *_: None, raising=False)
        module.main(labels=LABELS, **options)
        (figure,) = seen
        return figure

    return call


def words_in(figure):
    return " ".join(text.get_text() for text in figure.findobj(plt.Text))


def test_figures_leave_out_what_nobody_knows(folder, figure_of, tmp_path):
    runs = folder / "mine/seed0"
    drawn = figure_of(
        "fig06_mse_per_frame", errors=[runs / "errors.h5"], example=1,
        references=[folder / "waves.h5"], families={"mine": "hgn"}, output=[],
    )  # fmt: skip
    words = words_in(drawn)
    assert "mean image" in words and "noise floor" not in words
    drawn = figure_of(
        "fig07_rollouts", films=[runs / "films.h5"], system="waves", models=["mine"],
        errors=[runs / "errors.csv", folder / "waves.csv"], baselines=["hnn"],
        figure=[], animation=[],
    )  # fmt: skip
    words = words_in(drawn)
    assert "MSE / mean image" in words and "skill" not in words
    assert "backward" in words and "true past" not in words
    history = runs / "history.csv"
    history.write_text("iteration,mse\n10,0.01\n20,0.005\n")
    drawn = figure_of(
        "fig11_convergence", history=[history], references=[folder / "waves.csv"],
        model="mine", output=[],
    )  # fmt: skip
    history.unlink()
    assert "mean image" in words_in(drawn) and "noise floor" not in words_in(drawn)


@pytest.mark.parametrize(("factor", "words"), [(0.96, "like the mean"), (0.9, "")])
def test_figure_6_compares_with_the_mean_image_where_there_is_no_floor(
    folder, factor, words
):
    references = load_errors(folder / "waves.h5")
    mine = {
        split: references[f"mean_image {split}"]._replace(
            mse=factor * references[f"mean_image {split}"].mse
        )
        for split in SPLITS
    }
    found = {"references": references, "mine": mine}
    said = load("fig06_mse_per_frame").remark(found, "mine")
    assert said.startswith(words) and bool(said) == bool(words)


def test_options_in_the_file_say_how_many_coordinates_move(made):
    kind, folder = made
    attributes = open_videos(folder / "train_videos.h5").attributes
    num = json.loads(attributes["options"])["num_coordinates"]
    assert num == (1 if kind == "dm_suite" else 2) and attributes["system"] == kind
