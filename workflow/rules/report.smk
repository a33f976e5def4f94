# One page for the reader: tables, figures, films, choices, and where they came from.
#
# Every result has one label, of its own. With a second one, Snakemake 9's page makes a
# switch of it wherever a list or a search has two results, and goes blank.
import sys


rule provenance:
    """Where every run came from: commit, versions, device, wall time; and doubts."""
    input:
        runs_of("run.json"),
        all_flow_runs("run.json"),
    output:
        csv=report(
            "results/{preset}/tables/provenance.csv",
            caption="../report/provenance.rst",
            category="Provenance",
            labels={"result": "Runs: spreadsheet"},
        ),
        html=report(
            "results/{preset}/tables/provenance.html",
            caption="../report/provenance.rst",
            category="Provenance",
            labels={"result": "Runs: commit, versions, device, time"},
        ),
    log:
        "results/{preset}/logs/provenance.log",
    conda:
        "../envs/hgnpipe.yaml"
    params:
        families=families,
        code=code_hash("workflow/scripts/report/provenance.py"),
    shell:
        "python workflow/scripts/report/provenance.py --runs {input}"
        " --families {params.families:q} --preset {wildcards.preset}"
        " --csv {output.csv} --html_path {output.html} 2>&1 | tee {log}"


rule choices:
    """The README's tables of what the paper leaves open and what we chose."""
    input:
        "README.md",
    output:
        report(
            "results/{preset}/tables/choices.html",
            caption="../report/choices.rst",
            category="Choices",
            labels={"result": "Choices: what the paper leaves open"},
        ),
    log:
        "results/{preset}/logs/choices.log",
    conda:
        "../envs/hgnpipe.yaml"
    params:
        code=code_hash("workflow/scripts/report/choices.py"),
    shell:
        "python workflow/scripts/report/choices.py --readme {input} --output {output}"
        " 2>&1 | tee {log}"


rule report:
    """Snakemake's report of one preset, as one file."""
    input:
        results=of_every_system(*REPORTED),
        texts=report_texts(),
        style="workflow/report/style.css",
    output:
        "results/{preset}/report.html",
    log:
        "results/{preset}/logs/report.log",
    # Another Snakemake is started: on this machine, not on a cluster, and with the Python
    # of this one, as the environment has no Snakemake.
    localrule: True
    conda:
        "../envs/hgnpipe.yaml"
    resources:
        python=sys.executable,
    params:
        settings=report_settings,
        code=code_hash("workflow/scripts/report/report.py"),
    shell:
        "{resources.python} workflow/scripts/report/report.py --results {input.results}"
        " --style {input.style} --settings {params.settings:q} --output {output} 2>&1 | tee {log}"


rule current_report:
    """Report of the preset that config.yaml names, where the README says it is."""
    input:
        expand("results/{preset}/report.html", preset=config["preset"]),
    output:
        "results/report.html",
    log:
        "results/logs/report.log",
    localrule: True
    conda:
        "../envs/hgnpipe.yaml"
    shell:
        "cp -v {input} {output} > {log} 2>&1"
