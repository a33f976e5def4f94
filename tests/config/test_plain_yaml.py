import pytest
from pipeline import REPOSITORY

from hgnpipe.config.plain_yaml import check_yaml


@pytest.fixture
def path(tmp_path):
    return tmp_path / "config.yaml"


@pytest.mark.parametrize(
    "text",
    ["a: 1", "a: &x {b: 1}\nc: {<<: *x, b: 2}", "a: 2020-01-01", '{"a": [null, 1.5]}'],
)
def test_plain_data_pass(path, text):
    path.write_text(text)
    check_yaml(path)


def test_the_shipped_configuration_passes():
    check_yaml(REPOSITORY / "config.yaml")


def test_a_file_that_is_not_there_is_left_to_those_who_need_it(path):
    check_yaml(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty; it must hold keys and their values"),
        ("# nothing\n", "is empty"),
        ("- 1", "is no mapping"),
        ("preset smoke", "is no mapping"),
        ("a: 1\nb:\n\tc: 1", ": line 3 is not YAML: found character that cannot"),
        ("a: 1\nb:\n\tc: 1", "(indent with blanks, not with tabs)"),
        ("a: [1", "is not YAML: did not find expected ',' or ']'"),
        ("a: 1\n b: 2", ": line 2 is not YAML: mapping values are not allowed"),
        ("a: *x", ": line 1 is not YAML: found undefined alias"),
        ("a: 1\nb: 2\na: 3", ": line 3 has the key 'a' for the second time"),
        ("a: {b: 1, b: 1}", ": line 1 has the key 'b' for the second time"),
        ("a: \0", "cannot be read as YAML"),
        ("__use_yte__: true", ": line 1 has the key __use_yte__"),
        ("a: !!python/object/apply:os.getcwd []", "tag 'tag:yaml.org,2002:python/obj"),
        ("a:\n- !mine 1", ": line 2 has the tag '!mine'; it must hold plain data"),
    ],
)
def test_what_is_no_plain_data_is_named_in_one_line(path, text, words):
    path.write_text(text)
    with pytest.raises(ValueError) as error:
        check_yaml(path)
    assert str(error.value).startswith(str(path)) and words in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_no_text_is_named(path):
    path.write_bytes(b"\x89HDF\xff")
    with pytest.raises(ValueError, match="cannot be read as YAML"):
        check_yaml(path)


def test_a_folder_is_named(path):
    path.mkdir()
    with pytest.raises(ValueError, match="cannot be read as YAML"):
        check_yaml(path)
