"""The pipeline as its users meet it: the smoke preset, in copies of the project.

It is built once; the tests then ask Snakemake what an edit would make it remake.
"""

import contextlib
import csv
import math
import os
import re
import shutil
import signal
import subprocess
import time
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from pipeline import (
    CHECKPOINT,
    CONFIG,
    LOG,
    MODEL,
    MODELS,
    PRESETS,
    RUN,
    SMOKE,
    SOURCES,
    SYSTEM,
    command,
    configure,
    contents,
    environment,
    job_below,
    make,
    shown,
    snakemake,
)
from yte import process_yaml

pytestmark = pytest.mark.slow

HGNS = {name for name, row in MODELS.items() if row["family"] == "hgn"}
FLOWS = SMOKE["flows"]
LEARN = {d: names for d, names in FLOWS["learn"].items() if d != "others"}
LEARNED = {(d, flow) for d, names in LEARN.items() for flow in names}
NHFS = {run for run in LEARNED if CONFIG["flows"][run[1]]["family"] == "nhf"}
COSTS = "results/smoke/flows/costs.csv"


def files_of(table):
    """Files of a table of the smoke preset, which is also the current one."""
    places, kinds = ("results", "results/smoke/tables"), ("csv", "html", "md")
    return {f"{place}/{table}.{kind}" for place in places for kind in kinds}


TABLES, FLOW_TABLES = files_of("table1"), files_of("flows")


def jobs(done):
    """Number of jobs of each rule, from the statistics that Snakemake prints."""
    assert done.returncode == 0, shown(done)
    table = shown(done).partition("Job stats:")[2].partition("total")[0]
    return {k: int(v) for k, v in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}


def remade(project):
    """Files of the smoke preset that the next call would remake."""
    done = snakemake(project, "--summary")
    assert done.returncode == 0, shown(done)
    rows = csv.DictReader(done.stdout.splitlines(), delimiter="\t")
    plans = {row["output_file"]: row["plan"] for row in rows}
    assert set(plans.values()) <= {"update pending", "no update"}
    return {path for path, plan in plans.items() if plan == "update pending"}


def stage(paths, name):
    """Those of some files that belong to one stage: data, runs, references, tables."""
    return {path for path in paths if path.startswith(f"results/smoke/{name}/")}


def models_of(paths):
    """Models whose training and evaluation on every system are among some files."""
    runs = stage(paths, "runs")
    models = {path.split("/")[4] for path in runs}
    for run in product(SMOKE["systems"], models):
        for file in ("model.safetensors", "errors.csv"):
            assert "results/smoke/runs/{}/{}/seed0/{}".format(*run, file) in runs
    return models


def flows_of(paths):
    """Densities and flows whose training and all that follows are among some files."""
    runs = {path for path in stage(paths, "flows") if "/seed" in path}
    flows = {tuple(path.split("/")[3:5]) for path in runs}
    for run in flows:
        for file in ("flow.safetensors", "likelihood.csv"):
            assert "results/smoke/flows/{}/{}/seed0/{}".format(*run, file) in runs
    return flows


def of_densities(paths):
    """Points of the densities, and what depends on them alone, among some files."""
    return {path for path in stage(paths, "flows") if path.count("/") == 4}


def edit(project, path, old, new):
    text = (project / path).read_text("utf-8")
    assert old in text
    (project / path).write_text(text.replace(old, new, 1), "utf-8")


def append(project, path, line):
    with open(project / path, "a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")


