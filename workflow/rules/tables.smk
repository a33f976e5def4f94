# Tables; nothing here needs torch or a GPU.
import json


rule table1:
    """Errors of all models on all systems, beside the paper's Table 1."""
    input:
        metrics=all_metrics,
        published="workflow/resources/published_table1.csv",
    output:
        csv="results/{preset}/tables/table1.csv",
        markdown="results/{preset}/tables/table1.md",
        html="results/{preset}/tables/table1.html",
    log:
        "results/{preset}/logs/table1.log",
    conda:
        "../envs/hgnpipe.yaml"
    params:
        labels=json.dumps(config["labels"]),
        code=code_hash("workflow/scripts/table1.py"),
    shell:
        "python workflow/scripts/table1.py --metrics {input.metrics}"
        " --published {input.published} --labels {params.labels:q}"
        " --preset {wildcards.preset} --csv {output.csv} --markdown {output.markdown}"
        " --html {output.html} 2>&1 | tee {log}"


rule current_table1:
    """Table 1 of the preset that config.yaml names, where the README says it is."""
    input:
        expand(
            "results/{preset}/tables/table1.{kind}",
            preset=config["preset"],
            kind=["csv", "md", "html"],
        ),
    output:
        "results/table1.csv",
        "results/table1.md",
        "results/table1.html",
    log:
        "results/logs/table1.log",
    conda:
        "../envs/hgnpipe.yaml"
    shell:
        "cp -v {input} results/ > {log} 2>&1"
