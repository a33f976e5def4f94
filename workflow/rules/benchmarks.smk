# Speed; nothing that a table needs. Run them on a machine that does nothing else.


rule benchmark_data:
    """How fast the systems are simulated and rendered on one core."""
    output:
        "results/benchmarks/data.csv",
    log:
        "results/logs/benchmark_data.log",
    conda:
        "../envs/hgnpipe.yaml"
    threads: lambda wildcards: workflow.cores or 1
    params:
        systems=settings.system_kinds(),
        code=settings.code("benchmarks/data"),
    shell:
        "python {params.code.path:q} --systems {params.systems:q}"
        " --num 10000 --num_frames 31 --repeats 3 --output {output:q} 2>&1 | tee {log:q}"


rule benchmark_step:
    """What a training step of HGN costs at the paper's size, and what it used to."""
    output:
        "results/benchmarks/step.csv",
    log:
        "results/logs/benchmark_step.log",
    conda:
        "../envs/hgnpipe.yaml"
    threads: lambda wildcards: workflow.cores or 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
    params:
        code=settings.code("benchmarks/step"),
    shell:
        "python {params.code.path:q} --batch_size 16 --num_frames 31"
        " --image_size 32 --num_filters 64 --steps 3 --rounds 3 --output {output:q}"
        " --threads 2 2>&1 | tee {log:q}"


rule benchmark_scaling:
    """How time grows with the size of each thing."""
    output:
        "results/benchmarks/scaling.csv",
    log:
        "results/logs/benchmark_scaling.log",
    conda:
        "../envs/hgnpipe.yaml"
    threads: lambda wildcards: workflow.cores or 1
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
    params:
        systems=settings.system_kinds(),
        code=settings.code("benchmarks/scaling"),
    shell:
        "python {params.code.path:q} --systems {params.systems:q}"
        " --num_trajectories 1000 4000 16000 --cores 1 2 --jobs 1 2 4 --rounds 3"
        " --output {output:q} 2>&1 | tee {log:q}"


rule benchmark_workflow:
    """What Snakemake's plans, and the start of every script, cost."""
    output:
        "results/benchmarks/workflow.csv",
    log:
        "results/logs/benchmark_workflow.log",
    conda:
        "../envs/hgnpipe.yaml"
    threads: lambda wildcards: workflow.cores or 1
    params:
        code=settings.code("benchmarks/workflow"),
    shell:
        "python {params.code.path:q} --preset paper --num_seeds 25"
        " --rounds 3 --output {output:q} 2>&1 | tee {log:q}"


rule draw_benchmarks:
    """Speed, and growth of time, as figures."""
    input:
        step="results/benchmarks/step.csv",
        data="results/benchmarks/data.csv",
        workflow="results/benchmarks/workflow.csv",
        scaling="results/benchmarks/scaling.csv",
    output:
        speed=multiext("results/benchmarks/speed", ".pdf", ".png"),
        scaling=multiext("results/benchmarks/scaling", ".pdf", ".png"),
    log:
        "results/logs/draw_benchmarks.log",
    conda:
        "../envs/hgnpipe.yaml"
    params:
        code=settings.code("benchmarks/draw"),
    shell:
        "python {params.code.path:q} --step {input.step:q}"
        " --data {input.data:q} --workflow {input.workflow:q} --scaling {input.scaling:q}"
        " --speed_figure {output.speed:q} --scaling_figure {output.scaling:q}"
        " 2>&1 | tee {log:q}"


rule benchmarks:
    """All of them in one table."""
    input:
        "results/benchmarks/data.csv",
        "results/benchmarks/step.csv",
        "results/benchmarks/scaling.csv",
        "results/benchmarks/workflow.csv",
        "results/benchmarks/speed.png",
    output:
        "results/benchmarks.csv",
    log:
        "results/logs/benchmarks.log",
    conda:
        "../envs/hgnpipe.yaml"
    params:
        tables=lambda wildcards, input: [f for f in input if f.endswith(".csv")],
        code=settings.code("benchmarks/join"),
    shell:
        "python {params.code.path:q} --tables {params.tables:q}"
        " --output {output:q} 2>&1 | tee {log:q}"
