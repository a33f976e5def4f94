"""Checks every annotated type and shape of the library while the tests run.

`--jaxtyping-packages` in pyproject.toml names it.
"""

from beartype import BeartypeConf, beartype

# As in Python's own rules, an integer may stand where a float is annotated.
typechecker = beartype(conf=BeartypeConf(is_pep484_tower=True))
