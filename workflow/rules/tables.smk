# Tables; nothing here needs a GPU.


rule table1:
    """Errors of all models on all systems, beside the paper's Table 1."""
    input:
        runs=settings.runs("errors.csv"),
        references=settings.per_system("references/{system}.csv"),
    output:
        csv=report(
            "results/{preset}/tables/table1.csv",
            caption="../report/table1.rst",
            category="Tables",
            labels=contents.label("table1", "spreadsheet"),
        ),
        markdown="results/{preset}/tables/table1.md",
        html=report(
            "results/{preset}/tables/table1.html",
            caption="../report/table1.rst",
            category="Tables",
            labels=contents.label("table1"),
        ),
    log:
        "results/{preset}/logs/table1.log",
    conda:
        "../envs/hgnpipe.yaml"
    params:
        labels=settings.labels,
        systems=settings.value("systems"),
        published=results.text("workflow/resources/published_table1.csv"),
        code=settings.code("tables/table1"),
    shell:
        "python {params.code.path:q}"
        " --errors {input.runs:q} {input.references:q} --published {params.published.path:q}"
        " --labels {params.labels:q} --systems {params.systems:q}"
        " --preset {wildcards.preset:q} --output {output:q}"
        " 2>&1 | tee {log:q}"


rule table2:
    """How well learned energies are conserved, beside the paper's Table 2."""
    input:
        errors=settings.runs("errors.h5"),
    output:
        csv=report(
            "results/{preset}/tables/table2.csv",
            caption="../report/table2.rst",
            category="Tables",
            labels=contents.label("table2", "spreadsheet"),
        ),
        markdown="results/{preset}/tables/table2.md",
        html=report(
            "results/{preset}/tables/table2.html",
            caption="../report/table2.rst",
            category="Tables",
            labels=contents.label("table2"),
        ),
    log:
        "results/{preset}/logs/table2.log",
    conda:
        "../envs/hgnpipe.yaml"
    params:
        labels=settings.labels,
        systems=settings.value("systems"),
        example=settings.value("evaluation.example"),
        published=results.text("workflow/resources/published_table2.csv"),
        code=settings.code("tables/table2"),
    shell:
        "python {params.code.path:q} --errors {input.errors:q}"
        " --published {params.published.path:q} --labels {params.labels:q}"
        " --systems {params.systems:q} --example {params.example:q}"
        " --preset {wildcards.preset:q} --output {output:q}"
        " 2>&1 | tee {log:q}"


rule dynamics:
    """Measures of the dynamics of all models on all systems."""
    input:
        runs=settings.runs("dynamics.csv"),
        references=settings.per_system("references/{system}_dynamics.csv"),
    output:
        csv=report(
            "results/{preset}/tables/dynamics.csv",
            caption="../report/dynamics.rst",
            category="Tables",
            labels=contents.label("dynamics", "spreadsheet"),
        ),
        markdown="results/{preset}/tables/dynamics.md",
        html=report(
            "results/{preset}/tables/dynamics.html",
            caption="../report/dynamics.rst",
            category="Tables",
            labels=contents.label("dynamics"),
        ),
    log:
        "results/{preset}/logs/dynamics.log",
    conda:
        "../envs/hgnpipe.yaml"
    params:
        labels=settings.labels,
        systems=settings.value("systems"),
        code=settings.code("tables/dynamics"),
    shell:
        "python {params.code.path:q} --measures {input:q}"
        " --labels {params.labels:q} --systems {params.systems:q}"
        " --preset {wildcards.preset:q} --output {output:q}"
        " 2>&1 | tee {log:q}"


rule flows:
    """Held-out likelihood, structure and cost of all flows on all densities."""
    input:
        likelihood=flow_settings.likelihoods,
        costs="results/{preset}/flows/costs.csv",
    output:
        csv=report(
            "results/{preset}/tables/flows.csv",
            caption="../report/flows.rst",
            category="Tables",
            labels=contents.label("flows", "spreadsheet"),
        ),
        markdown="results/{preset}/tables/flows.md",
        html=report(
            "results/{preset}/tables/flows.html",
            caption="../report/flows.rst",
            category="Tables",
            labels=contents.label("flows"),
        ),
    log:
        "results/{preset}/logs/flows.log",
    conda:
        "../envs/hgnpipe.yaml"
    params:
        labels=settings.labels,
        code=settings.code("tables/flows"),
    shell:
        "python {params.code.path:q} --likelihood {input.likelihood:q}"
        " --costs {input.costs:q} --labels {params.labels:q}"
        " --preset {wildcards.preset:q} --output {output:q} 2>&1 | tee {log:q}"


