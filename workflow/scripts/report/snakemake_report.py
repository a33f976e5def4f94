"""Rule snakemake_report: Snakemake's own report, which a rule cannot write by itself.

Another Snakemake is started for it, on the same workflow with the same configuration.
It runs nothing and locks nothing; it reads results, and times of jobs from .snakemake.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from hgnpipe.files.whole import written_whole
from hgnpipe.runtime.command import run

ROOT = Path(__file__).parents[3]


def main(results: list[Path], style: Path, settings: dict, output: Path) -> None:
    """Write one HTML page that holds all results and needs no other file.

    Args:
        results: Files of the report; what they were made from is described with them.
        style: Style sheet to add to Snakemake's.
        settings: Configuration of the workflow, instead of config.yaml.
        output: Page to write.
    """
    with TemporaryDirectory() as folder:
        config, page = Path(folder, "config.json"), Path(folder, "report.html")
        config.write_text(json.dumps(settings), encoding="utf-8")
        # Profiles are for running jobs; one that names a cluster would ask for it here.
        command = [
            *(sys.executable, "-m", "snakemake", "--report", page, "--nolock"),
            *("--profile", "none", "--workflow-profile", "none"),
            *("--snakefile", ROOT / "Snakefile", "--report-stylesheet", style),
            *("--configfile", config, "--replace-workflow-config", "--", *results),
        ]
        done = subprocess.run(list(map(str, command)))
        if done.returncode or not page.exists():
            raise RuntimeError(f"Snakemake did not write the report {output}.")
        with written_whole(output) as path:
            shutil.copyfile(page, path)


if __name__ == "__main__":
    run(main)
