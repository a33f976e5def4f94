# Speed; nothing that a table needs. Run them on a machine that does nothing else.


rule benchmark_data:
    """How fast the systems are simulated and rendered on one core."""
    output:
        "results/benchmarks/data.csv",
    log:
        "results/logs/benchmark_data.log",
    conda:
        "../envs/hgnpipe.yaml"
    params:
        systems=[*dict.fromkeys(b["kind"] for b in config["systems"].values())],
        code=code_hash("workflow/scripts/benchmark_data.py"),
    shell:
        "python workflow/scripts/benchmark_data.py --systems {params.systems}"
        " --num 10000 --num_frames 31 --repeats 3 --output {output} 2>&1 | tee {log}"


rule benchmark_step:
    """What a training step of HGN costs at the paper's size, and what it used to."""
    output:
        "results/benchmarks/step.csv",
    log:
        "results/logs/benchmark_step.log",
    conda:
        "../envs/hgnpipe.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        code=code_hash("workflow/scripts/benchmark_step.py"),
    shell:
        "python workflow/scripts/benchmark_step.py --batch_size 16 --num_frames 31"
        " --image_size 32 --num_filters 64 --steps 3 --rounds 3 --output {output}"
        " --threads {threads} 2>&1 | tee {log}"


rule benchmarks:
    """All of them in one table."""
    input:
        "results/benchmarks/data.csv",
        "results/benchmarks/step.csv",
    output:
        "results/benchmarks.csv",
    log:
        "results/logs/benchmarks.log",
    conda:
        "../envs/hgnpipe.yaml"
    params:
        code=code_hash("workflow/scripts/benchmarks.py"),
    shell:
        "python workflow/scripts/benchmarks.py --tables {input} --output {output}"
        " 2>&1 | tee {log}"
