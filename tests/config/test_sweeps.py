"""A sweep is resolved into ordinary rows; one that is none is told in one line."""

import copy
import json
import re
from types import SimpleNamespace

import pytest
import yaml
from good_config import GOOD

from hgnpipe.config.checks import check_config
from hgnpipe.config.results import Results
from hgnpipe.config.sweeps import base_of, value_word

RATES = {"sweep": [1e-3, 2e-3, 4e-3]}
SLOW, MIDDLE, FAST = (f"mine.learning_rate={value}" for value in (0.001, 0.002, 0.004))
MINE = {"label": "Mine", "family": "hgn", "options": {"dt": 0.1}}


@pytest.fixture
def config():
    """A small configuration with a row of a name of its own, and no sweep."""
    made = yaml.safe_load(GOOD)
    made["models"]["mine"] = copy.deepcopy(MINE)
    for part in ("hnn_check", "flows"):
        del made["presets"]["tiny"][part]
    made["presets"]["other"] = copy.deepcopy(made["presets"]["tiny"])
    made["presets"]["tiny"]["models"] = ["mine", "hnn"]
    return made


@pytest.fixture
def check(tmp_path):
    def run(config):
        return check_config(config, tmp_path / "checked", code="code")

    return run


def put(config, value, *path):
    for key in path[:-1]:
        config = config.setdefault(key, {})
    config[path[-1]] = value


def rows(settings, key, option, preset="tiny"):
    """What the rows of a preset get, on one system."""
    found = settings.blocks[preset]["models"].items()
    return {row: systems["spring"][key].get(option) for row, systems in found}


TRAINING = ("presets", "tiny", "training", "mine")
OPTIONS = ("presets", "tiny", "options", "mine")


def test_a_training_value_makes_a_row_for_each_value_in_the_place_of_its_row(
    config, check
):
    put(config, RATES, *TRAINING, "learning_rate")
    put(config, 7, *TRAINING, "num_iterations")
    settings = check(config)
    assert rows(settings, "training", "learning_rate") == {
        SLOW: 1e-3, MIDDLE: 2e-3, FAST: 4e-3, "hnn": 1e-3,
    }  # fmt: skip
    assert rows(settings, "training", "num_iterations")[FAST] == 7
    assert rows(settings, "options", "dt")[FAST] == 0.1  # as the row itself has it
    labels = json.loads(settings.labels(SimpleNamespace(preset="tiny")))
    assert labels[MIDDLE] == "Mine, learning_rate=0.002"
    # Presets that list no rows have those that are written, as before.
    assert [*settings.blocks["other"]["models"]] == ["hgn", "hnn", "mine"]


def test_a_sweep_of_the_row_itself_is_one_in_every_preset_that_has_no_value_of_its_own(
    config, check
):
    put(config, {"sweep": [0.1, 0.2]}, "models", "mine", "options", "dt")
    put(config, 0.3, "presets", "other", "options", "mine", "dt")
    settings = check(config)
    assert rows(settings, "options", "dt") == {
        "mine.dt=0.1": 0.1, "mine.dt=0.2": 0.2, "hnn": None,
    }  # fmt: skip
    assert rows(settings, "options", "dt", "other") == {
        "hgn": 0.1, "hnn": None, "mine": 0.3,
    }  # fmt: skip


def test_several_sweeps_of_a_row_are_combined(config, check):
    put(config, {"sweep": [0.1, 0.2]}, "models", "mine", "options", "dt")
    put(config, {"sweep": [[0.1, 20], [1, 10]]}, *OPTIONS, "multiplier_bounds")
    put(config, {"sweep": [1, 2]}, *TRAINING, "batch_size")
    settings = check(config)
    swept = [row for row in settings.models("tiny") if row != "hnn"]
    assert swept == [
        f"mine.dt={dt},multiplier_bounds={bounds},batch_size={size}"
        for dt in (0.1, 0.2)
        for bounds in ("0.1_20", "1_10")
        for size in (1, 2)
    ]
    assert rows(settings, "options", "multiplier_bounds")[swept[-1]] == [1, 10]


def test_sweeps_of_two_presets_leave_each_other_alone(config, check):
    for preset, values in {"tiny": [0.1, 0.2], "other": [0.2, 0.4]}.items():
        put(config, {"sweep": values}, "presets", preset, "options", "mine", "dt")
    settings = check(config)
    assert rows(settings, "options", "dt")["mine.dt=0.2"] == 0.2
    other = rows(settings, "options", "dt", "other")
    assert [*other] == ["hgn", "hnn", "mine.dt=0.2", "mine.dt=0.4"]


def test_words_switches_and_nothing_can_be_swept(config, check):
    put(config, {"sweep": ["euler", "leapfrog"]}, *OPTIONS, "integrator")
    put(config, {"sweep": [True, False]}, *OPTIONS, "deterministic")
    put(config, {"sweep": [None, 1]}, *TRAINING, "max_grad_norm")
    names = check(config).models("tiny")
    assert len(names) == 9
    assert "mine.integrator=euler,deterministic=true,max_grad_norm=null" in names
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9_.,=+-]*", name) for name in names)


