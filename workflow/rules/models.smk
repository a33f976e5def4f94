# Training and evaluation of every model on every system.


rule train:
    """Fit one model; an interrupted training goes on from its checkpoint."""
    input:
        settings.training_videos,
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
    threads: settings.config.threads
    resources:
        gpu=0 if settings.config.device == "cpu" else 1,
        device=settings.config.device,
        graphs=str(settings.config.graphs).lower(),
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 720 * attempt,
    params:
        model=settings.model,
        num_frames=settings.value("data.num_frames"),
        precision=settings.config.precision,
        reproducible=settings.config.reproducible,
        # Not outputs: Snakemake would delete a checkpoint when the job fails.
        folder=subpath(output.model, parent=True),
        checkpoint=settings.checkpoint,
        code=settings.code("models/train"),
    shell:
        "python {params.code.path:q} --videos {input:q}"
        " --model {params.model:q} --num_frames {params.num_frames:q}"
        " --seed {wildcards.seed:q} --output {params.folder:q}"
        " --checkpoint {params.checkpoint:q} --device {resources.device:q}"
        " --threads {threads} --precision {params.precision:q}"
        " --reproducible {params.reproducible:q} --graphs {resources.graphs:q}"
        " --code {params.code:q} 2>&1 | tee {log:q}"


rule evaluate:
    """Errors of one trained model on the first videos of both splits."""
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
        table="results/{preset}/runs/{system}/{model}/seed{seed}/errors.csv",
        errors="results/{preset}/runs/{system}/{model}/seed{seed}/errors.h5",
    log:
        "results/{preset}/logs/evaluate/{system}_{model}_seed{seed}.log",
    benchmark:
        "results/{preset}/benchmarks/evaluate/{system}_{model}_seed{seed}.tsv"
    conda:
        "../envs/hgnpipe.yaml"
    threads: settings.config.threads
    resources:
        gpu=0 if settings.config.device == "cpu" else 1,
        device=settings.config.device,
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
    params:
        num=settings.value("evaluation.num_trajectories"),
        batch_size=settings.value("evaluation.batch_size"),
        code=settings.code("models/evaluate"),
    shell:
        "python {params.code.path:q} --model_path {input.model:q}"
        " --videos {input.videos:q} --trajectories {input.trajectories:q}"
        " --num_trajectories {params.num:q} --batch_size {params.batch_size:q}"
        " --table {output.table:q} --errors {output.errors:q}"
        " --device {resources.device:q} --threads {threads} 2>&1 | tee {log:q}"


rule evaluate_references:
    """Errors of the mean image, the noise floor and the true video of one system."""
    input:
        videos=rules.evaluate.input.videos,
        trajectories=rules.evaluate.input.trajectories,
    output:
        table="results/{preset}/references/{system}.csv",
        errors="results/{preset}/references/{system}.h5",
    log:
        "results/{preset}/logs/evaluate_references/{system}.log",
    benchmark:
        "results/{preset}/benchmarks/evaluate_references/{system}.tsv"
    conda:
        "../envs/hgnpipe.yaml"
    threads: settings.config.threads
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
    params:
        num=settings.value("evaluation.num_trajectories"),
        seed=settings.value("data.seed"),
        code=settings.code("models/evaluate_references"),
    shell:
        "python {params.code.path:q}"
        " --train_videos {input.videos[0]:q} --videos {input.videos:q}"
        " --trajectories {input.trajectories:q} --num_trajectories {params.num:q}"
        " --seed {params.seed:q} --table {output.table:q} --errors {output.errors:q}"
        " --threads {threads} 2>&1 | tee {log:q}"


rule measure_dynamics:
    """Measure the dynamics of one trained model beyond the frames that it saw."""
    input:
        model=rules.evaluate.input.model,
        errors=rules.evaluate.output.errors,
        train_videos="results/{preset}/data/{system}/train_videos.h5",
        videos="results/{preset}/data/{system}/test_videos.h5",
        trajectories="results/{preset}/data/{system}/test_trajectories.h5",
        motion="results/{preset}/data/{system}/test_motion.h5",
    output:
        "results/{preset}/runs/{system}/{model}/seed{seed}/dynamics.csv",
    log:
        "results/{preset}/logs/measure_dynamics/{system}_{model}_seed{seed}.log",
    benchmark:
        "results/{preset}/benchmarks/measure_dynamics/{system}_{model}_seed{seed}.tsv"
    conda:
        "../envs/hgnpipe.yaml"
    threads: settings.config.threads
    resources:
        gpu=0 if settings.config.device == "cpu" else 1,
        device=settings.config.device,
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        evaluation=settings.values(
            "evaluation", "num_extended", "horizons", "symetric_repeats", "batch_size"
        ),
        code=settings.code("models/measure_dynamics"),
    shell:
        "python {params.code.path:q} --model_path {input.model:q}"
        " --train_videos {input.train_videos:q} --videos {input.videos:q}"
        " --trajectories {input.trajectories:q} --motion {input.motion:q}"
        " --errors {input.errors:q} --evaluation {params.evaluation:q} --output {output:q}"
        " --device {resources.device:q} --threads {threads} 2>&1 | tee {log:q}"


