"""The page of options: all that there are, and as the code is."""

import re

import pytest
from pipeline import REPOSITORY

from hgnpipe.config.options import page
from hgnpipe.data.points import TableOptions
from hgnpipe.densities import DENSITIES
from hgnpipe.flows import FLOWS
from hgnpipe.models import MODELS
from hgnpipe.runtime.explained import options_of
from hgnpipe.systems import SYSTEMS
from hgnpipe.training.options import TrainingOptions

OWNERS = {
    name: owner
    for collection in (MODELS, FLOWS, SYSTEMS, DENSITIES)
    for name, owner in collection.all().items()
} | {"table": TableOptions, "training": TrainingOptions}


def test_the_page_is_as_the_code_is():
    written = (REPOSITORY / "docs/options.md").read_text("utf-8")
    assert written == page(), "python -m hgnpipe.config.options > docs/options.md"


@pytest.mark.parametrize("name", OWNERS)
def test_every_option_is_on_the_page_with_its_meaning_and_legal_values(name):
    text = page()
    for option in options_of(OWNERS[name]):
        assert len(option.meaning) >= 5, option
        assert not re.search("class|tuple|typing|None", option.legal), option
        assert f"| `{option.name}` | {option.legal} |" in text
