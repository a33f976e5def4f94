"""Tables as data and as pages that people read: CSV, Markdown, HTML."""

import base64
import html
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from jinja2 import Environment

from hgnpipe.collection import require
from hgnpipe.files.whole import written_whole

TYPES = {".png": "image/png", ".mp4": "video/mp4", ".csv": "text/csv"}
"""What browsers call files that a page may hold."""
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{{ title }}</title>
<style>
body { font-family: sans-serif; margin: 2em; }
table { border-collapse: collapse; font-size: 85%; }
th, td { padding: 0.4em 0.8em; text-align: right; vertical-align: top; }
thead th { text-align: center; }
tbody th { text-align: left; }
tbody tr { border-top: 1px solid #ccc; }
tbody td { color: #333; }
.words th, .words td { text-align: left; vertical-align: top; }
.words td { min-width: 8em; max-width: 35em; }
p, ul { max-width: 60em; }
.good, .warning { max-width: 60em; padding: 0.6em 1em; }
.good { background: #e6f4ea; border-left: 0.4em solid #2e7d32; }
.warning { background: #fdecea; border-left: 0.4em solid #c62828; }
</style>
</head>
<body>
{{ body | safe }}
</body>
</html>
"""
TABLES = """
{% for heading, table in tables.items() %}
{% if heading %}
<h2>{{ heading }}</h2>
{% endif %}
{{ table | safe }}
{% endfor %}
{% for caption in captions %}
<p>{{ caption }}</p>
{% endfor %}
"""


def page(title: str, body: str, **values: object) -> str:
    """HTML of a page that needs no other file.

    Args:
        title: Title of the page.
        body: What it shows: HTML, and a template of Jinja2.
        values: What the template asks for; escaped, unless it calls them safe.
    """
    engine = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    shown = engine.from_string(body).render(values).strip()
    return engine.from_string(PAGE).render(title=title, body=shown) + "\n"


def write_table(
    table: pd.DataFrame,
    laid_out: Mapping[str, pd.DataFrame],
    captions: Sequence[str],
    title: str,
    output: Iterable[Path],
    preset: str = "",
) -> None:
    """Write a table as data, N/A where nothing is defined, and laid out as pages.

    Args:
        table: The data.
        laid_out: Tables of text by their headings, which may be empty.
        captions: Paragraphs below the tables.
        title: Title of the pages.
        output: Files to write; they end in ``.csv``, ``.md`` or ``.html``.
        preset: What it is of: the first column of the data, and in the title.

    Raises:
        ValueError: If a file cannot be written or its format is another one.
    """
    if preset:
        table = table.assign(preset=preset)[["preset", *table.columns]]
        title = f"{title}, {preset} preset"
    parts = {heading: html_table(part) for heading, part in laid_out.items()}
    texts = {
        ".csv": table.to_csv(index=False, float_format="%.6g", na_rep="N/A"),
        ".md": _markdown_page(laid_out, captions, title),
        ".html": page(title, TABLES, tables=parts, captions=captions),
    }
    write_texts(texts, output)


def inlined(path: Path) -> str:
    """A file as an address that holds it.

    Raises:
        ValueError: If it cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}.") from error
    return f"data:{TYPES[path.suffix]};base64,{base64.b64encode(content).decode()}"


def write_texts(texts: Mapping[str, str], output: Iterable[Path]) -> None:
    """Write each file with the text for what its name ends in.

    Raises:
        ValueError: If a file cannot be written or there is no text for it.
    """
    files = [Path(path) for path in output]
    for kind in (path.suffix for path in files):
        require(kind in texts, "format of a table", kind, ", ".join(texts))
    for path in files:
        with written_whole(path) as temporary:
            temporary.write_text(texts[path.suffix], encoding="utf-8")


def html_table(table: pd.DataFrame) -> str:
    """A table of text as a part of a page."""
    text = table.map(_as_html).rename(index=_as_html, columns=_as_html)
    text = text.rename_axis(index=None, columns=[""] * table.columns.nlevels)
    return text.to_html(escape=False, border=0)


def markdown_table(table: pd.DataFrame) -> str:
    """A table of text in Markdown."""
    text = table.map(_as_markdown).rename(index=_as_markdown)
    names = [c if isinstance(c, str) else " ".join(c) for c in table.columns]
    text.columns = pd.Index([_as_markdown(name) for name in names])
    return text.to_markdown(disable_numparse=True, stralign=None)


def across(
    cells: Mapping[tuple[str, str | tuple[str, str]], str],
    name: str,
    missing: str,
    first: Iterable[str | tuple[str, str]] = (),
) -> pd.DataFrame:
    """A table of text from cells by row and column, both in the order of the cells.

    Args:
        cells: Texts by row and column; a column may have a name on each of two levels.
        name: What the rows are.
        missing: Text of the cells that are not there.
        first: Columns that come before others, in their order.
    """
    rows = list(dict.fromkeys(row for row, _ in cells))
    found = dict.fromkeys(column for _, column in cells)
    columns = list(dict.fromkeys([*(c for c in first if c in found), *found]))
    body = [[cells.get((row, column), missing) for column in columns] for row in rows]
    pairs = bool(columns) and isinstance(columns[0], tuple)
    header = pd.MultiIndex.from_tuples(columns) if pairs else pd.Index(columns)
    return pd.DataFrame(body, pd.Index(rows, name=name), header)


def in_order(table: pd.DataFrame, **orders: Iterable[object]) -> pd.DataFrame:
    """The rows of a table, sorted by columns of which the first comes first.

    Args:
        table: What to sort.
        orders: By column, the order of its values; others follow as they come.
    """
    ranks = {
        column: list(dict.fromkeys([*order, *table[column]]))
        for column, order in orders.items()
    }
    return table.sort_values(
        list(orders),
        key=lambda column: column.map(ranks[column.name].index).astype(int),
        kind="stable",
        ignore_index=True,
    )


def short(value: float) -> str:
    """Three digits, without an exponent where people can do without."""
    if not np.isfinite(value):
        return "not finite" if np.isinf(value) else "N/A"
    return f"{value:.0f}" if 999.5 <= abs(value) < 1e5 else f"{value:.3g}"


def read_table(
    path: str | Path,
    what: str,
    needed: Iterable[str],
    comment: str | None = None,
    as_text: bool = False,
) -> pd.DataFrame:
    """Table in CSV with at least the columns ``needed``.

    Raises:
        ValueError: If the file is missing, empty or lacks a column.
    """
    dtype = str if as_text else None
    try:
        table = pd.read_csv(
            path, comment=comment, dtype=dtype, keep_default_na=not as_text
        )
    except (OSError, ValueError) as error:  # pandas: damaged, empty, not text
        why = str(error).strip()
        raise ValueError(f"{path} is not a table of {what}: {why}") from error
    missing = set(needed) - set(table.columns)
    if missing:
        raise ValueError(f"{path} has no column {', '.join(sorted(missing))}.")
    return table


def _markdown_page(
    laid_out: Mapping[str, pd.DataFrame], captions: Sequence[str], title: str
) -> str:
    blocks = [f"# {title}"]
    for heading, table in laid_out.items():
        blocks += [f"## {_as_markdown(heading)}"] if heading else []
        blocks.append(markdown_table(table))
    return "\n\n".join([*blocks, *map(_as_markdown, captions)]) + "\n"


def _as_html(text: object) -> str:
    return html.escape(str(text)).replace("\n", "<br>")


def _as_markdown(text: str) -> str:
    """Text whose signs are not taken for Markdown; _ within a word never is."""
    text = re.sub(r"[&<|~]", lambda sign: f"&#{ord(sign[0])};", text)
    text = re.sub(r"[\\`*\[\]]|(?<!\w)_|_(?!\w)", r"\\\g<0>", text)
    return text.replace("\n", "<br>")
