"""Densities that flows learn, with exact samples and exact log-densities.

All but one are mixtures of isotropic Gaussians: a few modes on a circle, or a curve
(moons, rings, spirals) as a necklace of so many that nobody can tell it from a smooth
one. Quantities are dimensionless. To add a density: write a function that returns a
`Density` in a file of the same name here, and give it a block in ``config.yaml``.
"""

from hgnpipe.collection import Collection

DENSITIES = Collection("density", "hgnpipe.densities")
build_density = DENSITIES.build
"""Density of a kind, with the defaults of its options unless overridden."""
