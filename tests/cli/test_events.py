"""What is in TensorBoard's event files: read back, record by record."""

import io
import struct
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tensorboardX.proto.event_pb2 import Event
from tiny_models import FAMILIES, SIZE, random_videos, trained

from hgnpipe.cli.commands import main
from hgnpipe.data.simulation import simulate
from hgnpipe.data.videos import render_videos, save_trajectories
from hgnpipe.models import save_model
from hgnpipe.runtime.interruption import Interrupted
from hgnpipe.systems import build_system
from hgnpipe.training.batches import VideoBatches
from hgnpipe.training.loop import fit
from hgnpipe.training.options import TrainingOptions

NAME = "pendulum/mine/seed0"
HOW = TrainingOptions(
    num_iterations=6, batch_size=2, learning_rate=1e-3, warm_up=10, log_every=2,
    checkpoint_every=2,
)  # fmt: skip


def events_in(folder):
    """All events of a training, in the order in which they were written."""
    found = []
    for path in sorted(folder.glob("events.out.*")):
        data = io.BytesIO(path.read_bytes())
        while head := data.read(12):
            (length,) = struct.unpack("<Q", head[:8])
            found.append(Event.FromString(data.read(length)))
            data.read(4)
    return found


def values_in(folder):
    """Values by tag and step; every one is there once."""
    found = {}
    for event in events_in(folder):
        for value in event.summary.value:
            key = value.tag, event.step
            assert key not in found
            found[key] = value
    return found


@pytest.fixture
def preset(tmp_path):
    """Results with test videos, and nothing trained."""
    system, data = build_system("pendulum"), tmp_path / "data/pendulum"
    data.mkdir(parents=True)
    save_trajectories(
        data / "t.h5", simulate(system, 2, 6, 0, "test"),
        name="pendulum", system=system, seed=0, split="test",
    )  # fmt: skip
    list(render_videos(data / "t.h5", data / "test_videos.h5", SIZE))
    return tmp_path


@pytest.fixture
def train(preset):
    """Train as a job does until some iteration; the curve so far."""
    beside = preset / f"checkpoints/{NAME}"

    def run(until, seed=0):
        rows = []

        def write(_, row):
            rows.append(row)
            beside.parent.mkdir(parents=True, exist_ok=True)
            pd.DataFrame(rows).to_csv(beside.with_suffix(".csv"), index=False)

        model = trained("hgn")
        try:
            fit(
                model, VideoBatches(random_videos(seed)), HOW, seed=seed,
                checkpoint=beside.with_suffix(".safetensors"), report=write,
                identity={"family": "hgn",
                          "model": {"image_size": SIZE, **FAMILIES["hgn"]}},
                resumed=lambda done, before: rows.extend(before),
                leave=lambda: bool(rows) and rows[-1]["iteration"] >= until,
            )  # fmt: skip
        except Interrupted:
            return rows
        folder = preset / "runs" / NAME
        folder.mkdir(parents=True)
        options = {"image_size": SIZE, **FAMILIES["hgn"]}
        save_model(model, folder / "model.safetensors", family="hgn", options=options)
        beside.with_suffix(".csv").rename(folder / "history.csv")
        beside.with_suffix(".safetensors").unlink()
        return rows

    return run


def call(*words):
    main(["tensorboard", *map(str, words)])


def test_a_running_training_has_its_losses_learning_rate_and_a_film_strip(
    preset, train, capsys
):
    rows = train(4)
    call(preset)
    assert "2 new rows, 1 new film strips" in capsys.readouterr().out
    found = values_in(preset / "tensorboard" / NAME)
    for row in rows:
        step = row["iteration"]
        for name in ("loss", "mse", "kl", "multiplier", "grad_norm"):
            assert found[name, step].simple_value == pytest.approx(row[name], rel=1e-6)
        rate = found["learning_rate", step].simple_value
        assert rate == pytest.approx(HOW.learning_rate_at(step - 1), rel=1e-6)
    strip = Image.open(io.BytesIO(found["rollout", 4].image.encoded_image_string))
    assert strip.width > 1000 and np.asarray(strip).std() > 0
    assert not [step for tag, step in found if step not in (2, 4)]


def test_nothing_is_written_twice_and_what_is_new_is_added(preset, train, capsys):
    output = preset / "elsewhere"
    train(2)
    call(preset, "-o", output)
    call(preset, "-o", output)
    assert "0 new rows, 0 new film strips" in capsys.readouterr().out
    train(6)  # it goes on from its checkpoint, and ends
    for _ in range(2):
        call(preset, "-o", output)
    found = values_in(output / NAME)
    assert sorted(step for tag, step in found if tag == "loss") == [2, 4, 6]
    assert sorted(step for tag, step in found if tag == "rollout") == [2, 6]
    # The rate of a training that has ended is known from when it ran.
    assert ("learning_rate", 6) in found


def test_another_training_of_the_same_name_replaces_the_one_before(preset, train):
    train(4)
    call(preset)
    train(2, seed=1)
    call(preset)
    events = events_in(preset / "tensorboard" / NAME)
    (again,) = [n for n, e in enumerate(events) if e.session_log.status == 1 and n > 9]
    assert events[again].step == 1  # TensorBoard drops what was there from here on
    after = [e.step for e in events[again:] for v in e.summary.value if v.tag == "loss"]
    assert after == [2]


def test_flows_have_curves_and_no_films(preset):
    folder = preset / "flows/two_moons/nhf/seed1"
    folder.mkdir(parents=True)
    rows = "iteration,loss,validation\n5,2.5,N/A\n10,1.5,3.5\n"
    (folder / "history.csv").write_text(rows)
    call(preset)
    found = values_in(preset / "tensorboard/flows/two_moons/nhf/seed1")
    assert {key: value.simple_value for key, value in found.items()} == {
        ("loss", 5): 2.5, ("loss", 10): 1.5, ("validation", 10): 3.5,
    }  # fmt: skip


def test_without_the_package_one_line_says_what_to_install(preset, train, monkeypatch):
    train(2)
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(SystemExit, match=r"pip install -e \.\[tensorboard\]") as ended:
        call(preset)
    assert "\n" not in str(ended.value) and not (preset / "tensorboard").exists()


def test_a_folder_without_trainings_is_told(preset):
    with pytest.raises(SystemExit, match="has no trainings; it must be"):
        call(preset)
