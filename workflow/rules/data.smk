# Trajectories and videos of the systems.


rule simulate:
    """Solve the motion of one system: clean states, and states with noise."""
    output:
        "results/{preset}/data/{system}/{split}_trajectories.h5",
    log:
        "results/{preset}/logs/simulate/{system}_{split}.log",
    benchmark:
        "results/{preset}/benchmarks/simulate/{system}_{split}.tsv"
    wildcard_constraints:
        system=observed.simulated_pattern,
    conda:
        "../envs/hgnpipe.yaml"
    threads: settings.config.threads
    params:
        kind=settings.kind,
        options=settings.options,
        num=settings.num_trajectories,
        num_frames=settings.num_frames,
        num_before=settings.num_around,
        seed=settings.value("data.seed"),
        code=settings.code("data/simulate"),
    shell:
        "python {params.code.path:q} --kind {params.kind:q}"
        " --options {params.options:q} --num {params.num:q}"
        " --num_frames {params.num_frames:q} --num_before {params.num_before:q}"
        " --seed {params.seed:q} --split {wildcards.split:q} --output {output:q} --threads {threads}"
        " 2>&1 | tee {log:q}"


rule render:
    """Draw the noisy states as videos."""
    input:
        "results/{preset}/data/{system}/{split}_trajectories.h5",
    output:
        "results/{preset}/data/{system}/{split}_videos.h5",
    log:
        "results/{preset}/logs/render/{system}_{split}.log",
    benchmark:
        "results/{preset}/benchmarks/render/{system}_{split}.tsv"
    conda:
        "../envs/hgnpipe.yaml"
    params:
        image_size=settings.value("data.image_size"),
        code=settings.code("data/render"),
    shell:
        "python {params.code.path:q} --trajectories {input:q}"
        " --image_size {params.image_size:q} --output {output:q} 2>&1 | tee {log:q}"


rule extend:
    """Solve what happened before and happens after the first trajectories."""
    input:
        "results/{preset}/data/{system}/{split}_trajectories.h5",
    output:
        "results/{preset}/data/{system}/{split}_motion.h5",
    log:
        "results/{preset}/logs/extend/{system}_{split}.log",
    benchmark:
        "results/{preset}/benchmarks/extend/{system}_{split}.tsv"
    conda:
        "../envs/hgnpipe.yaml"
    threads: settings.config.threads
    params:
        num=settings.num_extended,
        before=settings.num_before,
        after=settings.num_after,
        code=settings.code("data/extend"),
    shell:
        "python {params.code.path:q} --trajectories {input:q}"
        " --num_trajectories {params.num:q} --num_before {params.before:q}"
        " --num_after {params.after:q} --output {output:q} --threads {threads}"
        " 2>&1 | tee {log:q}"
