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
        "python workflow/scripts/flows/draw_points.py --kind {params.kind}"
        " --options {params.options:q} --sizes {params.sizes:q} --seed {params.seed}"
        " --output {output} 2>&1 | tee {log}"


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
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        flow=flow_settings.flow,
        precision=settings.config.precision,
        reproducible=settings.config.reproducible,
        # Not outputs: Snakemake would delete a checkpoint when the job fails.
        folder="results/{preset}/flows/{density}/{model}/seed{seed}",
        checkpoint="results/{preset}/checkpoints/flows/{density}/{model}/seed{seed}.safetensors",
        code=settings.code("flows/train_flow"),
    shell:
        "python workflow/scripts/flows/train_flow.py --points {input}"
        " --flow {params.flow:q} --seed {wildcards.seed} --output {params.folder}"
        " --checkpoint {params.checkpoint} --device {resources.device}"
        " --threads {threads} --precision {params.precision}"
        " --reproducible {params.reproducible} --code {params.code} 2>&1 | tee {log}"


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
        "python workflow/scripts/flows/evaluate_flow.py --flow_path {input.flow}"
        " --points {input.points} --num_points {params.num}"
        " --num_importance_samples {params.samples} --output {output}"
        " --device {resources.device} --threads {threads} 2>&1 | tee {log}"


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
        "python workflow/scripts/flows/evaluate_flow_references.py --points {input}"
        " --num_points {params.num} --output {output} 2>&1 | tee {log}"


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
        "python workflow/scripts/flows/make_portrait.py --flow_path {input.flow}"
        " --points {input.points} --num_samples 1000 --grid_size {params.grid_size}"
        " --num_importance_samples {params.samples} --output {output}"
        " --device {resources.device} --threads {threads} 2>&1 | tee {log}"


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
        "python workflow/scripts/benchmarks/flow_costs.py --flows {params.flows:q}"
        " --reference {params.reference} --num_points {params.num_points}"
        " --num_importance_samples {params.samples} --repeats {params.repeats}"
        " --output {output} --device {resources.device} --threads {threads}"
        " 2>&1 | tee {log}"
