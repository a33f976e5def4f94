# Neural Hamiltonian Flow and RNVP: draw_points -> train_flow -> evaluate_flow,
# make_portrait -> flows.csv, Figs. 9 and 10. Nothing here needs the videos.


rule draw_points:
    """Draw the points of one density, or read them from a table."""
    input:
        flow_settings.table,
    output:
        "results/{preset}/flows/{density}/points.h5",
    log:
        "results/{preset}/logs/draw_points/{density}.log",
    conda:
        "../envs/hgnpipe.yaml"
    params:
        kind=settings.kind,
        options=settings.options,
        sizes=settings.values("flows.data", "num_train", "num_validation", "num_test"),
        seed=settings.value("flows.data.seed"),
        code=settings.code("flows/draw_points"),
    shell:
        "python {params.code.path:q} --kind {params.kind:q}"
        " --options {params.options:q} --sizes {params.sizes:q} --seed {params.seed:q}"
        " --output {output:q} 2>&1 | tee {log:q}"


rule train_flow:
    """Fit one flow; an interrupted training goes on from its checkpoint."""
    input:
        "results/{preset}/flows/{density}/points.h5",
    output:
        flow="results/{preset}/flows/{density}/{model}/seed{seed}/flow.safetensors",
        history="results/{preset}/flows/{density}/{model}/seed{seed}/history.csv",
        run="results/{preset}/flows/{density}/{model}/seed{seed}/run.json",
    log:
        "results/{preset}/logs/train_flow/{density}_{model}_seed{seed}.log",
    benchmark:
        "results/{preset}/benchmarks/train_flow/{density}_{model}_seed{seed}.tsv"
    conda:
        "../envs/hgnpipe.yaml"
    threads: settings.config.threads
    resources:
        gpu=0 if settings.config.device == "cpu" else 1,
        device=settings.config.device,
        graphs=str(settings.config.graphs).lower(),
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        flow=flow_settings.flow,
        precision=settings.config.precision,
        reproducible=settings.config.reproducible,
        # Not outputs: Snakemake would delete a checkpoint when the job fails.
        folder=subpath(output.flow, parent=True),
        checkpoint=settings.checkpoint,
        code=settings.code("flows/train_flow"),
    shell:
        "python {params.code.path:q} --points {input:q}"
        " --flow {params.flow:q} --seed {wildcards.seed:q} --output {params.folder:q}"
        " --checkpoint {params.checkpoint:q} --device {resources.device:q}"
        " --threads {threads} --precision {params.precision:q}"
        " --reproducible {params.reproducible:q} --graphs {resources.graphs:q}"
        " --code {params.code:q} 2>&1 | tee {log:q}"


rule evaluate_flow:
    """Judge one trained flow on held-out points."""
    input:
        flow="results/{preset}/flows/{density}/{model}/seed{seed}/flow.safetensors",
        points="results/{preset}/flows/{density}/points.h5",
    output:
        "results/{preset}/flows/{density}/{model}/seed{seed}/likelihood.csv",
    log:
        "results/{preset}/logs/evaluate_flow/{density}_{model}_seed{seed}.log",
    benchmark:
        "results/{preset}/benchmarks/evaluate_flow/{density}_{model}_seed{seed}.tsv"
    conda:
        "../envs/hgnpipe.yaml"
    threads: settings.config.threads
    resources:
        gpu=0 if settings.config.device == "cpu" else 1,
        device=settings.config.device,
    params:
        num=settings.value("flows.evaluation.num_points"),
        samples=settings.value("flows.evaluation.num_importance_samples"),
        code=settings.code("flows/evaluate_flow"),
    shell:
        "python {params.code.path:q} --flow_path {input.flow:q}"
        " --points {input.points:q} --num_points {params.num:q}"
        " --num_importance_samples {params.samples:q} --output {output:q}"
        " --device {resources.device:q} --threads {threads} 2>&1 | tee {log:q}"


rule evaluate_flow_references:
    """Entropy of one density, and how well a Gaussian fits it."""
    input:
        "results/{preset}/flows/{density}/points.h5",
    output:
        "results/{preset}/flows/{density}/references.csv",
    log:
        "results/{preset}/logs/evaluate_flow_references/{density}.log",
    conda:
        "../envs/hgnpipe.yaml"
    params:
        num=settings.value("flows.evaluation.num_points"),
        code=settings.code("flows/evaluate_flow_references"),
    shell:
        "python {params.code.path:q} --points {input:q}"
        " --num_points {params.num:q} --output {output:q} 2>&1 | tee {log:q}"


rule make_portrait:
    """Sample a trained flow and evaluate what Figs. 9 and 10 show of it."""
    input:
        flow=rules.evaluate_flow.input.flow,
        points=rules.evaluate_flow.input.points,
    output:
        "results/{preset}/flows/{density}/{model}/seed{seed}/portrait.h5",
    log:
        "results/{preset}/logs/make_portrait/{density}_{model}_seed{seed}.log",
    conda:
        "../envs/hgnpipe.yaml"
    threads: settings.config.threads
    resources:
        gpu=0 if settings.config.device == "cpu" else 1,
        device=settings.config.device,
    params:
        grid_size=settings.value("flows.evaluation.grid_size"),
        samples=settings.value("flows.evaluation.num_watched_samples"),
        code=settings.code("flows/make_portrait"),
    shell:
        "python {params.code.path:q} --flow_path {input.flow:q}"
        " --points {input.points:q} --num_samples 1000 --grid_size {params.grid_size:q}"
        " --num_importance_samples {params.samples:q} --output {output:q}"
        " --device {resources.device:q} --threads {threads} 2>&1 | tee {log:q}"


rule flow_costs:
    """What a step, a sample and a density of every flow cost, measured in one run."""
    output:
        "results/{preset}/flows/costs.csv",
    log:
        "results/{preset}/logs/flow_costs.log",
    conda:
        "../envs/hgnpipe.yaml"
    threads: settings.config.threads
    resources:
        gpu=0 if settings.config.device == "cpu" else 1,
        device=settings.config.device,
    params:
        flows=flow_settings.timed_flows,
        reference=flow_settings.reference,
        num_points=settings.value("flows.evaluation.num_points"),
        samples=settings.value("flows.evaluation.num_watched_samples"),
        repeats=settings.value("flows.evaluation.repeats"),
        code=settings.code("benchmarks/flow_costs", "flows"),
    shell:
        "python {params.code.path:q} --flows {params.flows:q}"
        " --reference {params.reference:q} --num_points {params.num_points:q}"
        " --num_importance_samples {params.samples:q} --repeats {params.repeats:q}"
        " --output {output:q} --device {resources.device:q} --threads {threads}"
        " 2>&1 | tee {log:q}"
