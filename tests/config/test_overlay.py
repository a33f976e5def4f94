import pytest

from hgnpipe.config.overlay import for_system, layers_of, merged
from hgnpipe.config.schema import Row

ROW = Row(label="Mine", family="hgn", options={"dt": 0.2})
OVERLAY = {
    "hgn": {"dt": 0.1, "kappa": {"orbit": 2.0, "default": 1.0}, "num_filters": 4},
    "mine": {"num_filters": 8},
    "other": {"dt": 9.0},
}


def options_of(name, row, overlay, system=None, rows="models"):
    return merged(layers_of(name, row, overlay, ("options",), rows), system)


def test_a_row_is_laid_over_its_family_and_its_own_block_over_both():
    assert options_of("mine", ROW, OVERLAY, "orbit") == {
        "dt": 0.2,
        "kappa": 2.0,
        "num_filters": 8,
    }


def test_training_knows_no_options_of_the_row():
    assert options_of("mine", ROW, OVERLAY, "orbit", rows="")["dt"] == 0.1


@pytest.mark.parametrize(
    ("system", "value"), [("orbit", {"a": 2, "b": 3}), ("new", {"a": 1, "b": 3})]
)
def test_a_value_per_system_is_the_one_of_the_system_or_the_default(system, value):
    assert for_system({"a": {"default": 1, "orbit": 2}, "b": 3}, system) == value


def test_without_a_default_a_new_system_gets_what_lies_below():
    overlay = {"hgn": {"kappa": 1.0}, "mine": {"kappa": {"orbit": 2.0}}}
    assert options_of("mine", ROW, overlay, "new")["kappa"] == 1.0
    assert "kappa" not in options_of("mine", ROW, {"mine": overlay["mine"]}, "new")


def test_a_row_with_the_name_of_its_family_is_laid_over_once():
    assert options_of("hgn", ROW, OVERLAY)["dt"] == 0.2
