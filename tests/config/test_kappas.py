"""Which rows differ in kappa alone, and what Fig. 15 is asked for."""

import copy
import json
from types import SimpleNamespace

import pytest
import yaml
from pipeline import REPOSITORY
from snakemake.utils import update_config

from hgnpipe.config.checks import check_config
from hgnpipe.config.results import Results
from hgnpipe.config.settings import Settings

GROUP = {
    "hgn_vector_kappa_3": 3e-4, "hgn_vector_kappa_5": 5e-4, "hgn_vector_kappa_10": 1e-3,
}  # fmt: skip
FIRST, *OTHERS = GROUP


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    """The shipped configuration, with the ablations laid over it."""
    config, ablations = (
        yaml.safe_load((REPOSITORY / name).read_text("utf-8"))
        for name in ("config.yaml", "workflow/ablations.yaml")
    )
    update_config(config, ablations)
    return check_config(config, tmp_path_factory.mktemp("checked"))


@pytest.fixture
def models(settings):
    """Blocks of the ablations, to be changed."""
    return copy.deepcopy(settings.blocks["ablation"]["models"])


def results(settings, models):
    return Results(Settings(settings.config, {"ablation": {"models": models}}))


def kappas(settings, models):
    return results(settings, models).kappas("ablation")


def row(kappa, size=1, system="pendulum", **changes):
    options = {"size": size} if kappa is None else {"size": size, "kappa": kappa}
    block = {"family": "hgn", "options": options, "training": {"num_iterations": 1}}
    return {system: block | changes}


def test_rows_of_the_ablations_differ_in_kappa_alone(settings):
    found = Results(settings)
    assert found.kappas("ablation") == {"pendulum": GROUP}
    assert "fig15_kappa" in found.figures("ablation")
    assert "results/figures/fig15_kappa.pdf" in found.current()


@pytest.mark.parametrize("preset", ["smoke", "laptop", "paper"])
def test_those_of_the_other_presets_do_not(settings, preset):
    found = Results(settings)
    assert found.kappas(preset) == {}
    assert "fig15_kappa" not in found.figures(preset)
    wildcards = SimpleNamespace(preset=preset)
    assert found.kappa_runs("errors.csv")(wildcards) == []


def test_the_figure_is_given_every_seed_of_these_rows_and_their_kappas(settings):
    found, wildcards = Results(settings), SimpleNamespace(preset="ablation")
    assert json.loads(found.of_kappas(wildcards)) == {"pendulum": GROUP}
    folder = "results/ablation/runs/pendulum"
    assert sorted(found.kappa_runs("dynamics.csv")(wildcards)) == sorted(
        f"{folder}/{name}/seed{seed}/dynamics.csv"
        for name in GROUP
        for seed in range(3)
    )


@pytest.mark.parametrize(
    ("key", "option"),
    [("options", "num_pairs"), ("options", "extra"), ("training", "num_iterations")],
)
def test_a_row_that_differs_in_something_else_is_left_out(
    settings, models, key, option
):
    models[FIRST]["pendulum"][key][option] = 7
    left = {name: GROUP[name] for name in OTHERS}
    assert kappas(settings, models) == {"pendulum": left}
    models[OTHERS[0]]["pendulum"]["family"] = "other"
    assert kappas(settings, models) == {}


def test_a_row_without_kappa_is_not_compared(settings, models):
    del models[FIRST]["pendulum"]["options"]["kappa"]
    assert FIRST not in kappas(settings, models)["pendulum"]


def test_rows_with_one_kappa_show_no_trade_off(settings):
    assert kappas(settings, {"a": row(1e-4), "b": row(1e-4)}) == {}
    assert kappas(settings, {"a": row(1e-4)}) == kappas(settings, {}) == {}


def test_of_several_groups_the_largest_with_different_kappas_is_shown(settings):
    models = {
        **{f"same{n}": row(1e-4, size=1) for n in range(4)},
        **{f"two{n}": row(n * 1e-4, size=2) for n in (1, 2)},
        **{f"three{n}": row(n * 1e-4, size=3) for n in (1, 2, 3)},
    }
    assert [*kappas(settings, models)["pendulum"]] == ["three1", "three2", "three3"]


def test_rows_are_compared_on_every_system(settings):
    def both(kappa, other, size=1):
        return row(kappa) | row(other, size, system="spring")

    models = {"a": both(1e-4, 3e-4), "b": both(1e-4, 4e-4)}
    assert kappas(settings, models) == {
        "pendulum": {"a": 1e-4, "b": 1e-4}, "spring": {"a": 3e-4, "b": 4e-4},
    }  # fmt: skip
    assert kappas(settings, models | {"b": both(2e-4, 3e-4, size=2)}) == {}
    assert kappas(settings, models | {"b": both(2e-4, None)}) == {}