def test_the_table_has_finite_errors_of_every_system_split_and_model(finished):
    with open(finished[0] / "results/table1.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    models = [*MODELS, "mean_image", "noise_floor", "true_video"]
    assert len(models) == 10
    expected = set(product(models, SMOKE["systems"], ("train", "test")))
    assert len(rows) == len(expected)
    assert {(r["model"], r["system"], r["split"]) for r in rows} == expected
    for row in rows:
        for column in ("mse_x1e4", "std_x1e4", "mean_image_x1e4", "noise_floor_x1e4"):
            assert math.isfinite(float(row[column])), (row, column)


def test_the_table_of_the_flows_has_finite_likelihoods_of_every_density_and_flow(
    finished,
):
    with open(finished[0] / "results/flows.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    found = {
        (row["density"], row["model"]): (float(row["value"]), float(row["error"]))
        for row in rows
        if row["measure"] == "nll"
    }
    references = set(product(LEARN, ("target", "gaussian")))
    assert set(found) == LEARNED | references
    assert all(math.isfinite(number) for pair in found.values() for number in pair)


def test_every_table_says_which_preset_it_is_of(finished):
    tables = sorted((finished[0] / "results").glob("*.csv"))
    assert len(tables) == 5
    for path in tables:
        with open(path, encoding="utf-8") as file:
            assert {row["preset"] for row in csv.DictReader(file)} == {"smoke"}, path
        page = path.with_suffix(".html").read_text("utf-8")
        assert ", smoke preset</title>" in page


def test_progress_of_every_job_is_in_its_log_and_on_the_terminal(finished):
    project, terminal = finished
    logs = sorted((project / "results/smoke/logs").rglob("*.log"))
    for log in logs:
        lines = log.read_bytes().decode("utf-8").splitlines()
        assert all(line.isprintable() for line in lines), log
        assert all(line in terminal for line in lines), log
    trained = [("train", *run) for run in product(SMOKE["systems"], MODELS)]
    trained += [("train_flow", *run) for run in LEARNED]
    for rule, system, model in trained:
        name = f"logs/{rule}/{system}_{model}_seed0.log"
        text = (project / "results/smoke" / name).read_text("utf-8")
        done = rf"^train {system}/{model} 100% \|#+\| (\d+)/\1 .*it/s.*loss="
        assert re.search(done, text, re.MULTILINE), text


def laid_out(path):
    """Cells of the first table of a page in Markdown, by row and column."""
    first = path.read_text("utf-8").partition("\n| ")[2].partition("\n\n")[0]
    head, _, *rows = [line.strip("| ").split(" | ") for line in first.splitlines()]
    return {name: dict(zip(head[1:], cells, strict=True)) for name, *cells in rows}


def test_a_second_call_does_nothing(project):
    done = make(project)
    assert "Nothing to be done" in shown(done)


def test_jobs_run_the_code_of_their_own_project(project):
    append(project, "src/hgnpipe/reporting/table1.py", 'print("code of", __file__)')
    done = make(project, "results/smoke/tables/table1.csv")
    line = f"code of {project}/src/hgnpipe/reporting/table1.py\n"
    assert line in (project / "results/smoke/logs/table1.log").read_text("utf-8")
    assert line in shown(done)


def test_touching_or_moving_the_project_remakes_nothing(project):
    for name in SOURCES:
        for path in [project / name, *(project / name).rglob("*")]:
            if path.is_file():
                path.touch()
    assert remade(project) == set()


def test_comments_and_docstrings_remake_nothing(project):
    for path in (
        "src/hgnpipe/models/hgn.py",
        "src/hgnpipe/systems/two_body.py",
        "src/hgnpipe/flows/nhf.py",
        "workflow/scripts/models/train.py",
        "workflow/scripts/flows/train_flow.py",
    ):
        edit(project, path, '"""', '"""In other words: ')
        append(project, path, "# A comment.")
    assert remade(project) == set()


def test_device_and_threads_remake_nothing(project):
    configure(project, device="cpu", threads=2)
    assert remade(project) == set()


def test_code_of_the_evaluation_of_flows_retrains_nothing(project):
    append(project, "workflow/scripts/flows/evaluate_flow.py", "NEW = 1")
    plan = remade(project)
    assert stage(plan, "flows") == {
        "results/smoke/flows/{}/{}/seed0/likelihood.csv".format(*run) for run in LEARNED
    }
    assert plan >= FLOW_TABLES and not plan & TABLES


def test_code_of_the_systems_remakes_the_data(project):
    append(project, "src/hgnpipe/systems/base.py", "NEW = 1")
    plan = remade(project)
    files = ("trajectories", "videos", "motion")
    kinds = [
        *product(SMOKE["systems"], ("train", "test"), files),
        *product(SMOKE["systems"], ["long"], files[:2]),
        *product(["pendulum_30"], ("train", "test"), files[:1]),
    ]
    data = {"results/smoke/data/{}/{}_{}.h5".format(*kind) for kind in kinds}
    assert stage(plan, "data") == data
    assert models_of(plan) == set(MODELS)
    assert plan >= TABLES


def test_code_of_the_evaluation_retrains_nothing(project):
    append(project, "workflow/scripts/models/evaluate.py", "NEW = 1")
    plan = remade(project)
    assert {Path(path).name for path in stage(plan, "runs")} == {
        "errors.csv",
        "errors.h5",
        "dynamics.csv",
    }
    assert not stage(plan, "data") | stage(plan, "references")
    assert plan >= TABLES


def test_a_renamed_row_remakes_only_tables(project):
    configure(project, **{f"models.{MODEL}.label": "our HGN"})
    plan = remade(project)
    assert not stage(plan, "data") | stage(plan, "runs") | stage(plan, "references")
    assert not stage(plan, "flows")
    assert plan >= TABLES | FLOW_TABLES


def test_unfinished_runs_are_left_out_on_demand_and_nothing_is_trained(project):
    shutil.rmtree(project / f"results/smoke/runs/{SYSTEM}/hnn")
    for model in ("hgn_leapfrog", "hnn_conv"):
        shutil.rmtree(project / f"results/smoke/runs/two_body/{model}")
    shutil.rmtree(project / "results/smoke/flows/modes_8/nhf_2")
    configure(project, only_finished=True)
    assert {"train", "train_flow"}.isdisjoint(jobs(snakemake(project, "-n")))
    make(project)
    for table in ("table1.md", "table2.md"):
        text = (project / "results" / table).read_text("utf-8")
        rows = {line.split(" | ")[0].strip("| "): line for line in text.splitlines()}
        assert rows["HNN"].count("not run") == 2, text
        assert rows["HGN (leapfrog)"].count("not run") == 2, text
        assert "not run" not in rows["HGN (Euler)"], text
    likelihoods = laid_out(project / "results/flows.md")
    assert likelihoods["NHF, 2 steps"]["modes-8"] == "—"
    assert "K = " in likelihoods["NHF, 2 steps"]["two-moons"]
    assert "excess" in likelihoods["RNVP, 3 layers"]["modes-8"]
    assert "NHF, 2 steps on modes-8" not in (project / "results/flows.md").read_text()
    assert (project / "results/report.html").stat().st_size > 1e6


@pytest.mark.parametrize(
    ("key", "value"), [("options.num_filters", 5), ("training.learning_rate", 1.5e-5)]
)
def test_an_option_of_one_variant_retrains_that_variant_alone(project, key, value):
    block, _, option = key.partition(".")
    configure(project, **{f"presets.smoke.{block}.{MODEL}.{option}": value})
    plan = remade(project)
    assert models_of(plan) == {MODEL}
    assert not stage(plan, "data") | stage(plan, "references")
    assert plan >= TABLES


@pytest.mark.parametrize(
    ("key", "value", "costs"),
    [
        ("options.hidden_size", 17, {COSTS}),
        ("training.batch_size", 33, {COSTS}),
        ("training.learning_rate", 1.5e-5, set()),
    ],
)
def test_an_option_of_one_flow_retrains_that_flow_alone(project, key, value, costs):
    block, _, option = key.partition(".")
    configure(project, **{f"presets.smoke.flows.{block}.rnvp_3.{option}": value})
    plan = remade(project)
    assert flows_of(plan) == {run for run in LEARNED if run[1] == "rnvp_3"}
    assert of_densities(plan) == set() and plan & {COSTS} == costs
    assert not stage(plan, "data") | stage(plan, "runs") | stage(plan, "references")
    assert plan >= FLOW_TABLES and not plan & TABLES


def test_an_option_of_one_density_draws_and_learns_that_density_alone(project):
    configure(project, **{"densities.two_moons.std": 0.2})
    plan = remade(project)
    assert flows_of(plan) == {run for run in LEARNED if run[0] == "two_moons"}
    files = {
        f"results/smoke/flows/two_moons/{f}" for f in ("points.h5", "references.csv")
    }
    assert of_densities(plan) == files
    assert plan >= FLOW_TABLES and not plan & (TABLES | {COSTS})


def test_figures_show_flows_of_the_lowest_seed_in_whatever_order_they_are(project):
    configure(project, **{"presets.smoke.flows.seeds": [1, 0]})
    planned = jobs(snakemake(project, "-n"))
    assert planned["train_flow"] == len(LEARNED) and planned["fig10"] == 1
    assert "make_portrait" not in planned


def test_changed_code_of_the_densities_checks_their_options_again(project):
    options = "*, num_modes: int = 8"
    path = "src/hgnpipe/densities/modes.py"
    edit(project, path, options, options.replace("modes", "peaks"))
    done = snakemake(project, "-n")
    message = "densities.modes_2: Unknown option 'num_modes' of density 'modes'"
    assert done.returncode != 0 and message in shown(done)


NO_FLOWS = {"learn": {}, "evaluation": {"shown": "", "compared": ""}}


@pytest.mark.parametrize("profile", [[], ["--profile", "slurm"]], ids=["", "slurm"])
@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_plans_one_training_per_system_model_and_seed(
    fresh, preset, profile
):
    block = PRESETS[preset]
    num_systems = len(block["systems"])
    num_runs = num_systems * len(block["models"]) * len(block["seeds"])
    flows = block.get("flows", NO_FLOWS)
    learn = {d: names for d, names in flows["learn"].items() if d != "others"}
    learned = [(d, flow) for d, names in learn.items() for flow in names]
    shown, compared = (flows["evaluation"][key] for key in ("shown", "compared"))
    portraits = [run for run in learned if run[0] == compared or run[1] == shown]
    if (check := block.get("hnn_check")) is not None:
        checked = check["states"]["systems"]
        simulated = {*block["systems"], *checked, check["pixels"]["system"]}
        num_simulated = len(simulated)
    else:
        checked, num_simulated = [], num_systems
    targets = block["options"]["hgn_vector"].get("num_targets")
    if not isinstance(targets, dict):
        targets = dict.fromkeys(block["systems"], targets)
    num_long = sum(targets.get(system) is not None for system in block["systems"])
    planned = jobs(snakemake(fresh, "-n", *profile, preset=preset))
    expected = {
        "simulate": 2 * num_simulated + num_long,
        "render": 2 * num_systems + num_long,
        "train": num_runs,
        "evaluate": num_runs,
        "evaluate_references": num_systems,
        "measure_dynamics": num_runs,
        "table1": 1,
        "table2": 1,
        "dynamics": 1,
        **({"check_hnn": len(checked), "check_pixelhnn": 1} if checked else {}),
        "fig07": num_systems,
        "provenance": 1,
        "choices": 1,
        "report": 1,
    }
    expected |= (
        {
            "draw_points": len(learn),
            "train_flow": len(learned) * len(flows["seeds"]),
            "evaluate_flow": len(learned) * len(flows["seeds"]),
            "evaluate_flow_references": len(learn),
            "make_portrait": len(portraits),
            "flow_costs": 1,
            "flows": 1,
            "fig09": len(learn),
            "fig10": 1,
        }
        if learned
        else {}
    )
    copies = {"current_table": 4 + bool(checked), "current_report": 1}
    if preset == "smoke":  # the one that config.yaml names here
        expected |= copies
    else:
        assert not copies.keys() & planned.keys()
    assert expected.items() <= planned.items()


@pytest.mark.parametrize("preset", PRESETS)
def test_any_file_of_any_preset_can_be_asked_for_by_its_path(fresh, preset):
    block = PRESETS[preset]
    system, model, seed = block["systems"][-1], block["models"][-1], 2
    run = f"results/{preset}/runs/{system}/{model}/seed{seed}"
    done = snakemake(fresh, "-n", f"{run}/model.safetensors")
    assert jobs(done) == {"simulate": 1, "render": 1, "train": 1}
    assert f"{run}/model.safetensors" in shown(done)


@pytest.mark.parametrize("preset", [p for p in PRESETS if "flows" in PRESETS[p]])
def test_a_flow_asked_for_by_its_path_needs_its_points_alone(fresh, preset):
    flows = PRESETS[preset]["flows"]
    density, (*_, model) = next(iter(flows["learn"].items()))
    run = f"results/{preset}/flows/{density}/{model}/seed5"
    done = snakemake(fresh, "-n", f"{run}/flow.safetensors")
    assert jobs(done) == {"draw_points": 1, "train_flow": 1}
    assert f"{run}/flow.safetensors" in shown(done)


@pytest.mark.parametrize("preset", ["smoke", "laptop"])
@pytest.mark.parametrize("density", ["two_moons", "rings"])
def test_any_density_can_be_asked_for_whether_or_not_the_preset_lists_it(
    fresh, preset, density
):
    flows = PRESETS[preset]["flows"]
    names = flows["learn"].get(density, flows["learn"]["others"])
    num_runs = len(names) * len(flows["seeds"])
    done = snakemake(fresh, "-n", f"results/{preset}/flows/{density}/flows.md")
    assert jobs(done) == {
        "draw_points": 1,
        "train_flow": num_runs,
        "evaluate_flow": num_runs,
        "evaluate_flow_references": 1,
        "flow_costs": 1,
        "flows_of_density": 1,
    }


def own_table(project, seed=0):
    """A table of three columns in a project, and its block of the configuration."""
    rows = np.random.default_rng(seed).normal(5, 2, (60, 3))
    text = "\n".join(",".join(map(str, row)) for row in rows)
    (project / "mine.csv").write_text(f"a,b,c\n{text}\n")
    return {"kind": "table", "file": "mine.csv"}


def test_a_table_of_ones_own_is_one_block_and_one_command(project):
    configure(project, **{"densities.mine": own_table(project)})
    page = "results/smoke/flows/mine/flows.md"
    make(project, page)
    cells = laid_out(project / page)
    assert set(cells) == {"Gaussian", "RNVP, 3 layers", "NHF, 2 steps"}
    for name, row in cells.items():
        assert list(row) == ["mine"]
        likelihood, error = re.match(r"(\S+) ± (\S+)", row["mine"]).groups()
        # Standardised rows of a normal distribution: nobody does much better or worse.
        assert 3 < float(likelihood) < 7 and 0 < float(error) < 1
        assert ("K = 10" in row["mine"]) == name.startswith("NHF")
    assert "excess" not in "".join(row["mine"] for row in cells.values())
    assert "Nothing to be done" in shown(make(project, page))

    own_table(project, seed=1)
    planned = jobs(snakemake(project, "-n", page))
    assert planned["draw_points"] == 1 and planned["train_flow"] == 2


def test_a_table_that_the_preset_lists_joins_the_table_of_the_flows_alone(project):
    learn = {**FLOWS["learn"], "mine": ["nhf_2"]}
    configure(project, **{"densities.mine": own_table(project)})
    configure(project, **{"presets.smoke.flows.learn": learn})
    planned = jobs(snakemake(project, "-n"))
    expected = {"draw_points": 1, "train_flow": 1, "evaluate_flow": 1, "flows": 1}
    assert expected.items() <= planned.items()
    assert {"make_portrait", "fig09", "fig10", "train"}.isdisjoint(planned)


def test_slurm_jobs_go_to_the_account_and_partition_of_the_environment(fresh):
    arguments = ["-n", f"{RUN}/model.safetensors", "--profile", "slurm"]
    there = {"HGNPIPE_SLURM_ACCOUNT": "mine", "HGNPIPE_SLURM_PARTITION": "gpu"}
    text = shown(snakemake(fresh, *arguments, **there))
    assert "slurm_account=mine, slurm_partition=gpu" in text
    text = shown(snakemake(fresh, *arguments, **dict.fromkeys(there, "")))
    assert "slurm_account" not in text


@pytest.mark.parametrize(
    ("arguments", "preset", "message"),
    [
        (["-n"], "smoek", "config.yaml: preset: Unknown preset 'smoek'. Known: desk, "),
        (
            ["-n", RUN.replace(MODEL, "hgn_leapforg") + "/model.safetensors"],
            "smoke",
            "Unknown model 'hgn_leapforg' of preset 'smoke'. Known: hnn, ",
        ),
        (
            ["-n", "results/smoke/flows/modes_8/nfh_2/seed0/flow.safetensors"],
            "smoke",
            "Unknown flow 'nfh_2' of preset 'smoke'. Known: rnvp_3, nhf_2.",
        ),
    ],
    ids=["preset", "model", "flow"],
)
def test_a_misspelt_name_is_explained_in_one_line(fresh, arguments, preset, message):
    done = snakemake(fresh, *arguments, preset=preset)
    assert done.returncode != 0
    assert shown(done).count(message) == 1, shown(done)
    assert "Traceback (most recent call last)" not in shown(done)


def test_a_training_that_fails_says_why_in_its_log_and_on_the_terminal(project):
    videos = project / f"results/smoke/data/{SYSTEM}/train_videos.h5"
    videos.write_bytes(videos.read_bytes()[:1000])
    done = snakemake(project, "--cores", "1", f"{RUN}/model.safetensors")
    assert done.returncode != 0
    (error,) = re.findall(
        r"^Error: .*train_videos\.h5.*$",
        (project / LOG).read_text("utf-8"),
        re.MULTILINE,
    )
    assert error in shown(done)
    assert "Traceback (most recent call last)" not in shown(done)
    assert not (project / RUN / "model.safetensors").exists()


def test_training_again_gives_identical_results(project):
    def tables():
        paths = [f"{RUN}/errors.csv", "results/table1.csv"]
        return [(project / path).read_bytes() for path in paths]

    before, model = (contents(project), tables()), project / RUN / "model.safetensors"
    written = model.stat().st_mtime_ns
    make(project, "--forcerun", f"{RUN}/model.safetensors")
    assert model.stat().st_mtime_ns > written
    assert (contents(project), tables()) == before


def stop_training(project, number, everyone, output):
    """Start a training, wait for its first checkpoint, and send it a signal.

    A scheduler and a terminal send it to everyone: Snakemake, shell, training and tee.
    """
    with open(output, "w") as file:
        process = subprocess.Popen(
            command(f"{RUN}/model.safetensors", "--cores", "1"),
            cwd=project,
            env=environment(),
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # As in a terminal; below `nohup` or `&` it would be ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
    try:
        deadline = time.monotonic() + 120
        while not (project / CHECKPOINT).exists() and time.monotonic() < deadline:
            assert process.poll() is None
            time.sleep(0.02)
        if everyone:
            os.killpg(process.pid, number)
        else:
            job_below(process.pid, "models/train.py").send_signal(number)
        return process.wait(60)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.parametrize(
    ("number", "everyone"),
    [(signal.SIGUSR1, False), (signal.SIGTERM, True), (signal.SIGINT, True)],
)
def test_a_training_that_is_asked_to_leave_resumes_and_ends_as_if_undisturbed(
    longer, undisturbed, tmp_path, number, everyone
):
    terminal = tmp_path / "terminal.txt"
    assert stop_training(longer, number, everyone, terminal) != 0
    said = r"^Left after (\d+) of 100 iterations, saved in"
    left = re.search(said, terminal.read_text("utf-8"), re.MULTILINE)
    assert left, terminal.read_text("utf-8")
    assert left[0] in (longer / LOG).read_text("utf-8")
    assert (longer / CHECKPOINT).exists()
    assert not (longer / f"{RUN}/model.safetensors").exists()

    make(longer, f"{RUN}/model.safetensors")
    log = (longer / LOG).read_text("utf-8")
    assert re.search(rf"resumes after {left[1]} of 100$", log, re.MULTILINE), log
    assert list((longer / CHECKPOINT).parent.iterdir()) == []
    assert contents(longer) == undisturbed


def test_errors_of_a_model_before_a_change_are_not_taken_for_those_after_it(
    longer, tmp_path
):
    """The change was made, and the training that it asked for was stopped."""
    errors = longer / f"{RUN}/errors.csv"
    before = errors.read_bytes()
    stop_training(longer, signal.SIGUSR1, False, tmp_path / "terminal.txt")
    assert errors.read_bytes() == before
    make(longer, f"{RUN}/errors.csv")
    assert errors.read_bytes() != before
    assert "Nothing to be done" in shown(make(longer, f"{RUN}/errors.csv"))


@pytest.mark.parametrize("model", ["", "a100"])
def test_the_profile_of_slurm_names_all_rules_that_ask_for_a_gpu(
    fresh, monkeypatch, model
):
    monkeypatch.setenv("HGNPIPE_SLURM_GPU_MODEL", model)
    profile = process_yaml((fresh / "slurm/profile.yaml").read_text("utf-8"))
    resources = profile["set-resources"].items()
    named = {
        rule: asked["gpu_model"] for rule, asked in resources if "gpu_model" in asked
    }
    files = sorted((fresh / "workflow/rules").glob("*.smk"))
    rules = "".join(path.read_text("utf-8") for path in files).split("\nrule ")[1:]
    asking = {
        rule.partition(":")[0] for rule in rules if re.search(r"^ +gpu=", rule, re.M)
    }
    assert len(asking) > 5
    assert named == (dict.fromkeys(asking, model) if model else {})
