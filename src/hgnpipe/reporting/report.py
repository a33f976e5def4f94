"""The report: tables, figures and films on one page that needs no other file."""

import re
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from jinja2 import Environment, StrictUndefined
from markdown import markdown

from hgnpipe.reporting.pages import inlined

BODY = re.compile(r"<body>(.*)</body>", re.DOTALL)
TABLE = re.compile(r"<table.*?</table>", re.DOTALL)
HEADING = re.compile(r"<(/?)h[12]\b")
TITLE = re.compile(r"<h1>.*?</h1>", re.DOTALL)
WARNING = '<div class="warning">'


def write_page(
    contents: Mapping[str, Any], folder: Path, captions: Path, template: Path
) -> str:
    """HTML of the report of a preset.

    Args:
        contents: From `hgnpipe.config.contents.Contents.page`.
        folder: Results of the preset, with ``tables`` and ``figures``.
        captions: Folder of the captions, ``{name}.rst``.
        template: Template of Jinja2 for the page.

    Raises:
        ValueError: If a file is missing or is not what it should be.
    """
    values = {"preset": contents["preset"], **contents["values"]}
    parts: dict[str, list[dict[str, Any]]] = {}
    for kind in ("tables", "figures", "others"):
        parts[kind] = []
        for entry in contents[kind]:
            text = _read(captions / f"{entry['caption']}.rst")
            caption = caption_html(text, {**values, "system": entry["system"]})
            place = folder / ("figures" if kind == "figures" else "tables")
            found = _figure if kind == "figures" else _table
            parts[kind].append({**entry, **found(place, entry), "caption": caption})
    different = any(WARNING in part["body"] for part in parts["others"])
    return _render(_read(template), **{**contents, **parts}, different=different)


def caption_html(text: str, values: Mapping[str, Any]) -> str:
    """A caption as HTML; it is also a template of Snakemake's report.

    Args:
        text: With the little of reStructuredText that Markdown has too.
        values: What it asks for among the wildcards and params of its rule.
    """
    job = SimpleNamespace(**values)
    return markdown(_render(text, snakemake=SimpleNamespace(wildcards=job, params=job)))


def body_of(path: Path) -> str:
    """What a page of a table shows, to stand within another page.

    Wide tables scroll in their place, and headings are below those around them.

    Raises:
        ValueError: If it is no such page.
    """
    found = BODY.search(_read(path))
    if found is None:
        raise ValueError(f"{path} is not a page of a table.")
    body = HEADING.sub(r"<\1h4", TITLE.sub("", found[1]))
    return TABLE.sub(r'<div class="scroll">\g<0></div>', body)


def _table(folder: Path, entry: Mapping[str, Any]) -> dict[str, str]:
    data = folder / f"{entry['file']}.csv"
    return {
        "body": body_of(folder / f"{entry['file']}.html"),
        "data": inlined(data) if data.exists() else "",
    }


def _figure(folder: Path, entry: Mapping[str, Any]) -> dict[str, str]:
    stem = folder / entry["file"]
    return {
        "image": inlined(stem.with_suffix(".png")),
        "video": inlined(stem.with_suffix(".mp4")) if entry["animated"] else "",
    }


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} cannot be read: {error}.") from error


def _render(text: str, **values: Any) -> str:
    engine = Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
    )
    return engine.from_string(text).render(values)
