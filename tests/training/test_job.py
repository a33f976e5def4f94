import json

import pandas as pd
import pytest
import torch
from tiny_models import random_videos, trained

from hgnpipe.models import save_model
from hgnpipe.runtime.interruption import Interrupted
from hgnpipe.training import job as module
from hgnpipe.training.batches import VideoBatches
from hgnpipe.training.job import TrainingJob
from hgnpipe.training.options import TrainingOptions

NUM = 6
FILES = {"model.safetensors", "history.csv", "run.json"}


def train(folder, probe):
    made = TrainingJob(
        folder / "model.safetensors", folder / "checkpoint", 0, torch.device("cpu"), 1,
        "fp32", "code",
    )  # fmt: skip
    options = TrainingOptions(
        num_iterations=NUM, batch_size=2, learning_rate=1e-3, log_every=1,
        checkpoint_every=1,
    )  # fmt: skip
    made.train(
        trained("hgn"), VideoBatches(random_videos()), options, family="hgn",
        options={}, origin={}, save=save_model, probe=probe,
    )  # fmt: skip
    return pd.read_csv(made.history)


def test_the_history_grows_while_it_trains(tmp_path):
    seen = []

    def probe():
        path = tmp_path / "checkpoint.csv"
        seen.append(len(pd.read_csv(path)) if path.exists() else 0)
        return {}

    assert len(train(tmp_path, probe)) == NUM
    assert seen == list(range(NUM))
    assert {path.name for path in tmp_path.iterdir()} == FILES


def test_a_training_that_goes_on_keeps_the_rows_of_before(tmp_path, monkeypatch):
    requests = []
    monkeypatch.setattr(module, "requests_noted", lambda: Noted(requests))
    rows = []

    def stop():
        rows.append(1)
        if len(rows) == 3:
            requests.append("SIGTERM")
        return {}

    with pytest.raises(Interrupted):
        train(tmp_path, stop)
    assert not (tmp_path / "history.csv").exists()
    before = pd.read_csv(tmp_path / "checkpoint.csv")
    assert len(before) == 3
    requests.clear()
    lengths = []

    def look():
        lengths.append(len(pd.read_csv(tmp_path / "checkpoint.csv")))
        return {}

    history = train(tmp_path, look)
    assert lengths == [3, 4, 5]
    pd.testing.assert_frame_equal(history[:3], before)
    assert json.loads((tmp_path / "run.json").read_text())["resumed_at"] == 3


class Noted:
    """Stands for the signals of a process."""

    def __init__(self, requests):
        self.requests = requests

    def __enter__(self):
        return self.requests

    def __exit__(self, *_):
        pass
