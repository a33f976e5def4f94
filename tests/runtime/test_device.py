import os
import subprocess
import sys

import pytest
import torch

from hgnpipe.runtime import device
from hgnpipe.runtime.device import DEVICES, PRECISIONS, choose_device, find_device


@pytest.fixture(autouse=True)
def as_before():
    """Other tests find torch as they know it."""
    yield
    choose_device("cpu")


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


@pytest.mark.parametrize(("num", "taken"), [(1, []), (3, [2])])
def test_a_job_takes_one_of_several_gpus(cuda, monkeypatch, num, taken):
    cuda(True)
    chosen, asked = [], []
    monkeypatch.setattr(torch.cuda, "device_count", lambda: num)
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    monkeypatch.setattr(device, "take_gpu", lambda names: asked.append(names) or 2)
    assert choose_device("cuda") == torch.device("cuda")
    assert chosen == taken
    assert asked == [["0", "1", "2"]] * len(taken)


def test_to_find_a_device_takes_no_gpu(cuda, monkeypatch):
    cuda(True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    monkeypatch.setattr(device, "take_gpu", lambda names: pytest.fail("taken"))
    assert find_device("auto") == "cuda"


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
    chosen = []
    monkeypatch.setattr(torch, "set_num_threads", chosen.append)
    choose_device("cpu", threads=3)
    assert chosen == [3]


@pytest.mark.parametrize("training", [True, False])
def test_a_process_that_trains_loses_no_time_on_numbers_next_to_nothing(training):
    choose_device("cpu", training=training)
    assert ((torch.tensor([1e-30]) * 1e-10).item() == 0) is training


def test_no_thread_of_a_training_loses_time_on_them():
    code = (
        "import torch; from hgnpipe.runtime.device import choose_device;"
        "choose_device('cpu', threads=2, training=True);"
        "print((torch.full((10**6,), 1e-30) * 1e-10).count_nonzero().item())"
    )
    run = {"capture_output": True, "text": True, "check": True}
    assert subprocess.run([sys.executable, "-c", code], **run).stdout == "0\n"


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_gpu_shortens_numbers_only_if_asked(precision):
    choose_device("cpu", precision=precision)
    assert torch.backends.cudnn.allow_tf32 is (precision == "tf32")
    assert torch.backends.cuda.matmul.allow_tf32 is (precision == "tf32")
    choose_device("cpu")
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32


def test_an_unknown_precision_is_answered_with_the_known_ones():
    known = r"'fp16'\. Known: " + ", ".join(PRECISIONS)
    with pytest.raises(ValueError, match=known):
        choose_device("cpu", precision="fp16")


@pytest.mark.parametrize("reproducible", [True, False])
def test_same_bits_every_time_cost_the_choice_of_the_fastest_kernel(
    monkeypatch, reproducible
):
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    choose_device("cpu", reproducible=reproducible)
    assert torch.are_deterministic_algorithms_enabled() is reproducible
    assert torch.backends.cudnn.benchmark is not reproducible
    assert ("CUBLAS_WORKSPACE_CONFIG" in os.environ) is reproducible
