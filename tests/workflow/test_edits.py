"""What reruns after an edit of the finished smoke preset: that, and nothing else."""

import re

import pytest
from test_workflow import (
    COSTS,
    FLOW_TABLES,
    HGNS,
    LEARNED,
    NHFS,
    TABLES,
    append,
    edit,
    flows_of,
    models_of,
    remade,
)

pytestmark = pytest.mark.slow

OF = {  # where a file lies below results/smoke/, and the stage that makes it
    r"data/(\w+)/\w+_trajectories.h5": "simulate",
    r"data/(\w+)/\w+_videos.h5": "render",
    r"data/(\w+)/\w+_motion.h5": "extend",
    r"runs/\w+/(\w+)/seed0/(?:model.safetensors|history.csv|run.json)": "train",
    r"runs/\w+/(\w+)/seed0/errors.(?:csv|h5)": "evaluate",
    r"runs/\w+/(\w+)/seed0/dynamics.csv": "measure",
    r"runs/\w+/(\w+)/seed0/films.h5": "film",
    r"references/\w+_dynamics.csv": "measure references",
    r"references/\w+.(?:csv|h5)": "evaluate references",
    r"flows/\w+/points.h5": "draw points",
    r"flows/\w+/references.csv": "evaluate flow references",
    r"flows/costs.csv": "flow costs",
    r"flows/\w+/(\w+)/seed0/(?:flow.safetensors|history.csv|run.json)": "train flow",
    r"flows/\w+/(\w+)/seed0/likelihood.csv": "evaluate flow",
    r"flows/\w+/(\w+)/seed0/portrait.h5": "portrait",
    r"hnn_check/\w+/states.(?:csv|h5)": "check hnn",
    r"hnn_check/\w+/pixels.(?:csv|h5)": "check pixelhnn",
    r"tables/(\w+)\.\w+": "table",
    r"figures/(fig\d+)_\w+\.\w+": "figure",
    r"report.html": "report",
}
FAMILY = {
    "hnn": "pixelhnn", "hnn_conv": "pixelhnn", "hgn_euler": "hgn", "hgn_determ": "hgn",
    "hgn_no_f_psi": "hgn", "hgn_leapfrog": "hgn", "hgn_vector": "hgn",
    "rnvp_3": "realnvp", "nhf_2": "nhf",
}  # fmt: skip
RUN, FLOW_RUN = (
    ("train", "evaluate", "measure", "film"),
    ("train flow", "evaluate flow"),
)


def stages(paths):
    """Stages that make some files, with the family or the table that they are of."""
    found = set()
    for path in paths:
        place = path.removeprefix("results/").removeprefix("smoke/")
        if path == f"results/{place}":
            continue  # a copy of what lies below results/smoke/
        stage, match = next(
            (s, m) for p, s in OF.items() if (m := re.fullmatch(p, place))
        )
        word = match.group(1) if match.groups() else ""
        found.add(f"{stage} {FAMILY.get(word, word)}".strip())
    return found


def each(names, *words):
    return {f"{name} {word}" for name in names for word in words}


DATA = {f"{stage} {s}" for stage in ("simulate", "render", "extend")
        for s in ("mass_spring", "two_body")} | {"simulate pendulum_30"}  # fmt: skip
REFERENCES = {"measure references", "evaluate references"}
OF_RUNS = each(["table"], "table1", "table2", "dynamics", "provenance") | each(
    ["figure"], "fig06", "fig07", "fig08", "fig11", "fig12"
)
OF_HGN = each(RUN, "hgn") | OF_RUNS - {"figure fig12"} | {"report"}
OF_NHF = each([*FLOW_RUN, "portrait"], "nhf") | {
    "flow costs", "table flows", "table provenance", "figure fig09", "figure fig10",
    "report",
}  # fmt: skip
CHECKS = {"check hnn", "check pixelhnn", "table hnn_check", "figure fig14"}
ALL_RUNS = each(RUN, "hgn", "pixelhnn") | OF_RUNS | {"report"}

