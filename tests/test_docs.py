"""What the documentation says of files, names and code is so."""

import importlib
import importlib.util
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from pipeline import copy_sources, environment

from hgnpipe.hamiltonian import State
from hgnpipe.integrators import rk4, rollout

REPOSITORY = Path(__file__).resolve().parents[1]
PAGES = sorted(
    [*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md")],
    key=lambda page: str(page.relative_to(REPOSITORY)),
)
BLOCK = re.compile(
    r'^( *)```(\w*)(?: title="([^"]+)")?\n(.*?)^\1```$', re.DOTALL | re.MULTILINE
)
ROOTS = (".ci", ".github", "docs", "profiles", "slurm", "src", "tests", "workflow")
PATH = re.compile(rf"`((?:{'|'.join(map(re.escape, ROOTS))})/[\w./-]*)`")


def blocks(page, language):
    """Code blocks of a page: title and text."""
    found = BLOCK.findall(page.read_text("utf-8"))
    return [
        (title, re.sub(rf"^{indent}", "", text, flags=re.MULTILINE))
        for indent, name, title, text in found
        if name == language
    ]


def prose(page):
    """Text of a page without its code blocks."""
    return BLOCK.sub("", page.read_text("utf-8"))


def load(page, title, folder):
    """Module that a code block of a page is when it is saved under its title."""
    (text,) = (text for name, text in blocks(page, "python") if name == title)
    path = folder / Path(title).name
    path.write_text(text, "utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def headings(page):
    """Anchors of the headings of a page, as GitHub and the site make them."""
    titles = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", title).strip().lower() for title in titles]
    return {re.sub(r"[ \-]+", "-", title) for title in plain}


def test_links_lead_to_files_and_headings_that_exist():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
            if "://" in target:
                continue
            name, _, anchor = target.partition("#")
            file = (page.parent / name).resolve() if name else page
            assert file.exists(), (page, target)
            assert not anchor or anchor in headings(file), (page, target)


def test_files_that_a_page_names_exist_or_are_written_by_it():
    for page in PAGES:
        code = [*blocks(page, "python"), *blocks(page, "yaml")]
        written = {title for title, _ in code}
        if page.stem == "add_a_figure":
            written.add("workflow/report/fig14.rst")
        for path in set(PATH.findall(prose(page))) - written:
            assert (REPOSITORY / path).exists(), (page, path)


def test_names_that_examples_import_exist():
    examples = [text for page in PAGES for _, text in blocks(page, "python")]
    for text in examples:
        for module, names in re.findall(r"^from (hgnpipe\S*) import (.+)$", text, re.M):
            found = importlib.import_module(module)
            assert all(hasattr(found, name) for name in names.split(", ")), module


def test_blocks_of_configuration_are_yaml():
    for page in PAGES:
        for _, text in blocks(page, "yaml"):
            assert isinstance(yaml.safe_load(text), dict), page


def test_no_command_gives_its_target_to_an_option():
    for page in PAGES:
        text = page.read_text("utf-8")
        assert not re.search(r"--config(file)? \S+ results/", text), page


def test_the_readme_is_short():
    assert len((REPOSITORY / "README.md").read_text("utf-8").splitlines()) <= 120


def test_the_readme_installs_as_continuous_integration_does():
    install = "pip install -e '.[dev]' -c constraints.txt"
    commands = [text for _, text in blocks(REPOSITORY / "README.md", "bash")]
    counts = [command.count(install) for command in commands]
    assert counts[:2] == [1, 1] and not any(counts[2:])  # the rest uses what is there
    assert commands[0].rstrip().endswith("snakemake --cores 8 results/table1.csv")
    assert commands[1].rstrip().endswith("&& pytest")
    ci = (REPOSITORY / ".ci/run").read_text("utf-8").replace("--quiet ", "")
    assert install in ci


def test_choices_are_a_title_paragraphs_and_tables():
    first, *rest = (REPOSITORY / "docs/choices.md").read_text("utf-8").splitlines()
    assert first == "# Where we had to choose"
    assert sum(line.startswith("| --- ") for line in rest) == 2
    assert not [line for line in rest if line.startswith(("#", "*", "```", "    "))]


def test_every_page_of_the_site_is_in_its_menu():
    text = (REPOSITORY / "mkdocs.yml").read_text("utf-8")
    listed = set(re.findall(r": ([\w/]+\.md)$", text, re.MULTILINE))
    docs = REPOSITORY / "docs"
    pages = {str(p.relative_to(docs)) for p in PAGES if p.is_relative_to(docs)}
    of_presets = re.compile("/(laptop|desk|extended)_")
    assert listed == {page for page in pages if not of_presets.search(page)}


def test_the_documentation_needs_what_is_pinned():
    pins = (REPOSITORY / "constraints.txt").read_text("utf-8")
    for package in ("latex2mathml", "mkdocs", "mkdocs-material", "mkdocstrings"):
        assert re.search(rf"^{package}==", pins, re.MULTILINE), package


def test_the_system_of_the_how_to_conserves_its_energy(tmp_path):
    page = REPOSITORY / "docs/howto/add_a_system.md"
    module = load(page, "src/hgnpipe/systems/quartic.py", tmp_path)
    system = module.Quartic()
    assert isinstance(system, module.System)
    q, p = system.sample_initial_states(np.random.default_rng(0), 20)
    start = State(torch.from_numpy(q), torch.from_numpy(p))
    path = rollout(rk4, system.hamiltonian, start, 0.01, 200)
    energy = system.hamiltonian(path.q, path.p)
    assert ((energy - energy[:, :1]).abs() < 1e-7 * energy[:, :1]).all()
    assert (path.q - path.q[:, :1]).abs().max() > 0.5
    assert system.bodies(q).shape == (20, 1, 2)
    assert abs(system.bodies(q)).max() + system.disc_radius <= system.view


def test_samples_of_the_density_of_the_how_to_have_its_entropy(tmp_path):
    page = REPOSITORY / "docs/howto/add_a_density.md"
    density = load(page, "src/hgnpipe/densities/crescent.py", tmp_path).Crescent(
        bend=0.7
    )
    points = density.sample(np.random.default_rng(0), 100_000)
    entropy = 1 + np.log(2 * np.pi * density.std)  # bending keeps areas
    assert -density.log_density(points).mean() == pytest.approx(entropy, abs=0.01)
    side = np.linspace(-8, 30, 1000)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    mass = np.exp(density.log_density(grid)).sum() * (side[1] - side[0]) ** 2
    assert mass == pytest.approx(1, abs=1e-3)


def test_the_model_of_the_how_to_learns_the_mean_frame(tmp_path):
    page = REPOSITORY / "docs/howto/add_a_model.md"
    module = load(page, "src/hgnpipe/models/mean_frame.py", tmp_path)
    frames = torch.rand(6, 5, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    model = module.MeanFrame(image_size=8)
    optimiser = torch.optim.Adam(model.parameters(), 0.05)
    for iteration in range(200):
        optimiser.zero_grad()
        model.loss(frames, iteration)["loss"].backward()
        optimiser.step()
    shown = model.predict(frames, num_steps=2)
    assert shown.frames.shape == (6, 3, 3, 8, 8)
    assert shown.energy is None and shown.kl is None
    torch.testing.assert_close(
        shown.frames[0, 0], frames.mean((0, 1)), atol=1e-3, rtol=0
    )


def test_the_model_of_the_how_to_is_a_template_of_forty_lines():
    page = REPOSITORY / "docs/howto/add_a_model.md"
    (text,) = (text for title, text in blocks(page, "python") if "mean_frame" in title)
    assert len(text.splitlines()) <= 40


@pytest.mark.slow
def test_the_videos_of_the_how_to_go_all_the_way_to_a_report(tmp_path):
    page = REPOSITORY / "docs/howto/use_your_videos.md"
    project = copy_sources(tmp_path / "project")
    for title in ("draw_pendulums.py", "my.yaml"):
        (text,) = (
            text
            for language in ("python", "yaml")
            for name, text in blocks(page, language)
            if name == title
        )
        (project / title).write_text(text, "utf-8")
    ((_, command),) = blocks(page, "bash")
    for words in (["draw_pendulums.py"], ["-m", *shlex.split(command)]):
        how = {"cwd": project, "env": environment(), "capture_output": True}
        done = subprocess.run([sys.executable, *words], text=True, **how)
        assert done.returncode == 0, done.stdout + done.stderr
    made = project / "results/trial"
    table = pd.read_csv(made / "tables/table1.csv")
    assert {*table.model} == {"hnn", "hgn_leapfrog", "mean_image"}
    assert np.isfinite(table.mse_x1e4).all() and table.skill.isna().all()
    measures = {*pd.read_csv(made / "tables/dynamics.csv").measure}
    there = {"mse_beyond_16_x1e4", "mse_before_8_x1e4", "reversibility_error"}
    assert there <= measures and "energy_r2_linear" not in measures
    report = (made / "report.html").read_text("utf-8")
    assert "The videos of pendulums were not made here" in report
    for name in ("table2", "fig06", "fig07", "fig08", "fig11"):
        assert f'<section id="{name}' in report
    assert 'id="fig05' not in report


@pytest.mark.parametrize("num", [0, 1])
def test_the_figure_of_the_how_to_is_drawn_with_and_without_a_run(tmp_path, num):
    page = REPOSITORY / "docs/howto/add_a_figure.md"
    module = load(page, "workflow/scripts/figures/fig14_kl.py", tmp_path)
    history = tmp_path / "seed0/history.csv"
    history.parent.mkdir()
    history.write_text("iteration,kl\n20,394.0\n40,83.6\n")
    module.main([history][:num], [tmp_path / "fig14.png"])
    assert (tmp_path / "fig14.png").stat().st_size > 1000
