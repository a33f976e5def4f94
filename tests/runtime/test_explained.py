"""Options, and mistakes on a command line, in words."""

import runpy
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TypedDict

import pytest
from command_lines import find

from hgnpipe.runtime.command import run
from hgnpipe.runtime.explained import Option, families_help, meanings_of, options_of


class Recipe(TypedDict):
    """What to bake."""

    flour: int
    shapes: list[str]


@dataclass
class Base:
    """Something.

    Attributes:
        size: How large
            it is.
        other: Replaced.
    """

    size: float
    other: int = 1


@dataclass
class Special(Base):
    """Something special.

    Attributes:
        other: Said
            anew.

    Raises:
        ValueError: Never.
    """

    flag: bool | None = None


def main(files: list[Path], labels: dict, recipe: Recipe, num: int = 1) -> None:
    """Do something.

    Args:
        files: What to read.
        labels: How they are called.
        recipe: What to do.

        num: How often.
    """


def test_options_have_names_legal_values_defaults_and_meanings():
    assert options_of(Special) == [
        Option("size", "a number", "", "How large it is."),
        Option("other", "a whole number", "1", "Said anew."),
        Option("flag", "true or false or null", "null", ""),
    ]


def test_meanings_are_found_beyond_an_empty_line_and_only_of_arguments():
    assert list(meanings_of(main)) == ["files", "labels", "recipe", "num"]
    assert "ValueError" not in meanings_of(Special)


@pytest.fixture
def called(monkeypatch, capsys):
    """What a script says on its command line."""
    monkeypatch.setattr("signal.signal", lambda *_: None)

    def call(*words, **how):
        monkeypatch.setattr("sys.argv", ["main", *words])
        with pytest.raises(SystemExit) as left:
            run(main, **how)
        return SimpleNamespace(code=left.value.code, out=capsys.readouterr().out)

    return call


GOOD = ["--files", "a", "--labels", "{}", "--recipe", '{"flour": 1, "shapes": []}']


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--labels", "x"], "--labels is x; it must be keys and their values."),
        (["--num", "1.5"], "--num is 1.5; it must be a whole number."),
        (["--recipe", '{"flour": 1}'], "--recipe lacks 'shapes'; its keys are flour"),
        (
            ["--recipe", '{"flour": 1, "shapes": [], "milk": 2}'],
            "--recipe has the unknown key 'milk'; its keys are flour, shapes.",
        ),
        (
            ["--recipe", '{"flour": "x", "shapes": []}'],
            "--recipe: x stands where a whole number must stand.",
        ),
    ],
)
def test_a_mistake_on_a_command_line_is_said_in_words(called, words, message):
    said = called(*GOOD, *words).code
    assert said.startswith(f"Error: {message}") and "\n" not in said
    assert "class" not in said and "Known options: --files, --labels" in said


def test_help_says_all_options_and_more(called):
    done = called("--help", more=lambda: families_help({"special": Special}, Base))
    assert done.code == 0 and done.out.startswith("Do something.")
    for words in (
        "--files\n      What to read. (a list of paths, required)",
        "--num\n      How often. (a whole number; default 1)",
        "options of family special:\n  size\n      How large it is. (a number",
        "training:\n  size\n",
    ):
        assert words in done.out


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("train", "horizon_growth\n      Iterations after which"),
        ("train_flow", "elbo_iterations\n      Iterations at the beginning"),
    ],
)
def test_scripts_that_train_list_the_options_of_families_and_trainings(
    name, option, monkeypatch, capsys
):
    monkeypatch.setattr("sys.argv", [name, "--help"])
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with pytest.raises(SystemExit):
        runpy.run_path(str(find(name)), run_name="__main__")
    said = capsys.readouterr().out
    assert option in said and "training:\n  num_iterations" in said
