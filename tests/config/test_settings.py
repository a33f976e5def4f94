"""What rules ask of the configuration: of the shipped one, and of parts of it."""

import copy
import json
from types import SimpleNamespace

import pytest
import yaml
from pipeline import REPOSITORY

from hgnpipe.config.checks import check_config
from hgnpipe.config.flow_settings import FlowSettings
from hgnpipe.config.results import Results
from hgnpipe.config.schema import FIGURES

SHIPPED = yaml.safe_load((REPOSITORY / "config.yaml").read_text("utf-8"))
SMOKE = SHIPPED["presets"]["smoke"]
RUNS, FLOWS = "results/smoke/runs", "results/smoke/flows"


class Wildcards(SimpleNamespace):
    """Wildcards of a job, as Snakemake hands them over."""

    def items(self):
        return vars(self).items()


def job(preset="smoke", **wildcards):
    return Wildcards(preset=preset, **wildcards)


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """Settings of the shipped configuration with some entries changed."""
    folder = tmp_path_factory.mktemp("checked")

    def check(smoke=None, **changes):
        config = copy.deepcopy(SHIPPED)
        config["presets"] = {"smoke": {**config["presets"]["smoke"], **(smoke or {})}}
        return check_config({**config, "preset": "smoke", **changes}, folder)

    return check


@pytest.fixture(scope="module")
def settings(checked):
    return checked()


@pytest.fixture(scope="module")
def partial(checked):
    """A preset with one system and one model, and without flows."""
    part = {"systems": ["pendulum"], "models": ["hgn_leapfrog"], "flows": None}
    part["hnn_check"] = None
    part["figures"] = ["fig06", "fig07"]
    return checked(part)


def test_a_value_is_found_by_its_path_and_the_wildcards_of_the_job(settings):
    assert settings.value("data.num_{split}")(job(split="test")) == 24
    values = settings.values("evaluation", "horizons", "batch_size")(job())
    assert json.loads(values) == {"horizons": [8, 16], "batch_size": 12}


def test_a_job_gets_the_options_of_its_model_on_its_system(settings):
    model = json.loads(settings.model(job(model="hgn_euler", system="two_body")))
    assert model["family"] == "hgn" and model["training"]["num_iterations"] == 40
    assert model["options"]["integrator"] == "euler"
    assert model["options"]["kappa"] == 1.6e-4


def test_options_of_the_family_that_a_row_has_no_use_for_are_left_out(settings):
    of = {
        name: json.loads(settings.model(job(model=name, system="two_body")))["options"]
        for name in ("hgn_determ", "hnn", "hnn_conv")
    }
    assert not {"kappa", "multiplier", "kl_delay", "kl_ramp"} & of["hgn_determ"].keys()
    assert "num_filters" not in of["hnn"] and of["hnn_conv"]["num_filters"] == 8


@pytest.mark.parametrize(
    ("model", "system", "known"),
    [
        ("hgm", "two_body", "hnn, hnn_conv"),
        ("hnn", "pendulum", "mass_spring, two_body"),
    ],
)
def test_a_model_or_system_that_the_preset_lacks_is_named(
    settings, model, system, known
):
    with pytest.raises(ValueError, match=f"of preset 'smoke'. Known: {known}"):
        settings.model(job(model=model, system=system))


def test_a_flow_that_the_preset_lacks_is_named(settings):
    with pytest.raises(
        ValueError, match=r"flow 'nhf_9' of preset 'smoke'\. Known: rnvp"
    ):
        FlowSettings(settings).flow(job(model="nhf_9"))


def test_runs_are_of_every_system_model_and_seed(checked):
    settings = checked({"seeds": [3, 1]})
    assert len(settings.runs("errors.csv")(job())) == 2 * 7 * 2
    assert settings.runs("films.h5", models=["hnn", "none"], one_seed=True)(job()) == [
        f"{RUNS}/mass_spring/hnn/seed1/films.h5", f"{RUNS}/two_body/hnn/seed1/films.h5",
    ]  # fmt: skip
    of_system = settings.runs("run.json", ["hnn"])(job(system="two_body"))
    assert of_system == [f"{RUNS}/two_body/hnn/seed{s}/run.json" for s in (3, 1)]


