# Figures; nothing here needs a GPU. Each is a PDF for the printer and a PNG for the report.
# Numbers have two digits because the report sorts results as text.


rule fig05:
    """Energy of every system, motions on it, and samples of the videos."""
    input:
        trajectories=observed.per_simulated("data/{system}/train_trajectories.h5"),
        videos=observed.per_simulated("data/{system}/train_videos.h5"),
    output:
        pdf="results/{preset}/figures/fig05_systems.pdf",
        png=report(
            "results/{preset}/figures/fig05_systems.png",
            caption="../report/fig05.rst",
            category="Figures",
            labels=contents.label("fig05"),
        ),
    log:
        "results/{preset}/logs/fig05.log",
    conda:
        "../envs/hgnpipe.yaml"
    params:
        example=settings.value("evaluation.example"),
        code=settings.code("figures/fig05_systems"),
    shell:
        "python {params.code.path:q} --trajectories {input.trajectories:q}"
        " --videos {input.videos:q} --example {params.example:q}"
        " --output {output.pdf:q} {output.png:q} 2>&1 | tee {log:q}"


rule fig06:
    """Error of each frame along one train and one test rollout of every model."""
    input:
        errors=settings.runs("errors.h5", one_seed=True),
        references=settings.per_system("references/{system}.h5"),
    output:
        pdf="results/{preset}/figures/fig06_mse_per_frame.pdf",
        png=report(
            "results/{preset}/figures/fig06_mse_per_frame.png",
            caption="../report/fig06.rst",
            category="Figures",
            labels=contents.label("fig06"),
        ),
    log:
        "results/{preset}/logs/fig06.log",
    conda:
        "../envs/hgnpipe.yaml"
    params:
        families=settings.families(["models"]),
        labels=settings.labels,
        example=settings.value("evaluation.example"),
        code=settings.code("figures/fig06_mse_per_frame"),
    shell:
        "python {params.code.path:q} --errors {input.errors:q}"
        " --references {input.references:q} --families {params.families:q}"
        " --labels {params.labels:q} --example {params.example:q}"
        " --output {output.pdf:q} {output.png:q} 2>&1 | tee {log:q}"


# Rows that Figs. 7 and 8 show, those of them that a preset has.
ROLLED = ["hgn_leapfrog", "hgn_vector", "latent_ode", "latent_gru"]
FORWARD_ONLY = ["hnn"]


rule fig07:
    """A train and a test video, and rollouts of some models; strips and animation."""
    input:
        films=settings.runs("films.h5", models=ROLLED + FORWARD_ONLY, one_seed=True),
        errors=settings.runs("errors.csv", models=ROLLED + FORWARD_ONLY, one_seed=True),
        references="results/{preset}/references/{system}.csv",
    output:
        pdf="results/{preset}/figures/fig07_rollouts_{system}.pdf",
        png=report(
            "results/{preset}/figures/fig07_rollouts_{system}.png",
            caption="../report/fig07.rst",
            category="Figures",
            labels=contents.label("fig07"),
        ),
        gif=report(
            "results/{preset}/figures/fig07_rollouts_{system}.gif",
            caption="../report/fig07.rst",
            category="Animations",
            labels=contents.label("fig07", "as GIF"),
        ),
        mp4=report(
            "results/{preset}/figures/fig07_rollouts_{system}.mp4",
            caption="../report/fig07.rst",
            category="Animations",
            labels=contents.label("fig07", "as MP4"),
        ),
        page=report(
            "results/{preset}/figures/fig07_rollouts_{system}.html",
            caption="../report/fig07.rst",
            category="Animations",
            labels=contents.label("fig07", "animated"),
        ),
    log:
        "results/{preset}/logs/fig07_{system}.log",
    conda:
        "../envs/hgnpipe.yaml"
    params:
        models=settings.rows_among(ROLLED),
        baselines=settings.rows_among(FORWARD_ONLY),
        labels=settings.labels,
        code=settings.code("figures/fig07_rollouts"),
    shell:
        "python {params.code.path:q} --films {input.films:q}"
        " --errors {input.errors:q} {input.references:q}"
        " --system {wildcards.system:q} --models {params.models:q}"
        " --baselines {params.baselines:q} --labels {params.labels:q}"
        " --figure {output.pdf:q} {output.png:q}"
        " --animation {output.gif:q} {output.mp4:q} {output.page:q} 2>&1 | tee {log:q}"


