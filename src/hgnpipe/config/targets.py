"""Files that are asked for on the command line: a misspelt one is told what is legal.

Snakemake says that no rule produces it, or, where a rule asks for what does not exist,
much more; it cannot know the names that do.
"""

import difflib
import os
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace

from hgnpipe.collection import lookup, require
from hgnpipe.config.reading import find_block
from hgnpipe.config.results import EVERY_TABLE, Results

SPLITS = ("train", "test", "long")
WILDCARD = re.compile(r"\{(\w+)(?:,((?:[^{}]|\{[^{}]*\})*))?\}")
COPIES = {
    r"(figures/[^/]+)": r"\1",
    r"(report\.html)": r"\1",
    rf"((?:{'|'.join(EVERY_TABLE)}|sweep_\w+)\.\w+)": r"tables/\1",
}
"""Files of the preset that config.yaml names, and where they are copied from."""
OPTIONAL = {
    "flows": r"/(flows|fig09|fig10)",
    "hnn_check": r"/(hnn_check|fig14)",
    "readings": r"/readings\.\w+$",
}
"""Parts of a preset that it may lack, and the paths of what is made from them."""


def asked_for(arguments: Sequence[str]) -> list[str]:
    """Targets of a command line, which Snakemake itself tells its rules too late.

    Args:
        arguments: All of its words; one that is not Snakemake's has no targets.
    """
    if not re.fullmatch(r"snakemake(\.exe)?|__main__\.py", Path(arguments[0]).name):
        return []
    from snakemake.cli import get_argument_parser

    known, _ = get_argument_parser().parse_known_args(list(arguments[1:]))
    return known.targets


def check_targets(
    targets: Collection[str],
    rules: Collection[str],
    patterns: Sequence[str],
    results: Results,
) -> None:
    """Check that every target is a rule, or a file that a rule can make.

    Args:
        targets: From the command line.
        rules: Names of the rules.
        patterns: Of the files that rules make, as Snakemake writes them.
        results: What there is of every preset.

    Raises:
        ValueError: If not; the message names the target and the legal names.
    """
    for target in sorted(targets):
        if target not in rules:
            _check_target(target, rules, patterns, results)


def _check_target(
    target: str, rules: Collection[str], patterns: Sequence[str], results: Results
) -> None:
    """See `check_targets`: a file."""
    path, wrong = os.path.relpath(target), []
    top, preset = results.top, results.config.preset
    if top != preset and (other := _original(path, preset)) != path:
        raise ValueError(
            f"{target} is of preset {top!r}, which config.yaml names. For {preset!r} "
            f"ask for {other}."
        )
    if path.startswith("results/figures/"):
        path = _original(path, top)
    for pattern in sorted(patterns, key=_num_literal, reverse=True):
        if (match := re.fullmatch(_regex(pattern, False), path)) is None:
            continue
        problems = _problems(path, match.groupdict(), results)
        if not problems and re.fullmatch(_regex(pattern, True), path):
            return
        wrong += [problems] if problems else []
    if wrong:
        raise ValueError(f"{target}: {min(wrong, key=len)[0]}")
    near = difflib.get_close_matches(target, _known(rules, results), cutoff=0.7)
    hint = f"Did you mean {' or '.join(near)}?" if near else "See docs/outputs.md."
    raise ValueError(f"No rule makes {target!r}. {hint}")


def _original(path: str, preset: str) -> str:
    """What a file directly under ``results/`` is a copy of; any other stays."""
    for pattern, place in COPIES.items():
        path = re.sub(f"^results/{pattern}$", rf"results/{preset}/{place}", path)
    return path


def _known(rules: Collection[str], results: Results) -> list[str]:
    """Rules, and what there is in the end of every preset."""
    presets = [SimpleNamespace(preset=name) for name in results.config.presets]
    reported = [file for preset in presets for file in results.reported(preset)]
    reports = [f"results/{preset.preset}/report.html" for preset in presets]
    return [*rules, *results.current(), *reports, *reported]


def _regex(pattern: str, strict: bool) -> str:
    """Regular expression of a pattern, with its constraints or without."""
    parts, seen, end = [], set(), 0
    for found in WILDCARD.finditer(pattern):
        name, constraint = found.groups()
        parts.append(re.escape(pattern[end : found.start()]))
        legal = (constraint if strict else None) or "[^/]+"
        parts.append(f"(?P={name})" if name in seen else f"(?P<{name}>{legal})")
        seen.add(name)
        end = found.end()
    return "".join([*parts, re.escape(pattern[end:])])


def _num_literal(pattern: str) -> int:
    return len(WILDCARD.sub("", pattern))


def _problems(path: str, words: Mapping[str, str], results: Results) -> list[str]:
    """What is wrong with the wildcards of a path, the first word first."""
    problems = []
    for name, word in words.items():
        try:
            _check_word(name, word, words, results)
        except ValueError as error:
            problems.append(str(error))
    preset = words.get("preset", results.top)
    if not problems and (block := results.config.presets.get(preset)):
        problems += [
            f"Preset {preset!r} has no {part}."
            for part, paths in OPTIONAL.items()
            if getattr(block, part) is None and re.search(paths, path)
        ]
    return problems


def _check_word(
    name: str, word: str, words: Mapping[str, str], results: Results
) -> None:
    config, preset = results.config, words.get("preset")
    known: dict[str, Collection[str]] = {
        "preset": config.presets,
        "system": config.systems,
        "density": config.densities,
        "split": SPLITS,
    }
    if name in known:
        lookup(name, word, dict.fromkeys(known[name]))
    elif name == "row" and preset in config.presets:
        find_block("sweep", word, preset, results.sweeps(preset))
    elif name == "seed":
        require(word.isdecimal(), name, word, "a whole number")
    elif name == "model" and preset in config.presets:
        kind = "flow" if "density" in words else "model"
        find_block(kind, word, preset, results.settings.blocks[preset][f"{kind}s"])
    if name == "system" and "model" in words and preset in config.presets:
        systems = dict.fromkeys(config.presets[preset].systems)
        find_block("system", word, preset, systems)
