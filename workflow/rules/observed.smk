# Videos that were not made here, and models of them. Where a rule of data.smk or
# models.smk makes the same file, that one is for the systems that are simulated.


ruleorder: import_videos > render
ruleorder: evaluate_observed > evaluate
ruleorder: evaluate_observed_references > evaluate_references
ruleorder: measure_observed > measure_dynamics
ruleorder: measure_observed_references > measure_dynamics_references
ruleorder: make_observed_films > make_films


rule import_videos:
    """Cut videos from elsewhere into those of one split."""
    input:
        observed.files,
    output:
        "results/{preset}/data/{system}/{split}_videos.h5",
    log:
        "results/{preset}/logs/import_videos/{system}_{split}.log",
    benchmark:
        "results/{preset}/benchmarks/import_videos/{system}_{split}.tsv"
    wildcard_constraints:
        system=observed.pattern,
    conda:
        "../envs/hgnpipe.yaml"
    params:
        kind=settings.kind,
        options=settings.options,
        num=settings.num_trajectories,
        num_frames=settings.num_frames,
        image_size=settings.value("data.image_size"),
        example=settings.value("evaluation.example"),
        seed=settings.value("data.seed"),
        code=settings.code("observed/import_videos"),
    shell:
        "python {params.code.path:q} --kind {params.kind:q}"
        " --options {params.options:q} --num {params.num:q}"
        " --num_frames {params.num_frames:q} --image_size {params.image_size:q}"
        " --example {params.example:q} --seed {params.seed:q}"
        " --split {wildcards.split:q} --output {output:q} 2>&1 | tee {log:q}"


rule import_clips:
    """Cut test videos with the frames before and after what models see."""
    input:
        observed.files,
    output:
        "results/{preset}/data/{system}/test_clips.h5",
    log:
        "results/{preset}/logs/import_clips/{system}.log",
    benchmark:
        "results/{preset}/benchmarks/import_clips/{system}.tsv"
    wildcard_constraints:
        system=observed.pattern,
    conda:
        "../envs/hgnpipe.yaml"
    params:
        kind=settings.kind,
        options=settings.options,
        num_frames=settings.value("data.num_frames"),
        num_before=settings.num_before,
        horizons=settings.value("evaluation.horizons"),
        num=settings.value("evaluation.num_extended"),
        image_size=settings.value("data.image_size"),
        seed=settings.value("data.seed"),
        code=settings.code("observed/import_clips"),
    shell:
        "python {params.code.path:q} --kind {params.kind:q}"
        " --options {params.options:q} --num_frames {params.num_frames:q}"
        " --num_before {params.num_before:q} --horizons {params.horizons:q}"
        " --num {params.num:q} --image_size {params.image_size:q} --seed {params.seed:q}"
        " --output {output:q} 2>&1 | tee {log:q}"


rule evaluate_observed:
    """Errors of one trained model on the first videos of both splits."""
    input:
        model="results/{preset}/runs/{system}/{model}/seed{seed}/model.safetensors",
        videos=expand(
            "results/{{preset}}/data/{{system}}/{split}_videos.h5",
            split=["train", "test"],
        ),
    output:
        table="results/{preset}/runs/{system}/{model}/seed{seed}/errors.csv",
        errors="results/{preset}/runs/{system}/{model}/seed{seed}/errors.h5",
    log:
        "results/{preset}/logs/evaluate/{system}_{model}_seed{seed}.log",
    benchmark:
        "results/{preset}/benchmarks/evaluate/{system}_{model}_seed{seed}.tsv"
    wildcard_constraints:
        system=observed.pattern,
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
        code=settings.code("observed/evaluate_observed"),
    shell:
        "python {params.code.path:q} --model_path {input.model:q}"
        " --videos {input.videos:q} --num_trajectories {params.num:q}"
        " --batch_size {params.batch_size:q}"
        " --table {output.table:q} --errors {output.errors:q}"
        " --device {resources.device:q} --threads {threads} 2>&1 | tee {log:q}"