rule fig08:
    """Videos that models sample from their priors, on every system; strips, animation."""
    input:
        settings.runs("films.h5", models=ROLLED, one_seed=True),
    output:
        pdf="results/{preset}/figures/fig08_samples.pdf",
        png=report(
            "results/{preset}/figures/fig08_samples.png",
            caption="../report/fig08.rst",
            category="Figures",
            labels=contents.label("fig08"),
        ),
        gif=report(
            "results/{preset}/figures/fig08_samples.gif",
            caption="../report/fig08.rst",
            category="Animations",
            labels=contents.label("fig08", "as GIF"),
        ),
        mp4=report(
            "results/{preset}/figures/fig08_samples.mp4",
            caption="../report/fig08.rst",
            category="Animations",
            labels=contents.label("fig08", "as MP4"),
        ),
        page=report(
            "results/{preset}/figures/fig08_samples.html",
            caption="../report/fig08.rst",
            category="Animations",
            labels=contents.label("fig08", "animated"),
        ),
    log:
        "results/{preset}/logs/fig08.log",
    conda:
        "../envs/hgnpipe.yaml"
    params:
        systems=settings.value("systems"),
        models=settings.rows_among(ROLLED),
        labels=settings.labels,
        code=settings.code("figures/fig08_samples"),
    shell:
        "python {params.code.path:q} --films {input:q}"
        " --systems {params.systems:q} --models {params.models:q}"
        " --labels {params.labels:q}"
        " --figure {output.pdf:q} {output.png:q}"
        " --animation {output.gif:q} {output.mp4:q} {output.page:q} 2>&1 | tee {log:q}"


rule fig09:
    """Densities, energies and motion of NHF on one density."""
    input:
        points="results/{preset}/flows/{density}/points.h5",
        portrait=flow_settings.shown_portrait,
    output:
        pdf="results/{preset}/figures/fig09_flow_{density}.pdf",
        png=report(
            "results/{preset}/figures/fig09_flow_{density}.png",
            caption="../report/fig09.rst",
            category="Figures",
            labels=contents.label("fig09"),
        ),
    log:
        "results/{preset}/logs/fig09_{density}.log",
    conda:
        "../envs/hgnpipe.yaml"
    params:
        label=flow_settings.shown_label,
        code=settings.code("figures/fig09_flow"),
    shell:
        "python {params.code.path:q} --points {input.points:q}"
        " --portrait {input.portrait:q} --label {params.label:q}"
        " --output {output.pdf:q} {output.png:q} 2>&1 | tee {log:q}"


rule fig10:
    """NHF and RNVP on one density: densities, and likelihood during training."""
    input:
        points=flow_settings.of_compared("points.h5"),
        portraits=flow_settings.runs("portrait.h5", compared=True, one_seed=True),
        history=flow_settings.runs("history.csv", compared=True),
        likelihood=flow_settings.runs("likelihood.csv", compared=True),
        costs="results/{preset}/flows/costs.csv",
    output:
        pdf="results/{preset}/figures/fig10_flows.pdf",
        png=report(
            "results/{preset}/figures/fig10_flows.png",
            caption="../report/fig10.rst",
            category="Figures",
            labels=contents.label("fig10"),
        ),
    log:
        "results/{preset}/logs/fig10.log",
    conda:
        "../envs/hgnpipe.yaml"
    params:
        num_samples=settings.value("flows.evaluation.num_watched_samples"),
        labels=settings.labels,
        code=settings.code("figures/fig10_flows"),
    shell:
        "python {params.code.path:q} --points {input.points:q}"
        " --portraits {input.portraits:q} --history {input.history:q}"
        " --likelihood {input.likelihood:q} --costs {input.costs:q}"
        " --num_importance_samples {params.num_samples:q}"
        " --labels {params.labels:q} --output {output.pdf:q} {output.png:q}"
        " 2>&1 | tee {log:q}"


rule fig11:
    """Reconstruction error of hgn_leapfrog during training."""
    input:
        history=settings.runs("history.csv", models=["hgn_leapfrog"]),
        references=settings.per_system("references/{system}.csv"),
    output:
        pdf="results/{preset}/figures/fig11_convergence_hgn.pdf",
        png=report(
            "results/{preset}/figures/fig11_convergence_hgn.png",
            caption="../report/fig11.rst",
            category="Figures",
            labels=contents.label("fig11"),
        ),
    log:
        "results/{preset}/logs/fig11.log",
    conda:
        "../envs/hgnpipe.yaml"
    params:
        model="hgn_leapfrog",
        labels=settings.labels,
        code=settings.code("figures/fig11_convergence"),
    shell:
        "python {params.code.path:q} --history {input.history:q}"
        " --references {input.references:q} --model {params.model:q}"
        " --labels {params.labels:q}"
        " --output {output.pdf:q} {output.png:q} 2>&1 | tee {log:q}"


use rule fig11 as fig12 with:
    # Reconstruction error of hnn_conv during training.
    input:
        history=settings.runs("history.csv", models=["hnn_conv"]),
        references=settings.per_system("references/{system}.csv"),
    output:
        pdf="results/{preset}/figures/fig12_convergence_hnn_conv.pdf",
        png=report(
            "results/{preset}/figures/fig12_convergence_hnn_conv.png",
            caption="../report/fig12.rst",
            category="Figures",
            labels=contents.label("fig12"),
        ),
    log:
        "results/{preset}/logs/fig12.log",
    params:
        model="hnn_conv",
        labels=settings.labels,
        code=settings.code("figures/fig11_convergence"),