def test_a_sweep_has_one_table_and_one_figure_of_its_runs(config, check):
    put(config, RATES, *TRAINING, "learning_rate")
    results = Results(check(config))
    assert results.tables("tiny")[-1] == "sweep_mine"
    assert "fig16_sweep_mine" in results.figures("tiny")
    wanted = results.current()
    assert {"results/sweep_mine.csv", "results/figures/fig16_sweep_mine.pdf"} <= {
        *wanted
    }
    job = SimpleNamespace(preset="tiny", row="mine")
    assert json.loads(results.of_sweep(job))[SLOW] == {"learning_rate": 0.001}
    runs = results.sweep_runs("errors.csv")(job)
    assert len(runs) == 3 * 2 * 2  # values, systems, seeds
    assert f"results/tiny/runs/orbit/{FAST}/seed1/errors.csv" in runs
    with pytest.raises(ValueError, match="Unknown sweep 'hnn' of preset 'tiny'"):
        results.of_sweep(SimpleNamespace(preset="tiny", row="hnn"))


def test_snakemakes_report_is_given_the_configuration_as_it_is_written(config, check):
    put(config, RATES, *TRAINING, "learning_rate")
    settings = check(config)
    told = json.loads(Results(settings).of_report(SimpleNamespace(preset="tiny")))
    assert [*told["models"]] == ["mine", "hnn"]
    assert Results(check(told)).sweeps("tiny") == Results(settings).sweeps("tiny")


def test_without_a_sweep_the_configuration_is_that_of_the_file(config, check):
    settings = check(config)
    assert settings.config is settings.written
    assert Results(settings).sweeps("tiny") == {}


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (1e-5, "1e-05"),
        (16, "16"),
        (True, "true"),
        (None, "null"),
        ([0.1, -2], "0.1_-2"),
    ],
)
def test_values_as_names_of_folders(value, word):
    assert value_word(value) == word
    assert base_of(f"mine.dt={word}") == base_of(f"mine.a=1,b={word}") == "mine"
    assert base_of(f"mine.dt={word} (spring)") == "mine (spring)"


MISTAKES = [
    ({"sweep": []}, "sweep is []; it must be a list of two values or more."),
    ({"sweep": [0.1]}, "sweep is [0.1]; it must be a list of two values or more."),
    ({"sweep": 0.1}, "sweep is 0.1; it must be a list of two values or more."),
    ({"sweep": [1, 1.0]}, "it must be different values: 1 is there twice."),
    ({"sweep": ["1e-3", "2e-3"]},
     "value of a sweep is '1e-3'; it must be a number, a word, true, false, null, or "
     "a list of those (YAML reads this as text; write it like 1.0e-03)."),
    ({"sweep": ["a b", "c"]}, "value of a sweep is 'a b'; it must be a number, a word"),
    ({"sweep": [{"spring": 1}, 2]}, "value of a sweep is {'spring': 1}; it must be a"),
    ({"sweep": [1, 2], "default": 1}, "it must be {sweep: [...]} alone"),
    ({"spring": {"sweep": [1, 2]}}, "it must be the whole value: {sweep: [...]}"),
    ({"sweep": list(range(1, 102))}, "is 101; it must be at most 100"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "message"), MISTAKES)
def test_what_is_no_sweep_is_told_in_one_line(config, check, value, message):
    put(config, value, *OPTIONS, "dt")
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        check(config)
    assert "\n" not in str(error.value)
    assert str(error.value).startswith("config.yaml: presets.tiny.")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ((*TRAINING, "learning_rat"), RATES,
         "config.yaml: presets.tiny.training.mine (spring): Unknown"),
        ((*TRAINING, "learning_rate"), {"sweep": [1.0, -1.0]},
         "presets.tiny.training.mine (spring): learning_rate is -1.0; it must be"),
        (("models", "mine", "options", "dt"), {"sweep": [0.1, "fast"]},
         "models.mine.options (spring): Option 'dt' of model family 'hgn' is 'fast'"),
        (("presets", "tiny", "training", "hgn", "batch_size"), {"sweep": [1, 2]},
         "presets.tiny.training.hgn.batch_size: sweep of hgn is"),
        (("presets", "tiny", "training", "absent", "batch_size"), {"sweep": [1, 2]},
         "presets.tiny.training.absent.batch_size: sweep of absent is"),
    ],
)  # fmt: skip
def test_a_mistake_is_placed_where_it_is_written(config, check, path, value, message):
    put(config, value, *path)
    with pytest.raises(ValueError, match=re.escape(message)):
        check(config)


def test_an_option_is_not_swept_twice_and_no_system_is_called_sweep(config, check):
    put(config, {"sweep": [0.1, 0.2]}, *OPTIONS, "dt")
    put(config, {"sweep": [0.1, 0.2]}, *TRAINING, "dt")
    with pytest.raises(ValueError, match="an option or a training value, not both"):
        check(config)
    del config["presets"]["tiny"]["options"], config["presets"]["tiny"]["training"]
    put(config, {}, "presets", "tiny", "training")
    put(config, {"kind": "mass_spring"}, "systems", "sweep")
    with pytest.raises(ValueError, match="name of a system is 'sweep'"):
        check(config)
