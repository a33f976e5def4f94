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
        labels=settings.labels,
        code=settings.code("report/provenance"),
    shell:
        "python workflow/scripts/report/provenance.py --runs {input}"
        " --families {params.families:q} --labels {params.labels:q}"
        " --preset {wildcards.preset}"
        " --output {output} 2>&1 | tee {log}"


rule choices:
    """What the paper leaves open and what we chose, from the documentation."""
    input:
        "docs/choices.md",
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
        code=settings.code("report/choices"),
    shell:
        "python workflow/scripts/report/choices.py --choices {input} --output {output}"
        " 2>&1 | tee {log}"


rule report:
    """Snakemake's report of one preset, as one file."""
    input:
        results=results.reported,
        texts=results.texts(ROOT),
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
        settings=results.of_report,
        code=settings.code("report/report"),
    shell:
        "{resources.python} workflow/scripts/report/report.py --results {input.results}"
        " --style {input.style} --settings {params.settings:q} --output {output} 2>&1 | tee {log}"


rule current_report:
    """Report of the preset that config.yaml names, where the README says it is."""
    input:
        f"results/{results.top}/report.html",
    output:
        "results/report.html",
    log:
        "results/logs/report.log",
    localrule: True
    conda:
        "../envs/hgnpipe.yaml"
    shell:
        "cp -v {input} {output} > {log} 2>&1"
