import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from hgnpipe.cli.commands import main
from hgnpipe.config.checks import check_config
from hgnpipe.config.plain_yaml import check_yaml

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path, monkeypatch):
    shutil.copytree(
        REPOSITORY / "src",
        tmp_path / "src",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    for name in ("Snakefile", "config.yaml"):
        shutil.copy(REPOSITORY / name, tmp_path)
    shutil.copytree(REPOSITORY / "docs/howto", tmp_path / "docs/howto")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_new_system_moves_and_conserves_its_energy(project, capsys):
    from hgnpipe.data.simulation import simulate

    main(["new", "system", "my_spring"])
    assert "src/hgnpipe/systems/my_spring.py" in capsys.readouterr().out
    system = load(project / "src/hgnpipe/systems/my_spring.py").MySpring()
    made = simulate(system, 5, 31, seed=0)  # or it would complain of the energy
    assert (np.ptp(made.q, axis=1) > 0.5).all()
    assert abs(system.bodies(made.q[:, 0])).max() + system.disc_radius <= system.view


def test_a_new_model_learns(project):
    main(["new", "model", "ours"])
    model = load(project / "src/hgnpipe/models/ours.py").Ours(image_size=8)
    frames = 0.3 * torch.rand(6, 5, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    optimiser = torch.optim.Adam(model.parameters(), 0.05)
    errors = []
    for iteration in range(100):
        optimiser.zero_grad()
        made = model.loss(frames, iteration)
        made["loss"].backward()
        optimiser.step()
        errors.append(float(made["mse"]))
    assert errors[-1] < 0.9 * errors[0]
    assert model.predict(frames, num_steps=9).frames.shape == (6, 10, 3, 8, 8)


def test_a_new_preset_is_one_that_the_workflow_takes(project, tmp_path):
    import yaml
    from snakemake.utils import update_config

    main(["new", "preset", "mine"])
    check_yaml(Path("mine.yaml"))
    config = yaml.safe_load(Path("config.yaml").read_text())
    update_config(config, yaml.safe_load(Path("mine.yaml").read_text()))
    settings = check_config(config, tmp_path / "cache", ["config.yaml", "mine.yaml"])
    assert settings.config.preset == "mine"
    assert list(settings.blocks["mine"]["models"]) == ["hgn_vector", "hgn_leapfrog"]


@pytest.mark.parametrize("kind", ["system", "model"])
def test_without_the_page_of_its_example_nothing_is_begun(project, kind):
    (project / f"docs/howto/add_a_{kind}.md").unlink()
    with pytest.raises(SystemExit, match=rf"add_a_{kind}.md is not there"):
        main(["new", kind, "ours"])
    assert not (project / f"src/hgnpipe/{kind}s/ours.py").exists()


@pytest.mark.parametrize("name", ["My", "2d", "a-b", "a.b", ""])
def test_a_name_that_no_file_can_have_is_answered_with_what_is_legal(project, name):
    with pytest.raises(SystemExit, match=r"name.*lower case letters"):
        main(["new", "system", name])


def test_nothing_is_overwritten(project):
    before = (project / "src/hgnpipe/systems/pendulum.py").read_text()
    with pytest.raises(SystemExit, match=r"pendulum.py exists"):
        main(["new", "system", "pendulum"])
    assert (project / "src/hgnpipe/systems/pendulum.py").read_text() == before


def test_elsewhere_it_says_where_to_go(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="not the project's folder"):
        main(["new", "preset", "mine"])
    assert not list(tmp_path.iterdir())
