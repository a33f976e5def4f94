# Trajectories and videos of the systems.


rule simulate:
    """Solve the motion of one system: clean states, and states with noise."""
    output:
        "results/{preset}/data/{system}/{split}_trajectories.h5",
    log:
        "results/{preset}/logs/simulate/{system}_{split}.log",
    benchmark:
        "results/{preset}/benchmarks/simulate/{system}_{split}.tsv"
    conda:
        "../envs/hgnpipe.yaml"
    threads: config["threads"]
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        kind=setting("systems/{system}/kind"),
        options=simulated_system,
        num=setting("presets/{preset}/data/num_{split}"),
        num_frames=setting("presets/{preset}/data/num_frames"),
        seed=setting("presets/{preset}/data/seed"),
        code=code_hash("workflow/scripts/data/simulate.py"),
    shell:
        "python workflow/scripts/data/simulate.py --kind {params.kind}"
        " --options {params.options:q} --num {params.num}"
        " --num_frames {params.num_frames} --seed {params.seed}"
        " --split {wildcards.split} --output {output} --threads {threads}"
        " 2>&1 | tee {log}"


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
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        image_size=setting("presets/{preset}/data/image_size"),
        code=code_hash("workflow/scripts/data/render.py"),
    shell:
        "python workflow/scripts/data/render.py --trajectories {input}"
        " --image_size {params.image_size} --output {output} 2>&1 | tee {log}"


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
    threads: config["threads"]
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        num=num_extended,
        before=num_before,
        after=num_after,
        code=code_hash("workflow/scripts/data/extend.py"),
    shell:
        "python workflow/scripts/data/extend.py --trajectories {input}"
        " --num_trajectories {params.num} --num_before {params.before}"
        " --num_after {params.after} --output {output} --threads {threads}"
        " 2>&1 | tee {log}"
