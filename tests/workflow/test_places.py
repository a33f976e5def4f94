"""Wherever the workflow, its results and its user are, it works, and reruns nothing."""

import os
import re
import shutil
import subprocess
import sys

import pytest
from pipeline import (
    REPOSITORY,
    copy_sources,
    environment,
    make,
    shown,
    snakemake,
)

from hgnpipe.config.environment import check_folders, check_place, check_programs

ODD = "Grüße 'it \"x\"' $HOME [a] #1;"
FIGURE = "results/smoke/figures/fig13_integrators"
CHOICES = "results/smoke/tables/choices.html"
COPIES = ["results/figures/fig13_integrators.pdf", CHOICES]
HOST = """
configfile: "config.yaml"

module hgn:
    snakefile: "{snakefile}"
    config: config["hgn"]
    prefix: "sub folder"

use rule * from hgn as hgn_*

rule mine:
    default_target: True
    input: "sub folder/results/figures/fig13_integrators.pdf"
    output: "mine.txt"
    shell: "echo {{config[greeting]}} > {{output}}"
"""


def last_line(done):
    return done.stderr.rstrip().splitlines()[-1]


def elsewhere(project, folder, *arguments):
    """A call of Snakemake from the folder above the one where it shall work."""
    words = ["-s", str(project / "Snakefile"), "--directory", str(folder)]
    return snakemake(folder.parent, *words, "--cores", "1", *arguments)


def test_every_rule_quotes_whatever_it_writes_into_a_command():
    bare, num = [], 0
    for path in sorted((REPOSITORY / "workflow/rules").glob("*.smk")):
        for shell in re.findall(
            r"\n    shell:\n((?: {8}.*\n)+)", path.read_text("utf-8")
        ):
            found = re.findall(r"{[^{}]+}", shell)
            num += len(found)
            bare += [word for word in found if not re.search(":q}|^{threads}$", word)]
    assert num > 200 and bare == []


def test_a_path_with_blanks_quotes_and_umlauts_is_a_path_like_others(tmp_path):
    project = copy_sources(tmp_path.resolve() / ODD)
    make(project, *COPIES)
    folder = tmp_path / f"{ODD} results"
    folder.mkdir()
    assert elsewhere(project, folder, *COPIES).returncode == 0
    for name in COPIES:
        assert (folder / name).read_bytes() == (project / name).read_bytes()


@pytest.mark.slow
def test_a_finished_project_can_be_moved_linked_and_reported_anywhere(project):
    place = project.rename(project.parent / ODD)
    link = place.parent / "link"
    link.symlink_to(place)
    for done in (
        snakemake(place, "-n"),
        snakemake(link, "-n"),
        elsewhere(link, place, "-n"),
        elsewhere(copy_sources(place.parent / "other"), place, "-n"),
    ):
        assert "Nothing to be done" in shown(done), shown(done)[-2000:]
    report = place / "results/report.html"
    before = report.stat().st_mtime_ns
    make(place, "results/report.html", "--forcerun", "report")
    assert report.stat().st_mtime_ns > before and report.stat().st_size > 1e6
    other = "results/smoke/snakemake_report.html"
    done = elsewhere(place.parent / "other", place, other, "--config", "preset=smoke")
    assert done.returncode == 0, shown(done)
    assert (place / other).stat().st_size > 1e6