def test_only_finished_runs_are_asked_for_on_demand(checked, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    finished = tmp_path / f"{RUNS}/two_body/hnn/seed0"
    finished.mkdir(parents=True)
    (finished / "model.safetensors").touch()
    settings = checked(only_finished=True)
    assert settings.runs("errors.csv")(job()) == [
        f"{RUNS}/two_body/hnn/seed0/errors.csv"
    ]
    assert FlowSettings(settings).runs("likelihood.csv")(job()) == []


def test_flows_are_of_the_densities_that_they_learn(settings):
    flows = FlowSettings(settings)
    assert flows.runs("likelihood.csv")(job()) == [
        f"{FLOWS}/modes_8/rnvp_3/seed0/likelihood.csv",
        f"{FLOWS}/modes_8/nhf_2/seed0/likelihood.csv",
        f"{FLOWS}/two_moons/nhf_2/seed0/likelihood.csv",
    ]
    of_other = flows.runs("likelihood.csv")(job(density="rings"))
    assert [path.split("/")[4] for path in of_other] == ["rnvp_3", "nhf_2"]


def test_what_figures_show_of_the_flows_has_defaults(checked):
    evaluation = {**SMOKE["flows"]["evaluation"]}
    for key in ("shown", "compared", "reference"):
        del evaluation[key]
    flows = FlowSettings(
        checked({"flows": {**SMOKE["flows"], "evaluation": evaluation}})
    )
    assert flows.shown("smoke") == "nhf_2" and flows.compared("smoke") == "modes_8"
    assert flows.reference(job()) == "rnvp_3"


def test_a_table_of_ones_own_is_an_input_and_in_no_figure(checked):
    learn = {"mine": ["nhf_2"]}
    evaluation = SMOKE["flows"]["evaluation"] | {"compared": None}
    settings = checked(
        {"flows": {**SMOKE["flows"], "learn": learn, "evaluation": evaluation}},
        densities={"mine": {"kind": "table", "file": "my.csv"}},
    )
    assert FlowSettings(settings).table(job(density="mine")) == "my.csv"
    figures = Results(settings).figures("smoke")
    assert not [f for f in figures if f.startswith(("fig09", "fig10"))]
    assert "flows" in Results(settings).tables("smoke")


def test_everything_of_the_preset_is_asked_for(settings):
    wanted = Results(settings).current()
    assert {"results/table1.csv", "results/dynamics.md", "results/flows.html"} <= {
        *wanted
    }
    assert "results/figures/fig07_rollouts_two_body.gif" in wanted
    assert "results/figures/fig09_flow_two_moons.pdf" in wanted
    assert len(wanted) == len({*wanted})


def test_another_preset_than_that_of_the_file_leaves_the_copies_alone(settings):
    own, other = (Results(settings, top=top).current() for top in ("smoke", "laptop"))
    assert len(own) == len(other) and "results/table1.csv" in own
    assert all(path.startswith("results/smoke/") for path in other)
    assert {"results/smoke/tables/table1.csv", "results/smoke/report.html"} <= {*other}


def test_every_figure_of_the_schema_has_files(settings):
    figures = Results(settings).figures("smoke")
    # That of kappas and those of sweeps: see test_kappas.py and test_sweeps.py.
    of_every_preset = {*FIGURES} - {"fig15", "fig16"}
    assert {figure.partition("_")[0] for figure in figures} == of_every_preset


def test_training_curves_are_those_of_rows_that_the_preset_has(checked):
    few = Results(checked({"models": ["hnn", "hgn_leapfrog"]}))
    assert "fig11_convergence_hgn" in few.figures("smoke")
    assert not [name for name in few.figures("smoke") if name.startswith("fig12")]


def test_a_part_of_a_preset_is_asked_for_alone(partial):
    results = Results(partial)
    assert results.tables("smoke") == ["table1", "table2", "dynamics"]
    assert results.figures("smoke") == [
        "fig06_mse_per_frame",
        "fig07_rollouts_pendulum",
    ]
    assert partial.runs("errors.csv")(job()) == [
        f"{RUNS}/pendulum/hgn_leapfrog/seed0/errors.csv"
    ]
    assert FlowSettings(partial).runs("run.json")(job()) == []
    assert json.loads(partial.families()(job())) == {"hgn_leapfrog": "hgn"}
    assert not [path for path in results.reported(job()) if "flow" in path]


def test_families_of_models_are_asked_for_without_those_of_flows(settings):
    every, models = (
        set(json.loads(settings.families(*kinds)(job())))
        for kinds in ((), (["models"],))
    )
    assert models == {*SMOKE["models"]} and every - models == {"rnvp_3", "nhf_2"}


def test_labels_are_in_the_order_of_the_preset_and_references_are_last(checked):
    settings = checked({"models": ["hgn_leapfrog", "hnn", "hgn_euler"]})
    labels = list(json.loads(settings.labels(job())))
    assert labels[:3] == ["hgn_leapfrog", "hnn", "hgn_euler"]
    assert labels[3:5] == ["rnvp_3", "nhf_2"] and labels[5] == "mean_image"


def test_labels_are_of_the_rows_of_the_preset_and_of_the_references(partial):
    assert list(json.loads(partial.labels(job()))) == [
        "hgn_leapfrog", "mean_image", "noise_floor", "true_video", "target",
        "gaussian",
    ]  # fmt: skip


def test_the_report_depends_on_what_its_preset_names_alone(checked, settings):
    more = {"other": {"kind": "pendulum"}}
    changed = checked(systems=SHIPPED["systems"] | more)
    asked = Results(changed).of_report(job())
    assert asked == Results(settings).of_report(job())
    assert set(json.loads(asked)["systems"]) == {
        "mass_spring", "two_body", "pendulum_30",
    }  # fmt: skip


def test_the_check_of_hnn_has_files_of_each_of_its_systems(settings, partial):
    folder = "results/smoke/hnn_check"
    assert settings.checks("states.h5")(job()) == [f"{folder}/mass_spring/states.h5"]
    assert settings.checks("pixels.csv")(job()) == [f"{folder}/pendulum_30/pixels.csv"]
    assert "hnn_check" in Results(settings).tables("smoke")
    with pytest.raises(ValueError, match="Preset 'smoke' has no hnn_check"):
        partial.checks("states.h5")(job())


def same_code(settings, script, one, other):
    return settings.code(script)(one) == settings.code(script)(other)


def test_the_code_of_a_job_is_that_of_its_family(settings):
    jobs = [job(system="two_body", model=m) for m in ("hgn_euler", "hgn_determ", "hnn")]
    assert same_code(settings, "models/train", *jobs[:2])
    assert not same_code(settings, "models/train", *jobs[1:])


def test_the_code_of_the_data_is_that_of_their_system(settings):
    jobs = [job(system=system) for system in ("mass_spring", "two_body")]
    assert not same_code(settings, "data/simulate", *jobs)


def test_the_code_of_a_table_of_errors_is_the_same_for_every_preset(settings):
    assert settings.code("tables/table1")(job()) == settings.code("tables/table1")(
        Wildcards()
    )


def test_the_script_of_a_job_is_found_from_anywhere_and_its_place_does_not_count(
    settings, tmp_path, monkeypatch
):
    monkeypatch.chdir(REPOSITORY)
    here = settings.code("data/render")(job(system="pendulum"))
    assert here.path == "workflow/scripts/data/render.py"
    monkeypatch.chdir(tmp_path)
    away = settings.code("data/render")(job(system="pendulum"))
    assert away.path == str(REPOSITORY / here.path)
    assert here == away and repr(here) == repr(away) == repr(str(here))
    text = Results.text("docs/choices.md")(job())
    assert text.path == str(REPOSITORY / "docs/choices.md") and len(text) == 16
    assert text != Results.text("docs/results.md")(job())


@pytest.mark.parametrize("prefix", ["", "of another/flows/workflow/"])
@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("runs/pendulum/hnn/seed1/model.safetensors", "pendulum/hnn/seed1"),
        ("flows/rings/nhf_2/seed0/flow.safetensors", "flows/rings/nhf_2/seed0"),
    ],
)
def test_a_checkpoint_is_in_the_results_of_its_training(
    settings, prefix, output, expected
):
    results = f"{prefix}results/smoke"
    found = settings.checkpoint(job(), [f"{results}/{output}"])
    assert found == f"{results}/checkpoints/{expected}.safetensors"