rule evaluate_observed_references:
    """Errors of the mean image of one system."""
    input:
        rules.evaluate_observed.input.videos,
    output:
        table="results/{preset}/references/{system}.csv",
        errors="results/{preset}/references/{system}.h5",
    log:
        "results/{preset}/logs/evaluate_references/{system}.log",
    benchmark:
        "results/{preset}/benchmarks/evaluate_references/{system}.tsv"
    wildcard_constraints:
        system=observed.pattern,
    conda:
        "../envs/hgnpipe.yaml"
    threads: settings.config.threads
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
    params:
        num=settings.value("evaluation.num_trajectories"),
        code=settings.code("observed/evaluate_observed_references"),
    shell:
        "python {params.code.path:q} --videos {input:q}"
        " --num_trajectories {params.num:q} --table {output.table:q}"
        " --errors {output.errors:q} --threads {threads} 2>&1 | tee {log:q}"


rule measure_observed:
    """Measure the dynamics of one trained model as far as clips of videos tell."""
    input:
        model=rules.evaluate_observed.input.model,
        train_videos="results/{preset}/data/{system}/train_videos.h5",
        videos="results/{preset}/data/{system}/test_videos.h5",
        clips="results/{preset}/data/{system}/test_clips.h5",
    output:
        "results/{preset}/runs/{system}/{model}/seed{seed}/dynamics.csv",
    log:
        "results/{preset}/logs/measure_dynamics/{system}_{model}_seed{seed}.log",
    benchmark:
        "results/{preset}/benchmarks/measure_dynamics/{system}_{model}_seed{seed}.tsv"
    wildcard_constraints:
        system=observed.pattern,
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
        code=settings.code("observed/measure_observed"),
    shell:
        "python {params.code.path:q} --model_path {input.model:q}"
        " --train_videos {input.train_videos:q} --videos {input.videos:q}"
        " --clips {input.clips:q} --evaluation {params.evaluation:q}"
        " --output {output:q} --device {resources.device:q} --threads {threads}"
        " 2>&1 | tee {log:q}"


rule measure_observed_references:
    """Measure the mean image of one system as if it were a model."""
    input:
        train_videos="results/{preset}/data/{system}/train_videos.h5",
        clips="results/{preset}/data/{system}/test_clips.h5",
    output:
        "results/{preset}/references/{system}_dynamics.csv",
    log:
        "results/{preset}/logs/measure_dynamics_references/{system}.log",
    benchmark:
        "results/{preset}/benchmarks/measure_dynamics_references/{system}.tsv"
    wildcard_constraints:
        system=observed.pattern,
    conda:
        "../envs/hgnpipe.yaml"
    threads: settings.config.threads
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
    params:
        evaluation=settings.values("evaluation", "num_extended", "horizons"),
        code=settings.code("observed/measure_observed_references"),
    shell:
        "python {params.code.path:q} --train_videos {input.train_videos:q}"
        " --clips {input.clips:q} --evaluation {params.evaluation:q}"
        " --output {output:q} --threads {threads} 2>&1 | tee {log:q}"


rule make_observed_films:
    """Roll out one video of each split at several speeds, and sample the prior."""
    input:
        model=rules.evaluate_observed.input.model,
        videos=rules.evaluate_observed.input.videos,
    output:
        "results/{preset}/runs/{system}/{model}/seed{seed}/films.h5",
    log:
        "results/{preset}/logs/make_films/{system}_{model}_seed{seed}.log",
    benchmark:
        "results/{preset}/benchmarks/make_films/{system}_{model}_seed{seed}.tsv"
    wildcard_constraints:
        system=observed.pattern,
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
        code=settings.code("observed/make_observed_films"),
    shell:
        "python {params.code.path:q} --model_path {input.model:q}"
        " --videos {input.videos:q} --example {params.example:q}"
        " --num_samples {params.num_samples:q} --output {output:q}"
        " --device {resources.device:q} --threads {threads} 2>&1 | tee {log:q}"
