"""Physical systems whose videos the models learn from (paper, Sec. 4 and A.4).

A system says how it moves (its energy), where it starts, and how it looks from the
side. All quantities are dimensionless. To add a system: subclass `System` in a file of
the same name here, and give it a block in ``config.yaml``.
"""

from typing import Any

from hgnpipe.collection import Collection

SYSTEMS = Collection("system", "hgnpipe.systems")


def build_system(kind: str, /, **options: Any) -> Any:
    """System of a kind, with the paper's constants unless overridden by options.

    A constant, or ``disc_radius``, that is given as two numbers is drawn uniformly
    between them for each trajectory; so is, with ``hue``, the colour of each body. See
    `hgnpipe.systems._varied.Varied`.

    Raises:
        ValueError: If the kind or an option is unknown, or a value out of range.
    """
    if "hue" in options or any(isinstance(v, (list, tuple)) for v in options.values()):
        from hgnpipe.systems._varied import build_varied, ranges_of

        if ranges := ranges_of(SYSTEMS.find(kind), options):
            return build_varied(kind, ranges, options)
    return SYSTEMS.build(kind, **options)
