"""Rule choices: the README's tables of what we had to choose, as a page."""

import html
import re
from pathlib import Path

import pandas as pd

from hgnpipe.files.whole import written_whole
from hgnpipe.reporting.table1 import page
from hgnpipe.runtime.command import run

HEADING = "Where we had to choose"


def main(readme: Path, output: Path) -> None:
    """Write a section of the README as a page.

    Args:
        readme: README.md.
        output: Page to write.
    """
    parts = [f"<h1>{HEADING}</h1>", *map(to_html, blocks(readme))]
    with written_whole(output) as path:
        path.write_text(page(HEADING, *parts), encoding="utf-8")


def blocks(readme: Path) -> list[list[str]]:
    """Paragraphs and tables of the section, as their lines."""
    try:
        text = readme.read_text("utf-8")
    except (OSError, ValueError) as error:
        raise ValueError(f"{readme} is not readable: {error}") from error
    _, found, rest = text.partition(f"\n## {HEADING}\n")
    section = re.split(r"^## ", rest, maxsplit=1, flags=re.MULTILINE)[0]
    if not found or "\n|" not in section:
        raise ValueError(f"{readme} has no table in a section {HEADING!r}.")
    return [block.splitlines() for block in re.split(r"\n\s*\n", section.strip())]


def to_html(lines: list[str]) -> str:
    """HTML of a paragraph or of a table with pipes; nothing else is understood."""
    if not lines[0].startswith("|"):
        return f"<p>{inline(' '.join(lines))}</p>"
    head, _, *rows = [
        [inline(cell.strip()) for cell in line.strip().strip("|").split("|")]
        for line in lines
    ]
    uneven = [row for row in rows if len(row) != len(head)]
    if uneven:
        raise ValueError(f"A row of {HEADING!r} has not {len(head)} cells: {uneven[0]}")
    table = pd.DataFrame(rows, columns=head)
    return table.to_html(escape=False, border=0, index=False, classes="words")


def inline(text: str) -> str:
    """HTML of code, bold text and links; links keep their text alone."""
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", html.escape(text, quote=False))
    text = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", text)
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", text)


if __name__ == "__main__":
    run(main)