rule fig13:
    """What leapfrog keeps and Euler does not, and the parts of a leapfrog step."""
    output:
        pdf="results/{preset}/figures/fig13_integrators.pdf",
        png=report(
            "results/{preset}/figures/fig13_integrators.png",
            caption="../report/fig13.rst",
            category="Figures",
            labels=contents.label("fig13"),
        ),
    log:
        "results/{preset}/logs/fig13.log",
    conda:
        "../envs/hgnpipe.yaml"
    params:
        code=settings.code("figures/fig13_integrators"),
    shell:
        "python {params.code.path:q}"
        " --output {output.pdf:q} {output.png:q} 2>&1 | tee {log:q}"


rule fig14:
    """Motions and true energies of HNN from states, and PixelHNN's rollout."""
    input:
        states=settings.checks("states.h5"),
        pixels=settings.checks("pixels.h5"),
    output:
        pdf="results/{preset}/figures/fig14_hnn_check.pdf",
        png=report(
            "results/{preset}/figures/fig14_hnn_check.png",
            caption="../report/fig14.rst",
            category="Figures",
            labels=contents.label("fig14"),
        ),
    log:
        "results/{preset}/logs/fig14.log",
    conda:
        "../envs/hgnpipe.yaml"
    params:
        code=settings.code("figures/fig14_hnn_check"),
    shell:
        "python {params.code.path:q} --states {input.states:q}"
        " --pixels {input.pixels:q}"
        " --output {output.pdf:q} {output.png:q} 2>&1 | tee {log:q}"


rule fig15:
    """What kappa trades: errors, KL and samples of rows that differ in it alone."""
    input:
        measures=results.kappa_runs("dynamics.csv"),
        errors=results.kappa_runs("errors.csv"),
    output:
        pdf="results/{preset}/figures/fig15_kappa.pdf",
        png=report(
            "results/{preset}/figures/fig15_kappa.png",
            caption="../report/fig15.rst",
            category="Figures",
            labels=contents.label("fig15"),
        ),
    log:
        "results/{preset}/logs/fig15.log",
    conda:
        "../envs/hgnpipe.yaml"
    params:
        kappas=results.of_kappas,
        labels=settings.labels,
        code=settings.code("figures/fig15_kappa"),
    shell:
        "python {params.code.path:q} --measures {input.measures:q}"
        " --errors {input.errors:q} --kappas {params.kappas:q}"
        " --labels {params.labels:q}"
        " --output {output.pdf:q} {output.png:q} 2>&1 | tee {log:q}"


rule fig16:
    """Error against the values of a sweep."""
    input:
        "results/{preset}/tables/sweep_{row}.csv",
    output:
        pdf="results/{preset}/figures/fig16_sweep_{row}.pdf",
        png=report(
            "results/{preset}/figures/fig16_sweep_{row}.png",
            caption="../report/fig16.rst",
            category="Figures",
            labels=contents.label("fig16"),
        ),
    log:
        "results/{preset}/logs/fig16_{row}.log",
    conda:
        "../envs/hgnpipe.yaml"
    params:
        rows=results.of_sweep,
        systems=settings.value("systems"),
        code=settings.code("figures/fig16_sweep"),
    shell:
        "python {params.code.path:q} --table {input:q} --rows {params.rows:q}"
        " --systems {params.systems:q}"
        " --output {output.pdf:q} {output.png:q} 2>&1 | tee {log:q}"


rule current_figure:
    """A figure of the preset that config.yaml names, where the README says it is."""
    input:
        multiext(f"results/{results.top}/figures/{{figure}}", ".pdf", ".png"),
    output:
        multiext("results/figures/{figure}", ".pdf", ".png"),
    log:
        "results/logs/{figure}.log",
    wildcard_constraints:
        figure="fig[0-9]+_[A-Za-z0-9_]+",
    localrule: True
    conda:
        "../envs/hgnpipe.yaml"
    params:
        folder=subpath(output[0], parent=True),
    shell:
        "cp -v {input:q} {params.folder:q} > {log:q} 2>&1"


rule current_animation:
    """An animation of the preset that config.yaml names."""
    input:
        multiext(
            f"results/{results.top}/figures/{{figure}}",
            ".gif",
            ".mp4",
            ".html",
        ),
    output:
        multiext("results/figures/{figure}", ".gif", ".mp4", ".html"),
    log:
        "results/logs/{figure}_animation.log",
    wildcard_constraints:
        figure="fig0[78]_[A-Za-z0-9_]+",
    localrule: True
    conda:
        "../envs/hgnpipe.yaml"
    params:
        folder=subpath(output[0], parent=True),
    shell:
        "cp -v {input:q} {params.folder:q} > {log:q} 2>&1"
