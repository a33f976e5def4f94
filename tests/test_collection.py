import re

import pytest

from hgnpipe.collection import check_options, lookup, require


def build(
    size: int,
    *,
    speed: float = 1.0,
    limit: float | None = None,
    range: tuple[float, float] = (0.0, 1.0),
    name: str = "",
) -> None: ...


def test_lookup_gives_the_entry_of_that_name():
    assert lookup("shape", "disc", {"disc": 1, "square": 2}) == 1


def test_an_unknown_name_is_answered_with_the_known_ones():
    message = "Unknown shape 'dsic'. Known: disc, square."
    with pytest.raises(ValueError, match=f"^{message}$"):
        lookup("shape", "dsic", {"square": 2, "disc": 1})


LEGAL = {"size": 3, "speed": 2.0, "limit": None, "range": [0.5, 1], "name": "a"}


def test_options_of_the_signature_pass():
    check_options("build", build, LEGAL)


def test_options_with_a_default_may_be_left_out():
    check_options("build", build, {"size": 3})


def test_an_unknown_option_is_named_beside_the_known_ones():
    with pytest.raises(ValueError, match=r"'sped' of build.*Known: size, speed"):
        check_options("build", build, {"size": 3, "sped": 1.0})


def test_a_missing_option_is_named():
    with pytest.raises(ValueError, match="Missing option 'size' of build"):
        check_options("build", build, {"speed": 1.0})


@pytest.mark.parametrize(
    ("name", "value"),
    [("size", 3), ("speed", 2), ("limit", 1), ("limit", 0.5), ("range", (1, 2))],
)
def test_a_value_that_means_the_annotated_type_passes(name, value):
    check_options("build", build, LEGAL | {name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("size", 3.5), ("size", True), ("size", "3"), ("size", None),
        ("speed", "1e-3"), ("speed", False), ("limit", "none"),
        ("range", [1.0]), ("range", [1.0, "2"]), ("range", 1.0), ("name", 3),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_answered_with_its_option(name, value):
    with pytest.raises(
        ValueError, match=rf"Option '{name}' of build is {re.escape(repr(value))}"
    ):
        check_options("build", build, LEGAL | {name: value})


def test_a_class_is_checked_by_its_constructor():
    class Built:
        def __init__(self, size: int) -> None: ...

    check_options("built", Built, {"size": 3})
    with pytest.raises(ValueError, match="'size' of built"):
        check_options("built", Built, {"size": "3"})


def test_a_requirement_names_the_option_its_value_and_what_is_legal():
    with pytest.raises(ValueError, match=r"^num is '0'; it must be 1 or more\.$"):
        require(False, "num", "0", "1 or more")


def test_a_requirement_that_holds_is_silent():
    require(True, "num", 1, "1 or more")


@pytest.mark.parametrize(("text", "legal"), [("2e-3", "2.0e-03"), ("1e3", "1000")])
def test_a_number_that_yaml_reads_as_text_is_answered_with_how_to_write_it(text, legal):
    with pytest.raises(ValueError, match=re.escape(f"write it like {legal})")):
        check_options("build", build, {"size": 3, "speed": text})
