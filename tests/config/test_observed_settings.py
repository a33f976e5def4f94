"""What rules ask of systems of which there are only videos."""

import copy
import json

import numpy as np
import pytest
import yaml
from good_config import GOOD
from test_settings import job

from hgnpipe.config.checks import check_config
from hgnpipe.config.contents import Contents
from hgnpipe.config.observed_settings import ObservedSettings
from hgnpipe.config.results import Results


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Films, in the folder in which Snakemake would work."""
    monkeypatch.chdir(tmp_path)
    for name in ("films/b.mp4", "films/a.mp4", "films/.hidden", "films/c/1.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).touch()
    np.save("test.npy", np.zeros((2, 3, 8, 8), np.uint8))
    return tmp_path


@pytest.fixture
def checked(tmp_path):
    def check(systems=("spring", "mine"), changes=None, **options):
        config = copy.deepcopy(yaml.safe_load(GOOD))
        block = {"kind": "videos", "train": "films", **options}
        config["systems"]["mine"] = block
        config["presets"]["tiny"]["systems"] = list(systems)
        config["presets"]["tiny"].update(changes or {})
        return check_config(config, tmp_path / "checked", code="code")

    return check


def test_all_files_of_a_folder_are_inputs_and_hidden_ones_are_not(files, checked):
    observed = ObservedSettings(checked())
    everything = ["films/a.mp4", "films/b.mp4", "films/c/1.png"]
    for split in ("train", "test", "long"):
        assert observed.files(job("tiny", system="mine", split=split)) == everything
    assert observed.files(job("tiny", system="mine")) == everything


def test_files_of_a_pattern_are_inputs_of_their_split_alone(files, checked):
    observed = ObservedSettings(checked(train="films/*.mp4", test="test.npy"))
    train = ["films/a.mp4", "films/b.mp4"]
    assert observed.files(job("tiny", system="mine", split="train")) == train
    assert observed.files(job("tiny", system="mine")) == ["test.npy"]


def test_which_systems_are_simulated_is_remembered(checked):
    for _ in range(2):  # the second time it is read
        settings = checked()
        observed = ObservedSettings(settings)
        assert observed.of_preset("tiny") == ["mine"] and observed.pattern == "mine"
        assert observed.simulated_pattern == "spring|orbit"
        found = observed.per_simulated("{system}.h5")(job("tiny"))
        assert found == ["results/tiny/spring.h5"]
        assert settings.system_kinds() == ["mass_spring", "two_body"]


def test_fig_5_and_the_note_of_the_report_follow_what_is_known(checked):
    mixed, alone = (Results(checked(s)) for s in (["spring", "mine"], ["mine"]))
    assert "fig05_systems" in mixed.figures("tiny")
    assert "fig05_systems" not in alone.figures("tiny")
    assert "fig07_rollouts_mine" in alone.figures("tiny")
    assert json.loads(Contents(alone).page(job("tiny")))["observed"] == ["mine"]
    known = Results(checked(["spring"]))
    assert json.loads(Contents(known).page(job("tiny")))["observed"] == []


def test_without_such_systems_the_pattern_fits_nothing(checked):
    settings = checked()
    settings.observed = frozenset()
    assert ObservedSettings(settings).pattern == "(?!)"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"train": "gone.mp4"}, "train is 'gone.mp4'; it must be a file, folder"),
        (
            {"train": "*.avi"},
            r"train is '\*.avi'; it must be a file, folder",
        ),
        ({"test": "gone"}, "test is 'gone'; it must be a file, folder"),
        ({"test": "films/a.mp4"}, "train and test both read films/a.mp4"),
        ({"kind": "dm_suite", "folder": "films"}, "folder is 'films'; it must be"),
    ],
)
def test_files_that_are_not_there_are_said_before_the_plan(
    files, checked, options, words
):
    if options.get("kind") == "dm_suite":
        options = {**options, "train": None}
    settings = checked_with(checked, options)
    observed = ObservedSettings(settings)
    for targets in ([], ["table1"], ["results/tiny/report.html"]):
        with pytest.raises(ValueError, match=f"my.yaml: systems.mine: {words}"):
            observed.check_files(targets, ["my.yaml"])


def checked_with(checked, options):
    """Settings with these options, and without those that are None."""
    settings = checked()
    block = settings.config.systems["mine"]
    kept = {**block.model_dump(), **options}
    kept = {k: v for k, v in kept.items() if v is not None}
    settings.config.systems["mine"] = type(block).model_validate(kept)
    return settings


def test_files_of_presets_that_nobody_asks_for_are_not_looked_for(files, checked):
    settings = checked(["spring"], train="gone.mp4")
    ObservedSettings(settings).check_files([], ["my.yaml"])


@pytest.mark.parametrize(
    ("options", "changes", "words"),
    [
        ({"test": 2}, {}, "systems.mine: test is 2; it must be the path of other"),
        ({"fit": "no"}, {}, "Option 'fit' of system 'videos' is 'no'"),
        ({"train": None}, {}, "Option 'train' of system 'videos' is None"),
        ({"noise_std": 0.1}, {}, "Unknown option 'noise_std' of system 'videos'"),
        ({}, {"hnn_check": "mine"}, "hnn_check: system is 'mine'; it must be one that"),
    ],
)
def test_a_mistake_is_one_line_that_names_its_place(checked, options, changes, words):
    if changes:
        changes = yaml.safe_load(GOOD)["presets"]["tiny"]
        changes["hnn_check"]["pixels"]["system"] = "mine"
        changes.pop("systems")
    with pytest.raises(ValueError, match=words) as caught:
        checked(changes=changes, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("size", [12, 24, 100, 256])
def test_an_image_size_that_cannot_be_halved_is_told_which_can(checked, size):
    data = yaml.safe_load(GOOD)["presets"]["tiny"]["data"] | {"image_size": size}
    with pytest.raises(
        ValueError, match=r"image_size is \d+; it must be 8, 16, 32, 64 or"
    ):
        checked(changes={"data": data})
