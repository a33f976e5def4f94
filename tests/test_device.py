import pytest
import torch

from hgnpipe.device import DEVICES, choose_device


@pytest.fixture
def cuda(monkeypatch):
    """Pretends that there is a GPU, or that there is none."""

    def pretend(available):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: available)

    return pretend


@pytest.mark.parametrize(
    ("name", "available", "expected"),
    [
        ("auto", False, "cpu"), ("auto", True, "cuda"), ("cpu", False, "cpu"),
        ("cpu", True, "cpu"), ("cuda", True, "cuda"),
    ],
)  # fmt: skip
def test_a_job_gets_the_device_it_asks_for(cuda, name, available, expected):
    cuda(available)
    assert choose_device(name) == torch.device(expected)


def test_cuda_that_is_not_there_is_one_line_that_says_what_to_do(cuda):
    cuda(False)
    with pytest.raises(
        ValueError, match=r"^device is 'cuda'.*'auto' or 'cpu'"
    ) as error:
        choose_device("cuda")
    assert "\n" not in str(error.value)


def test_an_unknown_device_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match=r"'gpu'\. Known: " + ", ".join(DEVICES)):
        choose_device("gpu")


def test_no_threads_at_all_is_a_mistake():
    with pytest.raises(ValueError, match=r"^threads is 0; it must be 1 or more\.$"):
        choose_device("cpu", threads=0)


def test_torch_uses_the_threads_that_the_job_has(monkeypatch):
    told = []
    monkeypatch.setattr(torch, "set_num_threads", told.append)
    choose_device("cpu", threads=3)
    assert told == [3]
