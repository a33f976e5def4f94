import numpy as np
import pytest
from tfrecords import example, floats, integers, record, texts

from hgnpipe.data.tfrecord import masked_crc32c, parse_example, read_examples

NUMBERS = [0, 1, 127, 128, 300, 2**31, 2**62, -1, -(2**63), 2**63 - 1]


@pytest.mark.parametrize("packed", [True, False])
def test_integers_of_all_sizes_come_back(packed):
    found = parse_example(example(a=integers(NUMBERS, packed)))
    assert found["a"].dtype == np.int64 and found["a"].tolist() == NUMBERS


def test_texts_floats_and_nothing_come_back():
    made = example(a=texts(b"one", b"two" * 100), b=floats([0.5, -2]), c=integers([]))
    found = parse_example(made)
    assert found["a"] == [b"one", b"two" * 100]
    assert found["b"].tolist() == [0.5, -2] and len(found["c"]) == 0


def test_the_checksum_is_that_of_castagnoli_masked():
    crc = 0xE3069283  # of the digits, as RFC 3720 and others print it
    assert masked_crc32c(b"123456789") == (
        ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
    )


def test_records_come_one_after_the_other(tmp_path):
    path = tmp_path / "a.tfrecord"
    path.write_bytes(b"".join(record(example(a=integers([n]))) for n in range(5)))
    assert [one["a"].tolist() for one in read_examples(path)] == [[n] for n in range(5)]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (record(example(a=integers([1])))[:-6], "cut off"),
        (record(example(a=integers([1])))[:7], "damaged, or no file of TFRecords"),
        (b"not a record, but a text of some length", "no file of TFRecords"),
        (record(b"\x0a\x7f" + bytes(20)), "no tf.train.Example"),
    ],
)
def test_what_is_no_file_of_records_is_named(tmp_path, content, words):
    (tmp_path / "a.tfrecord").write_bytes(content)
    with pytest.raises(ValueError, match=f"a.tfrecord.*{words}"):
        list(read_examples(tmp_path / "a.tfrecord"))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"gone.tfrecord does not exist"):
        list(read_examples(tmp_path / "gone.tfrecord"))
