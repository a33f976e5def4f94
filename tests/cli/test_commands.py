import os
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_models import FAMILIES, SIZE, family_of, random_videos, trained

import hgnpipe
from hgnpipe.cli.commands import main
from hgnpipe.data.simulation import simulate
from hgnpipe.data.videos import open_videos, render_videos, save_trajectories
from hgnpipe.data.windows import to_square
from hgnpipe.models import load_model, save_model
from hgnpipe.systems import build_system
from hgnpipe.training.batches import to_pixels


@pytest.fixture
def preset(tmp_path):
    """Results of a preset: test videos of a pendulum, and trained models."""
    system, data = build_system("pendulum"), tmp_path / "data/pendulum"
    data.mkdir(parents=True)
    save_trajectories(
        data / "t.h5", simulate(system, 3, 6, 0, "test"),
        name="pendulum", system=system, seed=0, split="test",
    )  # fmt: skip
    list(render_videos(data / "t.h5", data / "test_videos.h5", SIZE))
    for name, options in FAMILIES.items():
        folder = tmp_path / f"runs/pendulum/{name}/seed0"
        folder.mkdir(parents=True)
        save_model(
            trained(name), folder / "model.safetensors", family=family_of(name),
            options={"image_size": SIZE, **options}, provenance={"commit": "abc123"},
        )  # fmt: skip
    return tmp_path


def run_of(preset, name):
    return preset / f"runs/pendulum/{name}/seed0"


def call(*words):
    main([str(word) for word in words])


def test_a_rollout_is_what_the_model_predicts(preset, capsys):
    output = preset / "back.npz"
    model = run_of(preset, "hgn")
    call("rollout", model, "--speed", -2, "--steps", 7, "--number", 1, "-o", output)
    made = np.load(output)
    video = open_videos(preset / "data/pendulum/test_videos.h5").frames[1:2]
    frames = to_pixels(video, torch.device("cpu"))
    expected = load_model(model / "model.safetensors").predict(
        frames, speed=-2, num_steps=7
    )
    pixels = expected.frames[0].permute(0, 2, 3, 1).numpy() * 255
    np.testing.assert_allclose(made["frames"][0], pixels, atol=0.51)
    np.testing.assert_allclose(made["energy"], expected.energy[0].numpy())
    assert made["labels"].tolist() == ["rollout, speed -2"]
    assert capsys.readouterr().out == f"Made {output}.\n"


def test_a_forward_rollout_is_beside_what_was_observed(preset):
    call("rollout", run_of(preset, "pixelhnn"), "-o", preset / "1.npz")
    made = np.load(preset / "1.npz")
    assert made["labels"].tolist() == ["observed", "rollout, speed 1"]
    shown = open_videos(preset / "data/pendulum/test_videos.h5").frames[0]
    np.testing.assert_array_equal(made["frames"][0], shown)


def test_a_rollout_without_an_energy_says_none(preset):
    call("rollout", run_of(preset, "latent_ode"), "-o", preset / "1.npz")
    assert {"frames", "labels", "kl"} == {*np.load(preset / "1.npz")}


@pytest.mark.parametrize("kind", ["gif", "mp4", "html", "png", "pdf"])
def test_a_rollout_can_be_looked_at(preset, kind):
    model = run_of(preset, "hgn") / "model.safetensors"
    call("rollout", model, "--steps", 9, "-o", preset / f"1.{kind}")
    assert (preset / f"1.{kind}").stat().st_size > 500
    if kind == "gif":
        with Image.open(preset / "1.gif") as image:
            assert image.n_frames == 10


def test_samples_are_as_many_and_as_long_as_asked_for_and_by_seed(preset):
    files = [preset / f"{name}.npz" for name in "abc"]
    for output, seed in zip(files, (0, 0, 1), strict=True):
        call("sample", run_of(preset, "hgn"), "-n", 11, "--steps", 4, "--seed", seed,
             "-o", output)  # fmt: skip
    first, again, other = (np.load(path)["frames"] for path in files)
    assert first.shape == (11, 5, SIZE, SIZE, 3)
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    call("sample", run_of(preset, "hgn"), "-n", 11, "-o", preset / "s.png")