@pytest.mark.parametrize(("targets", "split"), [(None, "train"), (13, "long")])
def test_a_model_with_targets_beyond_the_window_trains_on_longer_videos(
    checked, targets, split
):
    data = {**SMOKE["data"], "num_around": 3}
    options = {**SMOKE["options"], "hgn_vector": {"num_targets": targets}}
    settings = checked({"data": data, "options": options})
    one = job(model="hgn_vector", system="two_body")
    place = "results/smoke/data/two_body"
    assert settings.training_videos(one) == f"{place}/{split}_videos.h5"
    lengths = {s: settings.num_frames(job(split=s)) for s in ("train", "test", "long")}
    assert lengths == {"train": 9, "test": 9, "long": 15}
    numbers = {s: settings.num_trajectories(job(split=s)) for s in lengths}
    assert numbers == {"train": 96, "test": 24, "long": 96}


def test_targets_beyond_the_long_videos_are_refused(checked):
    options = {**SMOKE["options"], "hgn_vector": {"num_targets": 14}}
    with pytest.raises(ValueError, match="needs 14 frames or more"):
        checked({"options": options})


@pytest.mark.parametrize("split", ["train", "test"])
def test_motions_reach_as_far_as_the_measures_and_figures_look(settings, split):
    wildcards = job(split=split)
    assert settings.num_before(wildcards) == 8 and settings.num_after(wildcards) == 16
    assert settings.num_extended(wildcards) == (1 if split == "train" else 10)
