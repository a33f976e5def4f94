import math
import re
import sys
from datetime import date
from pathlib import Path
from typing import Literal

import pytest

from hgnpipe.collection import (
    Collection,
    check_options,
    legal_values,
    lookup,
    require,
)
from hgnpipe.densities import DENSITIES
from hgnpipe.flows import FLOWS
from hgnpipe.models import MODELS
from hgnpipe.systems import SYSTEMS

SHIPPED = {
    "systems": (SYSTEMS, {"mass_spring", "pendulum", "two_body", "three_body"}),
    "densities": (
        DENSITIES, {"modes", "two_moons", "rings", "spirals", "checkerboard"},
    ),
    "models": (MODELS, {"hgn", "pixelhnn"}),
    "flows": (FLOWS, {"nhf", "realnvp"}),
}  # fmt: skip
every_collection = pytest.mark.parametrize(
    ("collection", "shipped"), SHIPPED.values(), ids=SHIPPED
)

TOYS = {
    "__init__": "",
    "base": "class Base: ...",
    "_wheels": "class Wheels: ...",
    "toy_car": """
from toys._wheels import Wheels
def helper(): ...
class _ToyCar: ...
class ToyCar:
    def __init__(self, doors: int, length: tuple[float, float] = (1.0, 2.0), *,
                 name: str = "", tows: bool = False, load: float = 0.0):
        self.doors, self.length, self.name, self.load = doors, length, name, load
    @staticmethod
    def unused_options(options):
        return set() if options["tows"] else {"load"}
""",
    "kite": "def kite(colour: str = 'red'): return colour",
    "broken": "raise RuntimeError",
    "empty": "from toys.kite import kite",
}


@pytest.fixture
def toys(tmp_path, monkeypatch):
    (tmp_path / "toys").mkdir()
    for name, text in TOYS.items():
        (tmp_path / "toys" / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield Collection("toy", "toys")
    for name in [n for n in sys.modules if n.partition(".")[0] == "toys"]:
        del sys.modules[name]


@every_collection
def test_the_names_are_those_of_the_files(collection, shipped):
    assert set(collection.names()) >= shipped
    assert collection.names() == sorted(collection.names())


@every_collection
def test_each_file_holds_what_it_is_called_after(collection, shipped):
    for name in collection.names():
        assert collection.find(name).__module__ == f"{collection.package}.{name}"


def test_listing_the_names_imports_none_of_them(toys):
    assert toys.names() == ["broken", "empty", "kite", "toy_car"]
    assert not [name for name in sys.modules if name.startswith("toys.")]


def test_only_the_file_that_is_asked_for_is_imported(toys):
    assert toys.build("kite") == "red"
    assert [name for name in sys.modules if name.startswith("toys.")] == ["toys.kite"]


def test_a_file_that_is_added_is_found(toys, tmp_path):
    (tmp_path / "toys" / "drum.py").write_text("class Drum: ...")
    assert type(toys.build("drum")).__name__ == "Drum"


@pytest.mark.parametrize("name", ["car", "base", "_wheels", "__init__", "../kite", ""])
def test_a_name_without_a_file_is_answered_with_those_that_have_one(toys, name):
    known = "Known: broken, empty, kite, toy_car."
    with pytest.raises(ValueError, match=f"^Unknown toy '{name}'. {known}$"):
        toys.find(name)


def test_a_file_without_anything_of_its_name_is_named(toys):
    with pytest.raises(ValueError, match=r"toys.empty defines no class or function of"):
        toys.find("empty")


def test_options_are_checked_before_anything_is_built(toys):
    with pytest.raises(ValueError, match="Option 'doors' of toy 'toy_car' is '4'"):
        toys.build("toy_car", doors="4")
    with pytest.raises(ValueError, match=r"'colour' of toy 'toy_car'. Known: doors"):
        toys.check("toy_car", {"doors": 4, "colour": "red"})


def test_a_list_becomes_the_tuple_that_is_annotated(toys):
    built = toys.build("toy_car", doors=4, length=[0.5, 3.0], name="a")
    assert (built.doors, built.length, built.name) == (4, (0.5, 3.0), "a")


def test_a_number_stays_as_it_is_written(toys):
    load = toys.build("toy_car", doors=4, load=2).load
    assert load == 2 and isinstance(load, int)


@pytest.mark.parametrize(
    ("options", "unused"),
    [
        ({"doors": 1}, set()),
        ({"doors": 1, "load": 2.0}, {"load"}),
        ({"doors": 1, "load": 2.0, "tows": False}, {"load"}),
        ({"doors": 1, "load": 2.0, "tows": True}, set()),
    ],
)
def test_options_that_are_given_in_vain_are_named(toys, options, unused):
    assert toys.unused("toy_car", options) == unused


def test_without_a_word_about_it_every_option_has_an_effect(toys):
    assert toys.unused("kite", {"colour": "blue"}) == set()


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
        ("size", 31.0), ("range", [True, 1.0]), ("name", date(2020, 1, 2)),
        ("name", ["a"]), ("speed", {"pendulum": 1.0}),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_answered_with_its_option(name, value):
    with pytest.raises(
        ValueError, match=rf"Option '{name}' of build is {re.escape(repr(value))}"
    ):
        check_options("build", build, LEGAL | {name: value})


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("name", ["speed", "limit", "range"])
def test_a_number_that_is_not_finite_is_refused(name, value):
    given = [0.5, value] if name == "range" else value
    with pytest.raises(ValueError, match=rf"Option '{name}'.*; it must be finite\.$"):
        check_options("build", build, LEGAL | {name: given})


def test_an_option_that_is_misspelt_is_named_before_the_one_that_is_missing():
    with pytest.raises(ValueError, match="Unknown option 'sise' of build"):
        check_options("build", build, {"sise": 3})


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


@pytest.mark.parametrize("text", ["fast", "inf", "nan", ""])
def test_a_text_that_is_no_number_gets_no_such_advice(text):
    with pytest.raises(ValueError, match=r"it must be a number\.$"):
        check_options("build", build, {"size": 3, "speed": text})


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (int, "a whole number"),
        (float | None, "a number or null"),
        (bool, "true or false"),
        (tuple[float, float], "a list of 2 numbers"),
        (list[float] | tuple[float, float], "a list of 2 numbers"),
        (tuple[int, ...], "a list of whole numbers"),
        (list[str] | None, "a list of texts or null"),
        (dict[str, int], "keys and their values"),
        (list[dict], "a list of keys and their values"),
        (Literal["a", "b"], "'a' or 'b'"),
        (Path, "a path"),
        (list[Path], "a list of paths"),
    ],
)
def test_types_are_said_in_words(hint, words):
    assert legal_values(hint) == words