def test_models_are_compared_on_one_video(preset, capsys):
    np.save(preset / "mine.npy", random_videos()[2:3])
    models = [run_of(preset, name) for name in FAMILIES]
    call("compare", *models, preset / "mine.npy", "-o", preset / "c.npz")
    made = np.load(preset / "c.npz")
    assert made["labels"].tolist() == ["observed", *FAMILIES]
    error = np.square((made["frames"][1:] - made["frames"][:1] / 1.0) / 255)
    np.testing.assert_allclose(made["mse_x1e4"], error.mean(axis=(1, 2, 3, 4)) * 1e4)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [*FAMILIES, "Made"]
    assert f"{made['mse_x1e4'][0]:.2f}" in lines[0]


@pytest.mark.parametrize(
    ("copy", "labels"),
    [
        ("runs/pendulum/hgn/seed1", ["hgn 0", "hgn 1"]),
        ("runs/two_body/hgn/seed0", ["runs/", "runs/"]),
        ("elsewhere", ["runs/", "elsewhere"]),
    ],
)
def test_two_models_of_one_name_are_told_apart(preset, monkeypatch, copy, labels):
    monkeypatch.chdir(preset)
    model = run_of(preset, "hgn").relative_to(preset)
    shutil.copytree(model, copy)
    call("compare", model, copy, "data/pendulum/test_videos.h5", "-o", "c.npz")
    _, *made = np.load("c.npz")["labels"].tolist()
    assert len({*made}) == 2
    for label, beginning in zip(made, labels, strict=True):
        assert label.startswith(beginning)


def test_a_model_that_is_named_twice_is_shown_once(preset):
    model = run_of(preset, "hgn")
    videos = preset / "data/pendulum/test_videos.h5"
    call("compare", model, model / "model.safetensors", videos, "-o", preset / "c.npz")
    assert np.load(preset / "c.npz")["labels"].tolist() == ["observed", "hgn"]


def test_a_video_of_ones_own_is_cropped_and_resized_for_the_model(preset):
    frames = np.repeat(random_videos()[:1].repeat(2, axis=2), 4, axis=3)  # (16, 32)
    np.save(preset / "wide.npy", frames)
    call("rollout", run_of(preset, "hgn"), preset / "wide.npy", "-o", preset / "1.npz")
    observed = np.load(preset / "1.npz")["frames"][0]
    np.testing.assert_array_equal(observed, to_square(frames[0], SIZE))