use rule flows as flows_of_density with:
    # The same for one density: your own, for example.
    output:
        csv="results/{preset}/flows/{density}/flows.csv",
        markdown="results/{preset}/flows/{density}/flows.md",
        html="results/{preset}/flows/{density}/flows.html",
    log:
        "results/{preset}/logs/flows_{density}.log",


rule hnn_check:
    """The paper's check of HNN: states against a perceptron, and easy pixels."""
    input:
        settings.checks("states.csv"),
        settings.checks("pixels.csv"),
    output:
        csv=report(
            "results/{preset}/tables/hnn_check.csv",
            caption="../report/hnn_check.rst",
            category="Tables",
            labels=contents.label("hnn_check", "spreadsheet"),
        ),
        markdown="results/{preset}/tables/hnn_check.md",
        html=report(
            "results/{preset}/tables/hnn_check.html",
            caption="../report/hnn_check.rst",
            category="Tables",
            labels=contents.label("hnn_check"),
        ),
    log:
        "results/{preset}/logs/hnn_check.log",
    conda:
        "../envs/hgnpipe.yaml"
    params:
        code=settings.code("tables/hnn_check"),
    shell:
        "python {params.code.path:q} --measures {input:q}"
        " --preset {wildcards.preset:q} --output {output:q} 2>&1 | tee {log:q}"


rule readings:
    """Measures of rows that read the paper in different ways, a row each."""
    input:
        settings.runs("dynamics.csv"),
    output:
        csv=report(
            "results/{preset}/tables/readings.csv",
            caption="../report/readings.rst",
            category="Tables",
            labels=contents.label("readings", "spreadsheet"),
        ),
        markdown="results/{preset}/tables/readings.md",
        html=report(
            "results/{preset}/tables/readings.html",
            caption="../report/readings.rst",
            category="Tables",
            labels=contents.label("readings"),
        ),
    log:
        "results/{preset}/logs/readings.log",
    conda:
        "../envs/hgnpipe.yaml"
    params:
        labels=settings.labels,
        systems=settings.value("systems"),
        baseline=settings.value("readings"),
        code=settings.code("tables/readings"),
    shell:
        "python {params.code.path:q} --measures {input:q} --labels {params.labels:q}"
        " --systems {params.systems:q} --baseline {params.baseline:q}"
        " --preset {wildcards.preset:q} --output {output:q} 2>&1 | tee {log:q}"


rule sweep:
    """Errors of the rows of a sweep, on all systems."""
    input:
        runs=results.sweep_runs("errors.csv"),
        references=settings.per_system("references/{system}.csv"),
    output:
        csv=report(
            "results/{preset}/tables/sweep_{row}.csv",
            caption="../report/sweep.rst",
            category="Tables",
            labels=contents.label("sweep", "spreadsheet"),
        ),
        markdown="results/{preset}/tables/sweep_{row}.md",
        html=report(
            "results/{preset}/tables/sweep_{row}.html",
            caption="../report/sweep.rst",
            category="Tables",
            labels=contents.label("sweep"),
        ),
    log:
        "results/{preset}/logs/sweep_{row}.log",
    conda:
        "../envs/hgnpipe.yaml"
    params:
        rows=results.of_sweep,
        labels=settings.labels,
        systems=settings.value("systems"),
        code=settings.code("tables/sweep"),
    shell:
        "python {params.code.path:q} --errors {input.runs:q} {input.references:q}"
        " --rows {params.rows:q} --labels {params.labels:q}"
        " --systems {params.systems:q} --row {wildcards.row:q}"
        " --preset {wildcards.preset:q} --output {output:q}"
        " 2>&1 | tee {log:q}"


rule current_table:
    """A table of the preset that config.yaml names, where the README says it is."""
    input:
        multiext(
            f"results/{results.top}/tables/{{table}}",
            ".csv",
            ".md",
            ".html",
        ),
    output:
        multiext("results/{table}", ".csv", ".md", ".html"),
    log:
        "results/logs/{table}.log",
    wildcard_constraints:
        table="table1|table2|dynamics|flows|hnn_check|readings|sweep_[A-Za-z0-9_]+",
    localrule: True
    conda:
        "../envs/hgnpipe.yaml"
    params:
        folder=subpath(output[0], parent=True),
    shell:
        "cp -v {input:q} {params.folder:q} > {log:q} 2>&1"