@pytest.mark.slow
def test_results_elsewhere_outlive_a_move_of_the_workflow(fresh_project, tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    done = elsewhere(fresh_project, folder, *COPIES)
    assert done.returncode == 0, shown(done)
    assert {path.name for path in folder.iterdir()} == {"results", ".snakemake"}
    assert not (fresh_project / "results").exists()

    moved = fresh_project.rename(tmp_path / "moved")
    for path in moved.rglob("*"):
        path.touch()
    link = tmp_path / "link"
    link.symlink_to(moved)
    for place in (moved, link):
        done = elsewhere(place, folder, *COPIES)
        assert "Nothing to be done" in shown(done), shown(done)
    choices = moved / "docs/choices.md"
    choices.write_text(choices.read_text("utf-8") + "\nMore.\n", "utf-8")
    done = elsewhere(moved, folder, "-n", CHOICES)
    assert re.search(r"^choices +1$", shown(done), re.MULTILINE), shown(done)


@pytest.mark.slow
def test_another_workflow_uses_ours_as_a_module(fresh_project, tmp_path):
    host = tmp_path / "host"
    host.mkdir()
    (host / "Snakefile").write_text(HOST.format(snakefile=fresh_project / "Snakefile"))
    ours = (fresh_project / "config.yaml").read_text("utf-8")
    ours = re.sub(r"^preset: \w+", "preset: smoke", ours, flags=re.MULTILINE)
    block = "".join(f"  {line}\n" for line in ours.splitlines())
    (host / "config.yaml").write_text(f"greeting: hello\nhgn:\n{block}", "utf-8")

    def call(*words):
        command = [sys.executable, "-m", "snakemake", "--cores", "1", *words]
        return subprocess.run(
            command, cwd=host, env=environment(), capture_output=True, text=True
        )

    done = call("mine")
    assert done.returncode == 0, shown(done)
    assert (host / "mine.txt").read_text() == "hello\n"
    assert (host / f"sub folder/{FIGURE}.pdf").stat().st_size > 1000
    assert "Nothing to be done" in shown(call())
    assert not (host / "results").exists()
    text = (host / "config.yaml").read_text("utf-8")
    (host / "config.yaml").write_text(text.replace("preset: smoke", "preset: smoek"))
    done = call()
    assert done.returncode == 1
    message = "Error: config of the module: preset: Unknown preset 'smoek'. Known: "
    assert last_line(done).startswith(message)


@pytest.mark.slow
def test_settings_of_a_notebook_or_of_the_user_change_no_figure(
    fresh_project, tmp_path
):
    plain = [f"{FIGURE}.{kind}" for kind in ("pdf", "png")]
    make(fresh_project, *plain)
    expected = [(fresh_project / path).read_bytes() for path in plain]
    mine = tmp_path / "matplotlibrc"
    mine.write_bytes(b"text.usetex: true\naxes.facecolor: black\nbackend: \xff\n")
    done = snakemake(
        fresh_project,
        *(*plain, "--cores", "1", "--forcerun", "fig13"),
        MPLBACKEND="module://nothing.of.that.name",
        MATPLOTLIBRC=str(mine),
    )
    assert done.returncode == 0, shown(done)
    assert [(fresh_project / path).read_bytes() for path in plain] == expected


def test_no_path_at_all_is_enough(fresh_project):
    variables = {k: v for k, v in environment().items() if k != "PATH"}
    command = [sys.executable, "-m", "snakemake", CHOICES, "--cores", "1"]
    done = subprocess.run(
        command, cwd=fresh_project, env=variables, capture_output=True, text=True
    )
    assert done.returncode == 0, shown(done)


def test_programs_that_are_missing_are_named(monkeypatch, tmp_path):
    check_programs("local")
    (tmp_path / "tee").symlink_to(shutil.which("tee"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ValueError, match=r"^bash, cp not found: the PATH lacks"):
        check_programs("local")


def in_the_way(project, what):
    results = project / "results"
    if what == "a file":
        results.touch()
    elif what == "a file below":
        results.mkdir()
        (results / "smoke").touch()
    else:
        results.symlink_to(project / "gone")


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("a file", "results is a file; it must be a folder, or not there"),
        ("a file below", "results/smoke is a file; it must be a folder"),
        ("a link", "results is a link that leads nowhere; it must be a folder"),
    ],
)
def test_what_is_in_the_way_of_results_is_named_before_any_job(
    fresh_project, what, said
):
    in_the_way(fresh_project, what)
    done = snakemake(fresh_project, "--cores", "1", CHOICES)
    assert done.returncode == 1 and "Traceback" not in shown(done)
    assert last_line(done).startswith(f"Error: {said}"), shown(done)


@pytest.fixture
def read_only(fresh_project):
    """Make a folder of a project one that cannot be written to."""
    mounted = []

    def call(name):
        folder = fresh_project / name
        folder.mkdir(parents=True, exist_ok=True)
        for words in (["--bind", folder, folder], ["-o", "remount,ro,bind", folder]):
            done = subprocess.run(["mount", *words], capture_output=True, text=True)
            if done.returncode != 0:
                pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
            mounted.append(folder)

    yield call
    for folder in {*mounted}:
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.skipif(shutil.which("mount") is None, reason="nothing can be mounted")
@pytest.mark.parametrize("name", ["results", "results/smoke/tables", "."])
def test_a_folder_that_is_read_only_is_named_before_any_job(
    fresh_project, read_only, name
):
    read_only(name)
    done = snakemake(fresh_project, "--cores", "1", CHOICES)
    assert done.returncode == 1 and "Traceback" not in shown(done)
    place = os.path.normpath(fresh_project / name)
    assert last_line(done).startswith(f"Error: Cannot write into {place}: it is read-")


def test_folders_that_can_be_made_or_are_there_may_be_written_to(tmp_path):
    check_folders([tmp_path / "x", tmp_path / "a/b/c", "results/new/x"])


@pytest.mark.parametrize("name", ["a{b}", "a:b"])
def test_a_path_with_which_snakemake_fails_is_refused(tmp_path, name):
    check_place(tmp_path / ODD)
    with pytest.raises(ValueError, match=r"The workflow lies in .*Move it, or rename"):
        check_place(tmp_path / name)