def test_info_says_options_origin_and_measures(preset, capsys):
    folder = run_of(preset, "hgn")
    call("info", folder)
    text = capsys.readouterr().out
    for words in ("family: hgn", "num_filters: 4", "commit: abc123", "none beside"):
        assert words in text
    (folder / "errors.csv").write_text("split,mse\ntest,0.0002\ntest,0.0004\n")
    (folder / "dynamics.csv").write_text("measure,value\nsymetric,0.75\nother,1\n")
    call("info", folder)
    text = capsys.readouterr().out
    assert "test videos: 3\n" in text and "SyMetric: 0.75" in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["rollout", "hgn", "-o", "x.avi"], ".avi.*must be .gif"),
        (["rollout", "hgn", "--number", "3"], "number of the video is 3.*0 to 2"),
        (["rollout", "nothing"], "nothing.* does not exist"),
        (["rollout", "hgn", "clip.avi"], "clip.avi does not exist"),
        (["rollout", "hgn", "flat.npy"], r"shape \(4, 8, 8, 3\)"),
        (["rollout", "hgn", "float.npy"], "float64 from 2 to 2"),
        (["rollout", "hgn", "mine.npy", "--number", "-1"], "video is -1.*0 to 0"),
        (["rollout", "hgn", "words.npy"], "words.npy"),
        (["rollout", "hgn", "short.npy"], "at least 4 frames"),
        (["sample", "hgn", "-n", "0"], "number of samples is 0.*1 or more"),
        (["sample", "pixelhnn"], "PixelHNN has no prior"),
        (["sample", "deterministic"], "no prior"),
        (["watch", "."], "no logs of trainings"),
    ],
)
def test_what_a_user_can_mend_ends_in_one_line_and_nothing_is_written(
    preset, monkeypatch, words, message
):
    monkeypatch.chdir(preset)
    np.save("flat.npy", np.zeros((4, 8, 8, 3), np.uint8))
    np.save("float.npy", np.full((1, 4, 8, 8, 3), 2.0))
    np.save("short.npy", np.zeros((1, 2, 8, 8, 3), np.uint8))
    np.save("mine.npy", np.zeros((1, 4, 8, 8, 3), np.uint8))
    (preset / "words.npy").write_text("no numbers")
    before = sorted(preset.iterdir())
    words = [str(run_of(preset, w)) if w in FAMILIES else w for w in words]
    with pytest.raises(SystemExit, match=f"^Error: .*{message}") as ended:
        main(words)
    assert "\n" not in str(ended.value) and sorted(preset.iterdir()) == before


def test_watch_shows_every_training_by_its_last_line(tmp_path, capsys):
    logs = tmp_path / "logs/train"
    logs.mkdir(parents=True)
    line = (
        "train two_body/hgn  {}% |##  | {}/950 [01:42<02:20,  3.9it/s], loss={}, mse=1"
    )
    (logs / "a.log").write_text(
        line.format("42", 400, 0.5) + "\r" + line.format("50", 475, 0.25) + "\n"
    )
    (logs / "b.log").write_text(line.format("100", 950, 0.125) + "\n")
    (logs / "c.log").write_text(line.format("1", 9, 2) + "\nError: no memory\n")
    (logs / "d.log").write_text("")
    # A line in ten minutes: silent for nine, it is still at work.
    slow = line.format("1", 9, 2).replace("01:42", "10:00") + "\r"
    slow += line.format("2", 18, 2).replace("01:42", "20:00") + "\n"
    for name, minutes in {"e": 9, "f": 31}.items():
        (logs / f"{name}.log").write_text(slow)
        moment = time.time() - 60 * minutes
        os.utime(logs / f"{name}.log", (moment, moment))
    call("watch", tmp_path)
    shown = capsys.readouterr().out.splitlines()[1:]
    rows = {row.split()[0]: row for row in shown}
    for words in ("475/950", "3.9it/s", "02:20", "0.25", "running"):
        assert words in rows["a"]
    assert rows["b"].endswith("finished") and rows["c"].endswith("Error: no memory")
    assert rows["d"].split() == ["d", "begun"]
    assert rows["e"].endswith("running") and rows["f"].endswith("stopped")


def test_the_command_answers_and_says_all_commands():
    made = subprocess.run(
        [sys.executable, "-m", "hgnpipe", "--help"], capture_output=True, text=True
    )
    for name in (
        "rollout", "sample", "compare", "info", "watch", "tensorboard", "new",
    ):  # fmt: skip
        assert f"    {name}" in made.stdout


def test_the_package_has_what_one_needs_most_and_imports_nothing_else():
    code = "import sys, hgnpipe; print({'torch', 'numpy'} & {*sys.modules})"
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert made.stdout.strip() == "set()"
    for name in hgnpipe.__all__:
        assert callable(getattr(hgnpipe, name)) and name in dir(hgnpipe)
    with pytest.raises(AttributeError, match="train"):
        hgnpipe.train  # noqa: B018


def test_a_clip_shows_itself_in_a_notebook():
    made = hgnpipe.predict(trained("hgn"), random_videos()[0])
    assert made._repr_html_().startswith("<video")
    assert "base64,AAAA" in made._repr_html_()
