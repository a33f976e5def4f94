"""Types and shapes that the library annotates are checked while the tests run."""

import pytest
import torch
from jaxtyping import TypeCheckError

from hgnpipe.hamiltonian import velocity
from hgnpipe.nn.geco import Geco


def test_shapes_that_do_not_belong_together_are_refused():
    q, p = torch.ones(3, 2), torch.ones(3, 4)
    with pytest.raises(TypeCheckError):
        velocity(lambda q, p: p.sum(-1), q, p)


def test_an_integer_may_stand_where_a_float_is_annotated_and_a_text_may_not():
    assert Geco(kappa=1).kappa == 1
    with pytest.raises(TypeCheckError):
        Geco(kappa="1")
