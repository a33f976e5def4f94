"""A small configuration that is right, to put mistakes in."""

GOOD = """
preset: tiny
device: cpu
precision: tf32
reproducible: false
threads: 1
only_finished: false
systems:
  spring: {kind: mass_spring, noise_std: 0.1, radius: [0.1, 1.0]}
  orbit: {kind: two_body}
models:
  hgn: {label: HGN, family: hgn, options: {dt: 0.1}}
  hnn: {label: HNN, family: pixelhnn, options: {hidden_size: 8}}
densities:
  blobs: {kind: modes, num_modes: 3}
  mine: {kind: table, file: mine.csv}
flows:
  nhf: {label: NHF, family: nhf, options: {num_steps: 1}}
  rnvp: {label: RNVP, family: realnvp, options: {num_steps: 2}}
presets:
  tiny:
    systems: [spring, orbit]
    seeds: [0, 1]
    data: {seed: 0, num_train: 4, num_test: 2, num_frames: 6, image_size: 16}
    evaluation:
      {num_trajectories: 2, batch_size: 2, num_extended: 2, horizons: [2],
       symetric_repeats: 1, example: 0, num_samples: 2}
    options:
      hgn: {num_filters: 4, num_decoded: 3}
    training:
      hgn: {num_iterations: 2, batch_size: 2, learning_rate: 1.0e-3}
      pixelhnn: {num_iterations: 2, batch_size: 2, learning_rate: 1.0e-3}
    hnn_check:
      states:
        {systems: [spring], seeds: [0], num_train: 2, num_test: 2, horizons: [2],
         training: {num_iterations: 2, batch_size: 2, learning_rate: 1.0e-3}}
      pixels:
        {system: orbit, seeds: [0], image_size: 8, num_train: 2, num_test: 2,
         options: {hidden_size: 4},
         training: {num_iterations: 2, batch_size: 2, learning_rate: 1.0e-3}}
    flows:
      learn: {blobs: [nhf, rnvp], mine: [nhf], others: [rnvp]}
      seeds: [0, 1]
      data: {seed: 0, num_train: 4, num_validation: 2, num_test: 3}
      evaluation:
        {num_points: 3, num_importance_samples: [1, 2], num_watched: 2,
         num_watched_samples: 1, grid_size: 5, shown: nhf, compared: blobs,
         reference: rnvp, repeats: 1}
      options: {nhf: {hidden_size: 8}, realnvp: {hidden_size: 8}}
      training:
        nhf: {num_iterations: 2, batch_size: 2, learning_rate: 1.0e-3}
        realnvp: {num_iterations: 2, batch_size: 2, learning_rate: 1.0e-3}
"""

MISSING = object()
"""Instead of a value: the key is left out."""
