# From nothing to the tables of "Hamiltonian Generative Networks" (Toth et al., 2020):
#
#     simulate -> render -> train -> evaluate, measure_dynamics, make_films -> tables, figures -> report
#     import_videos -> train -> evaluate_observed, measure_observed, make_observed_films
#     draw_points -> train_flow -> evaluate_flow, make_portrait             -> tables, figures -> report
#
# `snakemake --cores 8 results/table1.csv` builds the preset that config.yaml names. Any
# file of any preset can be asked for by its path, results/{preset}/...
import sys
from pathlib import Path

# Of this file, also where it is a module of another workflow; what it makes is made in
# the folder that Snakemake works in.
ROOT = Path(workflow.current_basedir)
sys.path.insert(0, str(ROOT / "src"))

from hgnpipe.config.checks import check_config
from hgnpipe.config.contents import Contents
from hgnpipe.config.environment import (
    check_device,
    check_folders,
    check_place,
    check_programs,
    share_environment,
)
from hgnpipe.config.flow_settings import FlowSettings
from hgnpipe.config.messages import failures, made, one_line, say_last
from hgnpipe.config.missing import Missing
from hgnpipe.config.observed_settings import ObservedSettings
from hgnpipe.config.plain_yaml import check_yaml, value_in
from hgnpipe.config.results import Results
from hgnpipe.config.sense import remarks
from hgnpipe.config.targets import asked_for, check_targets
from hgnpipe.fingerprint import text_hash

IS_MODULE = not workflow.modifier.is_main_snakefile()
FILE = Path("config.yaml")
if IS_MODULE or not FILE.exists():  # a file of that name is another workflow's, or none
    FILE = ROOT / FILE
FILES = [FILE, *map(Path, workflow.configfiles)]
if workflow.modifier.skip_configfile:
    FILES = [Path("config of the module")]

with one_line():
    check_place(ROOT)
    check_folders([".snakemake/locks/0"])
    for file in FILES:
        check_yaml(file)


configfile: str(FILE)


# A job that is asked to leave gets the time to save its work and to say so: its shell
# waits for it, and what writes its log stays until it has ended.
shell.prefix(
    "set -euo pipefail; trap : TERM INT HUP USR1; "
    "tee() {{ trap '' TERM INT HUP USR1; exec tee \"$@\"; }}; "
)
share_environment()
with one_line():
    settings = check_config(config, Path(".snakemake/hgnpipe_checked"), FILES)
flow_settings = FlowSettings(settings)
observed = ObservedSettings(settings)
results = Results(settings, top=value_in(FILES[0], "preset"))
contents = Contents(results)


wildcard_constraints:
    preset="|".join(settings.config.presets),
    system="|".join(settings.config.systems),
    density="|".join(settings.config.densities) or "none",
    model="[A-Za-z][A-Za-z0-9_.,=+-]*",
    row="[A-Za-z][A-Za-z0-9_]*",
    split="train|test|long",
    seed="[0-9]+",


# A limit such as `--resources gpu=1` is one of this machine, not of a cluster.
resource_scopes:
    gpu="local",


report: "workflow/report/workflow.rst"


rule all:
    input:
        results.current(),


include: "workflow/rules/data.smk"
include: "workflow/rules/models.smk"
include: "workflow/rules/observed.smk"
include: "workflow/rules/flows.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/benchmarks.smk"
include: "workflow/rules/report.smk"


# A job whose input is missing is one that runs, whatever was made of that input before.
for of_ours in workflow.rules:
    if Path(of_ours.snakefile).is_relative_to(ROOT):
        of_ours.set_params(missing=lambda wildcards, **known: Missing(known["input"]))


# What is asked for, and what is said before and after all jobs.
with one_line():
    targets = asked_for(sys.argv) if workflow.is_main_process and not IS_MODULE else []
    check_targets(
        targets,
        [rule.name for rule in workflow.rules],
        [str(file) for rule in workflow.rules for file in rule.products()],
        results,
    )
    if workflow.is_main_process:
        observed.check_files(targets, FILES)


onstart:
    # What is remembered of parameters is what they are when a job has ended.
    workflow.persistence._params.cache_clear()
    for remark in remarks(settings.blocks[settings.config.preset]):
        print(f"Remark: {remark}", file=sys.stderr)
    with one_line():
        check_programs(workflow.executor_plugin.name)
        to_run = workflow.dag.needrun_jobs()
        check_folders(file for job in to_run for file in (*job.output, *job.log))
        if workflow.local_exec:
            check_device(settings.config.device)


onerror:
    say_last(failures(workflow.scheduler.failed))


onsuccess:
    say_last(made(workflow.dag.finished_jobs, results.tables(settings.config.preset)))
