# From nothing to the tables of "Hamiltonian Generative Networks" (Toth et al., 2020):
#
#     simulate -> render -> train -> evaluate, measure, play -> tables, figures -> report
#     points -> train_flow -> evaluate_flow, portray_flow    -> tables, figures -> report
#
# `snakemake --cores 8 results/table1.csv` builds the preset that config.yaml names. Any
# file of any preset can be asked for by its path, results/{preset}/...
import sys
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError

sys.path.insert(0, str(Path(workflow.basedir) / "src"))

from hgnpipe.config import check_config, check_device, read_flags, share_environment
from hgnpipe.fingerprint import code_hash
from hgnpipe.yaml_file import check_yaml

code_hash = cache(code_hash)  # hundreds of jobs share a few scripts
try:
    check_yaml(Path("config.yaml"))
except ValueError as error:
    raise WorkflowError(str(error)) from None


configfile: "config.yaml"


# A job that is asked to leave gets the time to save its work and to say so: its shell
# waits for it, and what writes its log stays until it has ended.
shell.prefix(
    "set -euo pipefail; trap : TERM INT HUP USR1; "
    "tee() {{ trap '' TERM INT HUP USR1; exec tee \"$@\"; }}; "
)

ROOT = Path(workflow.basedir)
FOUND_BY_NAME = [
    f"hgnpipe.{package}.{path.stem}"
    for package in ("systems", "densities", "models", "flows")
    for path in sorted((ROOT / "src/hgnpipe" / package).glob("[a-z]*.py"))
]
share_environment()
read_flags(config)
try:
    check_config(
        config,
        schema=ROOT / "workflow/schemas/config.schema.yaml",
        remember=ROOT / ".snakemake/hgnpipe_checked",
        code=code_hash("workflow/scripts/models/train.py", *FOUND_BY_NAME),
    )
    if not workflow.remote_exec and workflow.local_exec:
        check_device(config["device"])
except ValueError as error:
    raise WorkflowError(str(error)) from None


wildcard_constraints:
    preset="|".join(config["presets"]),
    system="|".join(config["systems"]),
    target="|".join(config["targets"]),
    model="[A-Za-z][A-Za-z0-9_]*",
    split="train|test",
    seed="[0-9]+",


# A limit such as `--resources gpu=1` is one of this machine, not of a cluster.
resource_scopes:
    gpu="local",


report: "workflow/report/workflow.rst"


rule all:
    input:
        multiext("results/table1", ".csv", ".md", ".html"),
        multiext("results/table2", ".csv", ".md", ".html"),
        multiext("results/metrics", ".csv", ".md", ".html"),
        multiext("results/flows", ".csv", ".md", ".html"),
        lambda wildcards: current_figures(),
        "results/report.html",


include: "workflow/rules/settings.smk"
include: "workflow/rules/flow_settings.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/models.smk"
include: "workflow/rules/flows.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/benchmarks.smk"
include: "workflow/rules/report.smk"
