"""Rule choices: what the paper leaves open and what we chose, as a page."""

import re
from pathlib import Path

from markdown import markdown

from hgnpipe.reporting.pages import page, write_texts
from hgnpipe.runtime.command import run


def main(choices: Path, output: Path) -> None:
    """Write the document of the choices as a page.

    Args:
        choices: The document, Markdown: a heading, paragraphs and tables.
        output: Page to write.
    """
    try:
        source = choices.read_text("utf-8")
    except (OSError, ValueError) as error:
        raise ValueError(f"{choices} is not readable: {error}") from error
    heading = re.match(r"# (.+)\n", source)
    text = markdown(source, extensions=["tables"])
    if heading is None or "<table>" not in text:
        raise ValueError(f"{choices} must have a heading, `# ...`, and a table.")
    # Links to other documents would lead nowhere from a report.
    text = re.sub(r"</?a\b[^>]*>", "", text)
    body = '<div class="words">{{ text | safe }}</div>'
    write_texts({output.suffix: page(heading[1], body, text=text)}, [output])


if __name__ == "__main__":
    run(main)
