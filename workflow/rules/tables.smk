# Tables; nothing here needs a GPU.
import json


rule table1:
    """Errors of all models on all systems, beside the paper's Table 1."""
    input:
        runs=runs_of("metrics.csv"),
        references=of_every_system("references/{system}.csv"),
        published="workflow/resources/published_table1.csv",
    output:
        csv=report(
            "results/{preset}/tables/table1.csv",
            caption="../report/table1.rst",
            category="Tables",
            labels={"result": "Table 1: spreadsheet"},
        ),
        markdown="results/{preset}/tables/table1.md",
        html=report(
            "results/{preset}/tables/table1.html",
            caption="../report/table1.rst",
            category="Tables",
            labels={"result": "Table 1: errors of all models"},
        ),
    log:
        "results/{preset}/logs/table1.log",
    conda:
        "../envs/hgnpipe.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        labels=json.dumps(config["labels"]),
        code=code_hash("workflow/scripts/tables/table1.py"),
    shell:
        "python workflow/scripts/tables/table1.py --metrics {input.runs} {input.references}"
        " --published {input.published} --labels {params.labels:q}"
        " --preset {wildcards.preset} --csv {output.csv} --markdown {output.markdown}"
        " --html {output.html} 2>&1 | tee {log}"


rule table2:
    """How well learned energies are conserved, beside the paper's Table 2."""
    input:
        rollouts=runs_of("rollouts.h5"),
        published="workflow/resources/published_table2.csv",
    output:
        csv=report(
            "results/{preset}/tables/table2.csv",
            caption="../report/table2.rst",
            category="Tables",
            labels={"result": "Table 2: spreadsheet"},
        ),
        markdown="results/{preset}/tables/table2.md",
        html=report(
            "results/{preset}/tables/table2.html",
            caption="../report/table2.rst",
            category="Tables",
            labels={"result": "Table 2: conservation of the learned energy"},
        ),
    log:
        "results/{preset}/logs/table2.log",
    conda:
        "../envs/hgnpipe.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        labels=json.dumps(config["labels"]),
        example=setting("presets/{preset}/evaluation/example"),
        code=code_hash("workflow/scripts/tables/table2.py"),
    shell:
        "python workflow/scripts/tables/table2.py --rollouts {input.rollouts}"
        " --published {input.published} --labels {params.labels:q}"
        " --example {params.example} --preset {wildcards.preset} --csv {output.csv}"
        " --markdown {output.markdown} --html {output.html} 2>&1 | tee {log}"


rule metrics:
    """Measures of the dynamics of all models on all systems."""
    input:
        runs=runs_of("dynamics.csv"),
        references=of_every_system("references/{system}_dynamics.csv"),
    output:
        csv=report(
            "results/{preset}/tables/metrics.csv",
            caption="../report/metrics.rst",
            category="Tables",
            labels={"result": "Measures of the dynamics: spreadsheet"},
        ),
        markdown="results/{preset}/tables/metrics.md",
        html=report(
            "results/{preset}/tables/metrics.html",
            caption="../report/metrics.rst",
            category="Tables",
            labels={"result": "Measures of the dynamics"},
        ),
    log:
        "results/{preset}/logs/metrics.log",
    conda:
        "../envs/hgnpipe.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        labels=json.dumps(config["labels"]),
        code=code_hash("workflow/scripts/tables/dynamics.py"),
    shell:
        "python workflow/scripts/tables/dynamics.py --measures {input}"
        " --labels {params.labels:q} --preset {wildcards.preset} --csv {output.csv}"
        " --markdown {output.markdown} --html {output.html} 2>&1 | tee {log}"


rule current_table:
    """A table of the preset that config.yaml names, where the README says it is."""
    input:
        expand(
            "results/{preset}/tables/{{table}}.{kind}",
            preset=config["preset"],
            kind=["csv", "md", "html"],
        ),
    output:
        multiext("results/{table}", ".csv", ".md", ".html"),
    log:
        "results/logs/{table}.log",
    wildcard_constraints:
        table="table1|table2|metrics|flows",
    localrule: True
    conda:
        "../envs/hgnpipe.yaml"
    shell:
        "cp -v {input} results/ > {log} 2>&1"
