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
