from pathlib import Path

import pytest

from hgnpipe.reporting.runs import (
    Run,
    by_run,
    label_of,
    preset_of,
    run_of,
    system_of,
)

FLOW = "results/tiny/flows/two_moons/nhf_2/seed3/portrait.h5"
PATH = "results/tiny/runs/two_body/hgn_leapfrog/seed12/films.h5"
RUN = Run("two_body", "hgn_leapfrog", 12)


@pytest.mark.parametrize("path", [PATH, Path(PATH), f"/{PATH}", PATH[18:]])
def test_the_path_of_a_file_says_which_run_it_belongs_to(path):
    assert run_of(path) == RUN


def test_the_density_of_a_flow_stands_where_others_have_a_system():
    assert run_of(FLOW) == Run("two_moons", "nhf_2", 3)


def test_the_parts_of_a_run_have_names():
    assert RUN._asdict() == {"system": "two_body", "model": "hgn_leapfrog", "seed": 12}


@pytest.mark.parametrize(
    "path",
    [
        "films.h5", "seed0/films.h5", "mine/seed0/films.h5", "a/mine/0/films.h5",
        "a/mine/seed/films.h5", "a/mine/seedling/films.h5", "a/mine/seed0", "",
        "a/mine/seed0/more/films.h5",
    ],
)  # fmt: skip
def test_a_path_that_says_no_run_is_refused_by_name(path):
    with pytest.raises(ValueError) as error:
        run_of(path)
    assert str(error.value).startswith(f"{Path(path) if path else path} does not say")
    assert "system/model/seed0/file" in str(error.value)


def test_files_are_found_by_their_run_in_the_order_given():
    paths = [f"runs/{s}/mine/seed{n}/model.h5" for s in "ba" for n in (1, 0)]
    found = by_run(paths)
    assert list(found) == [Run(s, "mine", n) for s in "ba" for n in (1, 0)]
    assert list(found.values()) == [Path(path) for path in paths]


def test_files_may_come_one_at_a_time():
    assert by_run(iter([PATH])) == {RUN: Path(PATH)}


def test_without_files_there_are_no_runs():
    assert by_run([]) == {}


@pytest.mark.parametrize(
    "path", ["results/tiny/data/two_body/test_videos.h5", "two_body/x"]
)
def test_data_lie_in_the_folder_of_their_system(path):
    assert system_of(path) == system_of(Path(path)) == "two_body"


def test_models_and_references_are_called_by_their_labels_or_by_their_names():
    labels = {"hgn": "HGN", "mean_image": "grey"}
    names = ["hgn", "mean_image", "noise_floor", "true_video", "gaussian", "mine"]
    called = [label_of(name, labels) for name in names]
    assert called == ["HGN", "grey", "noise floor", "true video", "Gaussian", "mine"]


@pytest.mark.parametrize(
    ("path", "preset"),
    [
        ("results/tiny/figures/fig05.png", "tiny"),
        (Path("/a/b/results/tiny/figures/fig05.png"), "tiny"),
        ("results/benchmarks/speed.png", ""),
        ("results/figures/fig05.png", ""),
        ("fig05.png", ""),
    ],
)
def test_a_figure_among_results_is_of_the_preset_of_its_path(path, preset):
    assert preset_of(path) == preset
