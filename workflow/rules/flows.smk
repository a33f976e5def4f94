# Neural Hamiltonian Flow and RNVP: points -> train_flow -> evaluate_flow, portray_flow ->
# flows.csv, Figs. 9 and 10. Nothing here needs the videos.
import json


rule points:
    """Draw the points of one target, or read them from a table."""
    input:
        table_of_target,
    output:
        "results/{preset}/flows/{target}/points.h5",
    log:
        "results/{preset}/logs/points/{target}.log",
    conda:
        "../envs/hgnpipe.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        kind=setting("targets/{target}/kind"),
        options=target_block,
        num_train=setting("presets/{preset}/flows/data/num_train"),
        num_validation=setting("presets/{preset}/flows/data/num_validation"),
        num_test=setting("presets/{preset}/flows/data/num_test"),
        seed=setting("presets/{preset}/flows/data/seed"),
        code=code_hash("workflow/scripts/flows/draw_points.py"),
    shell:
        "python workflow/scripts/flows/draw_points.py --kind {params.kind}"
        " --options {params.options:q} --num_train {params.num_train}"
        " --num_validation {params.num_validation} --num_test {params.num_test}"
        " --seed {params.seed} --output {output} 2>&1 | tee {log}"


rule train_flow:
    """Fit one flow; an interrupted training goes on from its checkpoint."""
    input:
        "results/{preset}/flows/{target}/points.h5",
    output:
        flow="results/{preset}/flows/{target}/{model}/seed{seed}/flow.safetensors",
        history="results/{preset}/flows/{target}/{model}/seed{seed}/history.csv",
        run="results/{preset}/flows/{target}/{model}/seed{seed}/run.json",
    log:
        "results/{preset}/logs/train_flow/{target}_{model}_seed{seed}.log",
    benchmark:
        "results/{preset}/benchmarks/train_flow/{target}_{model}_seed{seed}.tsv"
    conda:
        "../envs/hgnpipe.yaml"
    threads: config["threads"]
    resources:
        gpu=0 if config["device"] == "cpu" else 1,
        device=config["device"],
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        family=flow_setting("family"),
        options=flow_setting("options"),
        training=flow_setting("training"),
        num_watched=setting("presets/{preset}/flows/evaluation/num_watched"),
        num_samples=setting("presets/{preset}/flows/evaluation/num_watched_samples"),
        precision=config["precision"],
        reproducible=config["reproducible"],
        # Not an output: Snakemake would delete it when the job fails.
        checkpoint="results/{preset}/checkpoints/flows/{target}/{model}/seed{seed}.safetensors",
        code=flow_code("workflow/scripts/flows/train_flow.py"),
    shell:
        "python workflow/scripts/flows/train_flow.py --points {input}"
        " --family {params.family} --options {params.options:q}"
        " --training {params.training:q} --num_watched {params.num_watched}"
        " --num_importance_samples {params.num_samples} --seed {wildcards.seed}"
        " --checkpoint {params.checkpoint} --flow_path {output.flow}"
        " --history_path {output.history} --run_path {output.run}"
        " --device {resources.device} --threads {threads}"
        " --precision {params.precision} --reproducible {params.reproducible}"
        " --code {params.code}"
        " --label {wildcards.target}/{wildcards.model} 2>&1 | tee {log}"


rule evaluate_flow:
    """Judge one trained flow on held-out points."""
    input:
        flow="results/{preset}/flows/{target}/{model}/seed{seed}/flow.safetensors",
        points="results/{preset}/flows/{target}/points.h5",
    output:
        "results/{preset}/flows/{target}/{model}/seed{seed}/metrics.csv",
    log:
        "results/{preset}/logs/evaluate_flow/{target}_{model}_seed{seed}.log",
    benchmark:
        "results/{preset}/benchmarks/evaluate_flow/{target}_{model}_seed{seed}.tsv"
    conda:
        "../envs/hgnpipe.yaml"
    threads: config["threads"]
    resources:
        gpu=0 if config["device"] == "cpu" else 1,
        device=config["device"],
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        num=setting("presets/{preset}/flows/evaluation/num_points"),
        samples=setting("presets/{preset}/flows/evaluation/num_importance_samples"),
        code=flow_code("workflow/scripts/flows/evaluate_flow.py"),
    shell:
        "python workflow/scripts/flows/evaluate_flow.py --flow_path {input.flow}"
        " --points {input.points} --target {wildcards.target}"
        " --model {wildcards.model} --seed {wildcards.seed}"
        " --num_points {params.num} --num_importance_samples {params.samples}"
        " --metrics {output} --device {resources.device} --threads {threads}"
        " 2>&1 | tee {log}"


rule evaluate_flow_references:
    """Entropy of one target, and how well a Gaussian fits it."""
    input:
        "results/{preset}/flows/{target}/points.h5",
    output:
        "results/{preset}/flows/{target}/references.csv",
    log:
        "results/{preset}/logs/evaluate_flow_references/{target}.log",
    conda:
        "../envs/hgnpipe.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        num=setting("presets/{preset}/flows/evaluation/num_points"),
        code=code_hash("workflow/scripts/flows/evaluate_flow_references.py"),
    shell:
        "python workflow/scripts/flows/evaluate_flow_references.py --points {input}"
        " --target {wildcards.target} --num_points {params.num} --metrics {output}"
        " 2>&1 | tee {log}"


