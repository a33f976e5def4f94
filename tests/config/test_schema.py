import json

import jsonschema
import pytest
import yaml
from pipeline import REPOSITORY

from hgnpipe.config.schema import Config, json_schema

FILE = REPOSITORY / "workflow" / "schemas" / "config.schema.json"
SHIPPED = yaml.safe_load((REPOSITORY / "config.yaml").read_text("utf-8"))


def test_the_schema_for_editors_is_that_of_the_types():
    assert FILE.read_text("utf-8") == json_schema()


def test_editors_find_the_schema_by_the_first_line_of_the_file():
    first = (REPOSITORY / "config.yaml").read_text("utf-8").splitlines()[0]
    assert first.endswith(f"$schema={FILE.relative_to(REPOSITORY)}")


def test_the_shipped_configuration_fits_both_the_types_and_the_schema():
    Config.model_validate(SHIPPED)
    jsonschema.validate(SHIPPED, json.loads(json_schema()))


@pytest.mark.parametrize(
    ("key", "value"),
    [("threads", 0), ("threads", "2"), ("device", "gpu"), ("extra", 1)],
)
def test_an_editor_marks_what_is_wrong(key, value):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**SHIPPED, key: value}, json.loads(json_schema()))