rule measure_dynamics_references:
    """Measure the mean image of one system as if it were a model."""
    input:
        train_videos="results/{preset}/data/{system}/train_videos.h5",
        motion="results/{preset}/data/{system}/test_motion.h5",
    output:
        "results/{preset}/references/{system}_dynamics.csv",
    log:
        "results/{preset}/logs/measure_dynamics_references/{system}.log",
    benchmark:
        "results/{preset}/benchmarks/measure_dynamics_references/{system}.tsv"
    conda:
        "../envs/hgnpipe.yaml"
    threads: settings.config.threads
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
    params:
        num_frames=settings.value("data.num_frames"),
        evaluation=settings.values("evaluation", "num_extended", "horizons"),
        code=settings.code("models/measure_dynamics_references"),
    shell:
        "python {params.code.path:q}"
        " --train_videos {input.train_videos:q} --motion {input.motion:q}"
        " --num_frames {params.num_frames:q} --evaluation {params.evaluation:q}"
        " --output {output:q} --threads {threads} 2>&1 | tee {log:q}"


rule make_films:
    """Roll out one video of each split at several speeds, and sample the prior."""
    input:
        model=rules.evaluate.input.model,
        videos=rules.evaluate.input.videos,
        motions=expand(
            "results/{{preset}}/data/{{system}}/{split}_motion.h5",
            split=["train", "test"],
        ),
    output:
        "results/{preset}/runs/{system}/{model}/seed{seed}/films.h5",
    log:
        "results/{preset}/logs/make_films/{system}_{model}_seed{seed}.log",
    benchmark:
        "results/{preset}/benchmarks/make_films/{system}_{model}_seed{seed}.tsv"
    conda:
        "../envs/hgnpipe.yaml"
    threads: settings.config.threads
    resources:
        gpu=0 if settings.config.device == "cpu" else 1,
        device=settings.config.device,
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
    params:
        example=settings.value("evaluation.example"),
        num_samples=settings.value("evaluation.num_samples"),
        code=settings.code("models/make_films"),
    shell:
        "python {params.code.path:q} --model_path {input.model:q}"
        " --videos {input.videos:q} --motions {input.motions:q}"
        " --example {params.example:q} --num_samples {params.num_samples:q}"
        " --output {output:q} --device {resources.device:q} --threads {threads}"
        " 2>&1 | tee {log:q}"


rule check_hnn:
    """Learn one system from true states, as an energy and as a perceptron."""
    input:
        expand(
            "results/{{preset}}/data/{{system}}/{split}_trajectories.h5",
            split=["train", "test"],
        ),
    output:
        table="results/{preset}/hnn_check/{system}/states.csv",
        motions="results/{preset}/hnn_check/{system}/states.h5",
    log:
        "results/{preset}/logs/check_hnn/{system}.log",
    benchmark:
        "results/{preset}/benchmarks/check_hnn/{system}.tsv"
    conda:
        "../envs/hgnpipe.yaml"
    threads: settings.config.threads
    params:
        check=settings.values(
            "hnn_check.states",
            *("seeds", "num_train", "num_test", "horizons", "training"),
        ),
        code=settings.code("models/check_hnn"),
    shell:
        "python {params.code.path:q} --trajectories {input:q}"
        " --check {params.check:q} --table {output.table:q} --motions {output.motions:q}"
        " --threads {threads} 2>&1 | tee {log:q}"


rule check_pixelhnn:
    """Learn a system that PixelHNN is known to learn from its pixels."""
    input:
        rules.check_hnn.input,
    output:
        table="results/{preset}/hnn_check/{system}/pixels.csv",
        film="results/{preset}/hnn_check/{system}/pixels.h5",
    log:
        "results/{preset}/logs/check_pixelhnn/{system}.log",
    benchmark:
        "results/{preset}/benchmarks/check_pixelhnn/{system}.tsv"
    conda:
        "../envs/hgnpipe.yaml"
    threads: settings.config.threads
    params:
        check=settings.values(
            "hnn_check.pixels",
            *("seeds", "image_size", "num_train", "num_test", "options", "training"),
        ),
        code=settings.code("models/check_pixelhnn"),
    shell:
        "python {params.code.path:q} --trajectories {input:q}"
        " --check {params.check:q} --table {output.table:q} --film {output.film:q}"
        " --threads {threads} 2>&1 | tee {log:q}"