rule portray_flow:
    """Sample a trained flow and evaluate what Figs. 9 and 10 show of it."""
    input:
        flow="results/{preset}/flows/{target}/{model}/seed{seed}/flow.safetensors",
        points="results/{preset}/flows/{target}/points.h5",
    output:
        "results/{preset}/flows/{target}/{model}/seed{seed}/portrait.h5",
    log:
        "results/{preset}/logs/portray_flow/{target}_{model}_seed{seed}.log",
    conda:
        "../envs/hgnpipe.yaml"
    threads: config["threads"]
    resources:
        gpu=0 if config["device"] == "cpu" else 1,
        device=config["device"],
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        grid_size=setting("presets/{preset}/flows/evaluation/grid_size"),
        samples=setting("presets/{preset}/flows/evaluation/num_watched_samples"),
        code=flow_code("workflow/scripts/flows/portray_flow.py"),
    shell:
        "python workflow/scripts/flows/portray_flow.py --flow_path {input.flow}"
        " --points {input.points} --num_samples 1000 --grid_size {params.grid_size}"
        " --num_importance_samples {params.samples} --seed {wildcards.seed}"
        " --output {output} --device {resources.device} --threads {threads}"
        " 2>&1 | tee {log}"


rule benchmark_flows:
    """What a step, a sample and a density of every flow cost, measured in one run."""
    output:
        "results/{preset}/flows/costs.csv",
    log:
        "results/{preset}/logs/benchmark_flows.log",
    conda:
        "../envs/hgnpipe.yaml"
    threads: config["threads"]
    resources:
        gpu=0 if config["device"] == "cpu" else 1,
        device=config["device"],
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        flows=timed_flows,
        reference=setting("presets/{preset}/flows/evaluation/reference"),
        num_points=setting("presets/{preset}/flows/evaluation/num_points"),
        samples=setting("presets/{preset}/flows/evaluation/num_watched_samples"),
        repeats=setting("presets/{preset}/flows/evaluation/repeats"),
        code=flow_code("workflow/scripts/benchmarks/flow_costs.py"),
    shell:
        "python workflow/scripts/benchmarks/flow_costs.py --flows {params.flows:q}"
        " --reference {params.reference} --num_points {params.num_points}"
        " --num_importance_samples {params.samples} --repeats {params.repeats}"
        " --output {output} --device {resources.device} --threads {threads}"
        " 2>&1 | tee {log}"


rule flows:
    """Held-out likelihood, structure and cost of all flows on all targets."""
    input:
        metrics=flow_metrics,
        costs="results/{preset}/flows/costs.csv",
    output:
        csv=report(
            "results/{preset}/tables/flows.csv",
            caption="../report/flows.rst",
            category="Tables",
            labels={"result": "Flows: spreadsheet"},
        ),
        markdown="results/{preset}/tables/flows.md",
        html=report(
            "results/{preset}/tables/flows.html",
            caption="../report/flows.rst",
            category="Tables",
            labels={"result": "Flows: likelihood, structure, cost"},
        ),
    log:
        "results/{preset}/logs/flows.log",
    conda:
        "../envs/hgnpipe.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        labels=json.dumps(config["labels"]),
        code=code_hash("workflow/scripts/tables/flows.py"),
    shell:
        "python workflow/scripts/tables/flows.py --metrics {input.metrics}"
        " --costs {input.costs} --labels {params.labels:q}"
        " --preset {wildcards.preset} --csv {output.csv}"
        " --markdown {output.markdown} --html {output.html} 2>&1 | tee {log}"


use rule flows as flows_of_target with:
    # The same for one target: your own, for example.
    input:
        metrics=flow_metrics,
        costs="results/{preset}/flows/costs.csv",
    output:
        csv="results/{preset}/flows/{target}/flows.csv",
        markdown="results/{preset}/flows/{target}/flows.md",
        html="results/{preset}/flows/{target}/flows.html",
    log:
        "results/{preset}/logs/flows_{target}.log",


rule fig09:
    """Densities, energies and motion of NHF on one target."""
    input:
        points="results/{preset}/flows/{target}/points.h5",
        portrait=portrait_of_shown_flow,
    output:
        pdf="results/{preset}/figures/fig09_flow_{target}.pdf",
        png=report(
            "results/{preset}/figures/fig09_flow_{target}.png",
            caption="../report/fig09.rst",
            category="Figures",
            labels={"result": "Fig. 09: NHF, {target}"},
        ),
    log:
        "results/{preset}/logs/fig09_{target}.log",
    conda:
        "../envs/hgnpipe.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        label=shown_flow_label,
        code=code_hash("workflow/scripts/figures/fig09_flow.py"),
    shell:
        "python workflow/scripts/figures/fig09_flow.py --points {input.points}"
        " --portrait {input.portrait} --label {params.label:q}"
        " --output {output.pdf} {output.png} 2>&1 | tee {log}"


rule fig10:
    """NHF and RNVP on one target: densities, and likelihood during training."""
    input:
        points=compared_target("points.h5"),
        portraits=compared_runs("portrait.h5", one_seed=True),
        history=compared_runs("history.csv"),
        metrics=compared_runs("metrics.csv"),
        costs="results/{preset}/flows/costs.csv",
    output:
        pdf="results/{preset}/figures/fig10_flows.pdf",
        png=report(
            "results/{preset}/figures/fig10_flows.png",
            caption="../report/fig10.rst",
            category="Figures",
            labels={"result": "Fig. 10: NHF and RNVP"},
        ),
    log:
        "results/{preset}/logs/fig10.log",
    conda:
        "../envs/hgnpipe.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        num_samples=setting("presets/{preset}/flows/evaluation/num_watched_samples"),
        labels=json.dumps(config["labels"]),
        code=code_hash("workflow/scripts/figures/fig10_flows.py"),
    shell:
        "python workflow/scripts/figures/fig10_flows.py --points {input.points}"
        " --portraits {input.portraits} --history {input.history}"
        " --metrics {input.metrics} --costs {input.costs}"
        " --num_importance_samples {params.num_samples}"
        " --labels {params.labels:q} --output {output.pdf} {output.png}"
        " 2>&1 | tee {log}"
