# One page for the reader: tables, figures, films, choices, and where they came from.
#
# Labels are for Snakemake's own report. Every result has one label, of its own: with a
# second one, its page makes a switch of it wherever a list or a search has two results,
# and goes blank.
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
            labels=contents.label("provenance", "spreadsheet"),
        ),
        html=report(
            "results/{preset}/tables/provenance.html",
            caption="../report/provenance.rst",
            category="Provenance",
            labels=contents.label("provenance"),
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
        "python {params.code.path:q} --runs {input:q}"
        " --families {params.families:q} --labels {params.labels:q}"
        " --preset {wildcards.preset:q}"
        " --output {output:q} 2>&1 | tee {log:q}"


rule choices:
    """What the paper leaves open and what we chose, from the documentation."""
    output:
        report(
            "results/{preset}/tables/choices.html",
            caption="../report/choices.rst",
            category="Choices",
            labels=contents.label("choices"),
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
    """All results of one preset on one page that needs no other file."""
    input:
        results.reported,
    output:
        "results/{preset}/report.html",
    log:
        "results/{preset}/logs/report.log",
    localrule: True
    conda:
        "../envs/hgnpipe.yaml"
    params:
        contents=contents.page,
        folder=subpath(output[0], parent=True),
        template=results.text("workflow/report/page.html"),
        texts=text_hash("workflow/report/*"),
        code=settings.code("report/report"),
    shell:
        "python {params.code.path:q} --contents {params.contents:q}"
        " --folder {params.folder:q} --template {params.template.path:q} --output {output:q}"
        " 2>&1 | tee {log:q}"


rule snakemake_report:
    """Snakemake's own report: rules, their times, and the same results. Made on demand."""
    input:
        results.reported,
    output:
        "results/{preset}/snakemake_report.html",
    log:
        "results/{preset}/logs/snakemake_report.log",
    # Another Snakemake is started: on this machine, not on a cluster, and with the Python
    # of this one, as the environment has no Snakemake.
    localrule: True
    conda:
        "../envs/hgnpipe.yaml"
    resources:
        python=sys.executable,
    params:
        settings=results.of_report,
        contents=contents.page,
        style=results.text("workflow/report/style.css"),
        texts=text_hash("workflow/report/*"),
        code=settings.code("report/snakemake_report"),
    shell:
        "{resources.python:q} {params.code.path:q} --results {input:q}"
        " --style {params.style.path:q} --settings {params.settings:q} --output {output:q} 2>&1 | tee {log:q}"


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
        "cp -v {input:q} {output:q} > {log:q} 2>&1"