SYSTEM = """
from hgnpipe.systems.pendulum import Pendulum


class Double(Pendulum):
    \"\"\"A pendulum of another name.\"\"\"
"""
DENSITY = """
from hgnpipe.densities.rings import rings


def tori():
    \"\"\"Rings of another name.\"\"\"
    return rings()
"""


def add(project, path, text):
    (project / path).write_text(text, "utf-8")


def add_a_system(project):
    add(project, "src/hgnpipe/systems/double.py", SYSTEM)
    edit(project, "config.yaml", "systems:\n", "systems:\n  double: {kind: double}\n")


def add_a_density(project):
    add(project, "src/hgnpipe/densities/tori.py", DENSITY)
    edit(project, "config.yaml", "densities:\n", "densities:\n  tori: {kind: tori}\n")


def add_a_family(project):
    text = "from hgnpipe.models.hgn import HGN\n\nMine = HGN\n"
    add(project, "src/hgnpipe/models/mine.py", text)


def add_a_flow(project):
    text = "from hgnpipe.flows.nhf import NHF\n\nMine = NHF\n"
    add(project, "src/hgnpipe/flows/mine.py", text)
    row = "flows:\n  mine: {label: Mine, family: mine}\n"
    edit(project, "config.yaml", "\nflows:\n", "\n" + row)


def add_an_integrator(project):
    path = "src/hgnpipe/integrators.py"
    edit(project, path, '    "rk4": rk4,\n', '    "rk4": rk4,\n    "again": rk4,\n')


def reword_errors(project):
    edit(project, "src/hgnpipe/files/whole.py", "does not exist", "is not there")
    edit(project, "src/hgnpipe/collection.py", 'f"Unknown {kind}', 'f"No such {kind}')
    edit(
        project,
        "src/hgnpipe/models/_latent_video.py",
        "no prior to sample",
        "nothing to sample",
    )
    edit(
        project,
        "src/hgnpipe/models/_latent_parts.py",
        '"2 or more"',
        '"at least 2"',
    )


def changes(path):
    return lambda project: append(project, path, "NEW = 1")


EDITS = {
    "add a system": (add_a_system, set()),
    "add a density": (add_a_density, set()),
    "add a family": (add_a_family, set()),
    "add a flow": (add_a_flow, set()),
    "add an integrator": (
        add_an_integrator,
        ALL_RUNS | OF_NHF | CHECKS - {"check hnn"} | {"figure fig13"},
    ),
    "reword errors": (reword_errors, set()),
    "progress bar": (changes("src/hgnpipe/runtime/progress.py"), set()),
    "provenance": (changes("src/hgnpipe/runtime/provenance.py"), set()),
    "hgn.py": (changes("src/hgnpipe/models/hgn.py"), OF_HGN),
    "nhf.py": (changes("src/hgnpipe/flows/nhf.py"), OF_NHF),
    "solver.py": (
        changes("src/hgnpipe/data/solver.py"),
        DATA | REFERENCES | ALL_RUNS | CHECKS | {"figure fig05"},
    ),
    "a figure": (
        changes("workflow/scripts/figures/fig06_mse_per_frame.py"),
        {"figure fig06", "report"},
    ),
}


def only_hgns(plan):
    assert models_of(plan) == HGNS
    assert plan >= TABLES and not plan & FLOW_TABLES


def only_nhfs(plan):
    assert flows_of(plan) == NHFS != LEARNED
    assert plan >= FLOW_TABLES | {COSTS} and not plan & TABLES


def only_this_figure(plan):
    names = ["figures/fig06_mse_per_frame.pdf", "figures/fig06_mse_per_frame.png"]
    assert plan == {
        f"results/{place}{name}"
        for place in ("", "smoke/")
        for name in [*names, "report.html"]
    }


FILES = {"hgn.py": only_hgns, "nhf.py": only_nhfs, "a figure": only_this_figure}


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_reruns_what_depends_on_it_and_nothing_else(project, name):
    change, rerun = EDITS[name]
    change(project)
    plan = remade(project)
    assert stages(plan) == rerun
    if name in FILES:
        FILES[name](plan)
