"""The notebooks of the site run from the first cell to the last, hardly trained."""

import ast
import json
import re

import matplotlib
import matplotlib.pyplot as plt
import pytest
from notebooks import cells_of, run_notebook
from pipeline import REPOSITORY

import hgnpipe
from hgnpipe.models import load_model
from hgnpipe.reporting.clips import Clip

FOLDER = REPOSITORY / "docs/notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
SHORT = {"num_iterations": 2}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder to work in, and no window."""
    monkeypatch.chdir(tmp_path)
    matplotlib.use("agg")
    yield tmp_path
    plt.close("all")


def test_the_tutorial_makes_a_film_a_portrait_and_a_file(here):
    names, shown = run_notebook(FOLDER / "tutorial.ipynb", **SHORT)
    shape, film, portrait = shown
    assert shape == (500, 31, 16, 16, 3)
    assert isinstance(film, Clip) and len(film.videos["rollout, speed 1"]) == 61
    assert film._repr_html_().startswith("<video")
    assert isinstance(portrait, plt.Figure)
    assert len(names["history"]) == 1 and plt.get_fignums()  # the curve
    assert (here / "backwards.mp4").stat().st_size > 1000
    assert load_model(here / "mass_spring.safetensors").num_frames == 31


def test_the_other_notebook_compares_what_was_learned_with_the_truth(here, capsys):
    names, shown = run_notebook(FOLDER / "what_did_it_learn.ipynb", **SHORT)
    portrait, outcome = shown
    assert isinstance(portrait, plt.Figure)
    assert 0 <= outcome.r2 <= 1 and outcome.score in (0, 1)
    assert names["found"].energy.shape == names["energy"].shape == (100, 61)
    drift = re.findall(r"(\w+) energy: (\S+)", capsys.readouterr().out)
    assert [name for name, _ in drift] == ["true", "learned"]
    assert float(drift[0][1]) < 1e-6
    assert len(plt.get_fignums()) == 2


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_holds_no_output_and_imports_what_the_page_says(path):
    notebook = json.loads(path.read_text("utf-8"))
    for cell in notebook["cells"]:
        assert not cell.get("outputs") and cell.get("execution_count") is None
    code = "\n".join(text for text, _ in cells_of(path))
    modules = {
        name
        for node in ast.walk(ast.parse(code))
        for name in (
            [one.name for one in node.names] if isinstance(node, ast.Import)
            else [node.module] if isinstance(node, ast.ImportFrom) else []
        )
    }  # fmt: skip
    page = (REPOSITORY / "docs/howto/notebooks.md").read_text("utf-8")
    own = {name for name in modules if name.startswith("hgnpipe.")}
    assert modules - own <= {"hgnpipe", "numpy", "matplotlib.pyplot"}
    assert all(f"`{name}`" in page for name in own)
    used = set(re.findall(r"hgn\.(\w+)", code))
    assert used <= {*hgnpipe.__all__}
    assert [tags for _, tags in cells_of(path)].count(["parameters"]) == 1


def test_the_tutorial_is_about_fifteen_lines_long():
    code = "\n".join(text for text, _ in cells_of(FOLDER / "tutorial.ipynb"))
    assert len(ast.parse(code).body) <= 20


def test_links_of_notebooks_lead_somewhere():
    for path in NOTEBOOKS:
        text = path.read_text("utf-8")
        for link in re.findall(r"\]\(([^)]+)\)", text):
            assert (FOLDER / link).exists(), (path.name, link)


def test_notebooks_are_the_files_that_the_page_names():
    page = (REPOSITORY / "docs/howto/notebooks.md").read_text("utf-8")
    named = {*re.findall(r"\.\./notebooks/(\w+\.ipynb)", page)}
    assert named == {path.name for path in NOTEBOOKS}
