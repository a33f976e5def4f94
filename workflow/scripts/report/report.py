"""Rule report: all results of a preset on one page."""

from pathlib import Path

from hgnpipe.reporting.pages import write_texts
from hgnpipe.reporting.report import write_page
from hgnpipe.runtime.command import run


def main(contents: dict, folder: Path, template: Path, output: Path) -> None:
    """Write one HTML page that holds all results and needs no other file.

    Args:
        contents: What the page shows, in which order, and what it is called.
        folder: Results of the preset.
        template: The page, a template of Jinja2; captions lie beside it.
        output: Page to write.
    """
    text = write_page(contents, folder, template.parent, template)
    write_texts({output.suffix: text}, [output])


if __name__ == "__main__":
    run(main)
