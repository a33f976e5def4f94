"""The check of HNN: what its table says, and how its models are called."""

LABELS = {
    "hnn": "HNN",
    "mlp": "MLP",
    "rest": "no motion",
    "pixelhnn": "PixelHNN",
    "mean_image": "mean image",
}
"""Columns of the table, in their order."""
EXPLANATION = (
    "{preset} preset, test trajectories, mean ± standard deviation over them (seeds: "
    "over the means of the seeds). HNN learns an energy from noisy states (q, p) and "
    "the true time derivatives, MLP, a perceptron of the same size, the derivatives "
    "themselves; no motion: derivatives of zero. Both are judged without noise: "
    "MSE of the time derivatives at true states; then motions are followed from true "
    "first states, a step being the time between two frames. Drift of the true "
    "energy: its largest change along the learned motion, relative to the standard "
    "deviation of the energy over the trajectories; the true motion has none.",
    "PixelHNN learns from videos of a pendulum within 30 degrees, without noise, and "
    "is rolled out from the first two frames of test videos. Skill = 1 - MSE / MSE of "
    "the mean image. Energy drift and R²: of the learned energy, as in the measures "
    "of the dynamics.",
)
"""What the measures are, in the words that stand below their tables."""
