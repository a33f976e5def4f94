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
        precision=config["precision"],
        reproducible=config["reproducible"],
        # Not an output: Snakemake would delete it when the job fails.
        checkpoint="results/{preset}/checkpoints/{system}/{model}/seed{seed}.safetensors",
        code=family_code("workflow/scripts/models/train.py"),
    shell:
        "python workflow/scripts/models/train.py --videos {input} --family {params.family}"
        " --options {params.options:q} --training {params.training:q}"
        " --seed {wildcards.seed} --checkpoint {params.checkpoint}"
        " --model_path {output.model} --history_path {output.history}"
        " --run_path {output.run} --device {resources.device} --threads {threads}"
        " --precision {params.precision} --reproducible {params.reproducible}"
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
        num=setting("presets/{preset}/evaluation/num_trajectories"),
        batch_size=setting("presets/{preset}/evaluation/batch_size"),
        code=family_code("workflow/scripts/models/evaluate.py"),
    shell:
        "python workflow/scripts/models/evaluate.py --model_path {input.model}"
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
        metrics="results/{preset}/references/{system}.csv",
        rollouts="results/{preset}/references/{system}.h5",
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
        num=setting("presets/{preset}/evaluation/num_trajectories"),
        seed=setting("presets/{preset}/data/seed"),
        code=code_hash("workflow/scripts/models/evaluate_references.py"),
    shell:
        "python workflow/scripts/models/evaluate_references.py"
        " --train_videos {input.videos[0]} --videos {input.videos}"
        " --trajectories {input.trajectories} --system {wildcards.system}"
        " --seed {params.seed} --num_trajectories {params.num}"
        " --metrics {output.metrics} --rollouts {output.rollouts}"
        " --threads {threads} 2>&1 | tee {log}"


rule measure:
    """Measure the dynamics of one trained model beyond the frames that it saw."""
    input:
        model="results/{preset}/runs/{system}/{model}/seed{seed}/model.safetensors",
        rollouts="results/{preset}/runs/{system}/{model}/seed{seed}/rollouts.h5",
        train_videos="results/{preset}/data/{system}/train_videos.h5",
        videos="results/{preset}/data/{system}/test_videos.h5",
        trajectories="results/{preset}/data/{system}/test_trajectories.h5",
        motion="results/{preset}/data/{system}/test_motion.h5",
    output:
        "results/{preset}/runs/{system}/{model}/seed{seed}/dynamics.csv",
    log:
        "results/{preset}/logs/measure/{system}_{model}_seed{seed}.log",
    benchmark:
        "results/{preset}/benchmarks/measure/{system}_{model}_seed{seed}.tsv"
    conda:
        "../envs/hgnpipe.yaml"
    threads: config["threads"]
    resources:
        gpu=0 if config["device"] == "cpu" else 1,
        device=config["device"],
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        num=setting("presets/{preset}/evaluation/num_extended"),
        horizons=setting("presets/{preset}/evaluation/horizons"),
        repeats=setting("presets/{preset}/evaluation/symetric_repeats"),
        batch_size=setting("presets/{preset}/evaluation/batch_size"),
        code=family_code("workflow/scripts/models/measure_dynamics.py"),
    shell:
        "python workflow/scripts/models/measure_dynamics.py --model_path {input.model}"
        " --train_videos {input.train_videos} --videos {input.videos}"
        " --trajectories {input.trajectories} --motion {input.motion}"
        " --rollouts {input.rollouts} --system {wildcards.system}"
        " --model {wildcards.model} --seed {wildcards.seed}"
        " --num_trajectories {params.num} --horizons {params.horizons} --symetric_repeats {params.repeats}"
        " --batch_size {params.batch_size} --output {output}"
        " --device {resources.device} --threads {threads} 2>&1 | tee {log}"


rule measure_references:
    """Measure the mean image of one system as if it were a model."""
    input:
        train_videos="results/{preset}/data/{system}/train_videos.h5",
        motion="results/{preset}/data/{system}/test_motion.h5",
    output:
        "results/{preset}/references/{system}_dynamics.csv",
    log:
        "results/{preset}/logs/measure_references/{system}.log",
    benchmark:
        "results/{preset}/benchmarks/measure_references/{system}.tsv"
    conda:
        "../envs/hgnpipe.yaml"
    threads: config["threads"]
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        num=setting("presets/{preset}/evaluation/num_extended"),
        num_frames=setting("presets/{preset}/data/num_frames"),
        horizons=setting("presets/{preset}/evaluation/horizons"),
        code=code_hash("workflow/scripts/models/measure_dynamics_references.py"),
    shell:
        "python workflow/scripts/models/measure_dynamics_references.py"
        " --train_videos {input.train_videos} --motion {input.motion}"
        " --num_trajectories {params.num} --num_frames {params.num_frames}"
        " --system {wildcards.system}"
        " --horizons {params.horizons} --output {output} --threads {threads}"
        " 2>&1 | tee {log}"


rule play:
    """Let a trained model play one video of each split at several speeds, and dream."""
    input:
        model="results/{preset}/runs/{system}/{model}/seed{seed}/model.safetensors",
        videos=expand(
            "results/{{preset}}/data/{{system}}/{split}_videos.h5",
            split=["train", "test"],
        ),
        motions=expand(
            "results/{{preset}}/data/{{system}}/{split}_motion.h5",
            split=["train", "test"],
        ),
    output:
        "results/{preset}/runs/{system}/{model}/seed{seed}/films.h5",
    log:
        "results/{preset}/logs/play/{system}_{model}_seed{seed}.log",
    benchmark:
        "results/{preset}/benchmarks/play/{system}_{model}_seed{seed}.tsv"
    conda:
        "../envs/hgnpipe.yaml"
    threads: config["threads"]
    resources:
        gpu=0 if config["device"] == "cpu" else 1,
        device=config["device"],
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        example=setting("presets/{preset}/evaluation/example"),
        num_samples=setting("presets/{preset}/evaluation/num_samples"),
        code=family_code("workflow/scripts/models/make_films.py"),
    shell:
        "python workflow/scripts/models/make_films.py --model_path {input.model}"
        " --videos {input.videos} --motions {input.motions}"
        " --example {params.example} --num_samples {params.num_samples}"
        " --seed {wildcards.seed} --output {output}"
        " --device {resources.device} --threads {threads} 2>&1 | tee {log}"
