# Training and evaluation of every model on every system.


rule train:
    """Fit one model; an interrupted training goes on from its checkpoint."""
    input:
        "results/{preset}/data/{system}/train_videos.h5",
    output:
        model="results/{preset}/runs/{system}/{model}/seed{seed}/model.safetensors",
        history="results/{preset}/runs/{system}/{model}/seed{seed}/history.csv",
        run="results/{preset}/runs/{system}/{model}/seed{seed}/run.json",
    log:
        "results/{preset}/logs/train/{system}_{model}_seed{seed}.log",
    benchmark:
        "results/{preset}/benchmarks/train/{system}_{model}_seed{seed}.tsv"
    conda:
        "../envs/hgnpipe.yaml"
    threads: config["threads"]
    resources:
        gpu=0 if config["device"] == "cpu" else 1,
        device=config["device"],
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 720 * attempt,
    params:
        family=model_setting("family"),
        options=model_setting("options"),
        training=model_setting("training"),
        # Not an output: Snakemake would delete it when the job fails.
        checkpoint="results/{preset}/checkpoints/{system}/{model}/seed{seed}.safetensors",
        code=family_code("workflow/scripts/train.py"),
    shell:
        "python workflow/scripts/train.py --videos {input} --family {params.family}"
        " --options {params.options:q} --training {params.training:q}"
        " --seed {wildcards.seed} --checkpoint {params.checkpoint}"
        " --model_path {output.model} --history_path {output.history}"
        " --run_path {output.run} --device {resources.device} --threads {threads}"
        " --code {params.code} --label {wildcards.system}/{wildcards.model}"
        " 2>&1 | tee {log}"


rule evaluate:
    """Score one trained model on the first videos of both splits."""
    input:
        model="results/{preset}/runs/{system}/{model}/seed{seed}/model.safetensors",
        videos=expand(
            "results/{{preset}}/data/{{system}}/{split}_videos.h5",
            split=["train", "test"],
        ),
        trajectories=expand(
            "results/{{preset}}/data/{{system}}/{split}_trajectories.h5",
            split=["train", "test"],
        ),
    output:
        metrics="results/{preset}/runs/{system}/{model}/seed{seed}/metrics.csv",
        rollouts="results/{preset}/runs/{system}/{model}/seed{seed}/rollouts.h5",
    log:
        "results/{preset}/logs/evaluate/{system}_{model}_seed{seed}.log",
    benchmark:
        "results/{preset}/benchmarks/evaluate/{system}_{model}_seed{seed}.tsv"
    conda:
        "../envs/hgnpipe.yaml"
    threads: config["threads"]
    resources:
        gpu=0 if config["device"] == "cpu" else 1,
        device=config["device"],
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        num=lookup("presets/{preset}/evaluation/num_trajectories", within=config),
        batch_size=lookup("presets/{preset}/evaluation/batch_size", within=config),
        code=family_code("workflow/scripts/evaluate.py"),
    shell:
        "python workflow/scripts/evaluate.py --model_path {input.model}"
        " --videos {input.videos} --trajectories {input.trajectories}"
        " --system {wildcards.system} --model {wildcards.model} --seed {wildcards.seed}"
        " --num_trajectories {params.num} --batch_size {params.batch_size}"
        " --metrics {output.metrics} --rollouts {output.rollouts}"
        " --device {resources.device} --threads {threads} 2>&1 | tee {log}"


rule evaluate_references:
    """Score the mean image and the noise floor of one system."""
    input:
        videos=expand(
            "results/{{preset}}/data/{{system}}/{split}_videos.h5",
            split=["train", "test"],
        ),
        trajectories=expand(
            "results/{{preset}}/data/{{system}}/{split}_trajectories.h5",
            split=["train", "test"],
        ),
    output:
        "results/{preset}/references/{system}.csv",
    log:
        "results/{preset}/logs/evaluate_references/{system}.log",
    benchmark:
        "results/{preset}/benchmarks/evaluate_references/{system}.tsv"
    conda:
        "../envs/hgnpipe.yaml"
    threads: config["threads"]
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        num=lookup("presets/{preset}/evaluation/num_trajectories", within=config),
        seed=lookup("presets/{preset}/data/seed", within=config),
        code=code_hash("workflow/scripts/evaluate_references.py"),
    shell:
        "python workflow/scripts/evaluate_references.py"
        " --train_videos {input.videos[0]} --videos {input.videos}"
        " --trajectories {input.trajectories} --system {wildcards.system}"
        " --seed {params.seed} --num_trajectories {params.num}"
        " --metrics {output} --threads {threads} 2>&1 | tee {log}"
