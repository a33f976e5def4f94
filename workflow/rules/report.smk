# One page for the reader: tables, figures, films, choices, and where they came from.
#
# Every result has one label, of its own. With a second one, Snakemake 9's page makes a
# switch of it wherever a list or a search has two results, and goes blank.
import sys


rule provenance:
    """Where every run came from: commit, versions, device, wall time; and what differs."""
    input:
        settings.runs("run.json"),
        flow_settings.runs("run.json"),
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
        families=settings.families(),
        code=settings.code("report/provenance"),
    shell:
        "python {params.code.path:q} --runs {input:q}"
        " --families {params.families:q} --preset {wildcards.preset:q}"
        " --output {output:q} 2>&1 | tee {log:q}"


rule choices:
    """What the paper leaves open and what we chose, from the documentation."""
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
        choices=results.text("docs/choices.md"),
        code=settings.code("report/choices"),
    shell:
        "python {params.code.path:q} --choices {params.choices.path:q} --output {output:q}"
        " 2>&1 | tee {log:q}"


rule report:
    """Snakemake's report of one preset, as one file."""
    input:
        results.reported,
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
        settings=results.of_report,
        style=results.text("workflow/report/style.css"),
        # Captions, and rules with their labels: a report of older ones is outdated.
        texts=text_hash("workflow/report/*.rst", "workflow/rules/*.smk"),
        code=settings.code("report/report"),
    shell:
        "{resources.python:q} {params.code.path:q} --results {input:q}"
        " --style {params.style.path:q} --settings {params.settings:q} --output {output:q} 2>&1 | tee {log:q}"


rule current_report:
    """Report of the preset that config.yaml names, where the README says it is."""
    input:
        f"results/{settings.config.preset}/report.html",
    output:
        "results/report.html",
    log:
        "results/logs/report.log",
    localrule: True
    conda:
        "../envs/hgnpipe.yaml"
    shell:
        "cp -v {input:q} {output:q} > {log:q} 2>&1"
