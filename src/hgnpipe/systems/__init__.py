"""Physical systems whose videos the models learn from (paper, Sec. 4 and A.4).

A system says how it moves (its energy), where it starts, and how it looks from the
side. All quantities are dimensionless. To add a system: subclass `System` in a file of
the same name here, and give it a block in ``config.yaml``.
"""

from hgnpipe.collection import Collection

SYSTEMS = Collection("system", "hgnpipe.systems")
build_system = SYSTEMS.build
"""System of a kind, with the paper's constants unless overridden by options."""
