import math

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from hgnpipe.training.checkpoint import TrainingFailed
from hgnpipe.training.loop import fit
from hgnpipe.training.options import TrainingOptions
from hgnpipe.training.starts import choose_start, start_seed


class Valley(nn.Module):
    """Weights that slide into the nearer of two valleys, of which one is deeper."""

    def __init__(self, start):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(float(start)))

    def loss(self, batch, iteration, generator=None):
        w = self.weight
        return {"loss": (w**2 - 1) ** 2 - 0.3 * w + batch.mean()}


class Nothing:
    """Batches of zeros."""

    def __init__(self):
        self.prepared = 0

    def check(self, model):
        pass

    def prepare(self, model):
        self.prepared += 1

    def draw(self, model, size, seed, iteration, device):
        return torch.zeros(size)


STARTS = (-1.5, -0.8, 1.4, 0.9)
OPTIONS = {"num_iterations": 40, "batch_size": 2, "learning_rate": 0.02}
OPTIONS |= {"start_iterations": 10, "log_every": 5}


def other(number):
    return Valley(STARTS[number])


def chosen(losses):
    """Start that is chosen when trials end with these losses."""
    model, answers = Valley(STARTS[0]), iter(losses)

    def trial(network, leave):
        if (loss := next(answers)) is None:
            raise TrainingFailed("diverged")
        return pd.DataFrame({"loss": [99.0, loss, loss]})

    return choose_start(model, other, trial, len(losses), lambda: False), model


@pytest.mark.parametrize(
    ("losses", "best"),
    [
        ([3, 2, 1, 4], 2),
        ([1, 2, 3], 0),
        ([math.nan, 2, 1.5], 2),
        ([None, 5], 1),
        ([math.inf, 7, None], 1),
    ],
)
def test_the_start_of_the_lowest_loss_is_given_to_the_model(losses, best):
    number, model = chosen(losses)
    assert number == best
    assert model.weight.item() == pytest.approx(STARTS[best])


def test_starts_that_all_fail_are_an_error():
    with pytest.raises(TrainingFailed, match="None of 2 starts"):
        chosen([None, math.nan])


def test_a_training_with_starts_is_that_of_the_best_of_them():
    numbers, data = [], Nothing()
    model = Valley(STARTS[0])
    options = TrainingOptions(num_starts=4, decay=0.5, **OPTIONS)
    history = fit(model, data, options, other=other, started=numbers.append)
    assert numbers == [3]
    alone = Valley(STARTS[3])
    expected = fit(alone, Nothing(), TrainingOptions(decay=0.5, **OPTIONS))
    assert model.weight.item() == alone.weight.item() > 0.9
    pd.testing.assert_frame_equal(history, expected)
    assert data.prepared == 5


def test_a_training_that_goes_on_tries_no_starts_again(tmp_path):
    numbers, asked = [], iter([False] * 55 + [True])
    options = TrainingOptions(num_starts=4, checkpoint_every=5, **OPTIONS)
    arguments = {"other": other, "started": numbers.append}
    arguments |= {"checkpoint": tmp_path / "checkpoint.safetensors"}
    with pytest.raises(Exception, match="Left after 16 of 40"):
        fit(Valley(-1.5), Nothing(), options, leave=lambda: next(asked), **arguments)
    model, undisturbed = Valley(-1.5), Valley(-1.5)
    fit(model, Nothing(), options, **arguments)
    assert numbers == [3]
    fit(undisturbed, Nothing(), options, other=other)
    assert model.weight.item() == undisturbed.weight.item()


def test_a_training_can_be_left_during_a_trial():
    asked = iter([False] * 12 + [True])
    options = TrainingOptions(num_starts=4, **OPTIONS)
    with pytest.raises(Exception, match="Left after 3 of 10 iterations, nothing saved"):
        fit(Valley(0), Nothing(), options, leave=lambda: next(asked), other=other)


def test_without_other_weights_there_is_one_start():
    options = TrainingOptions(num_starts=2, **OPTIONS)
    with pytest.raises(ValueError, match="num_starts is 2; it must be 1 where"):
        fit(Valley(0), Nothing(), options)


def test_every_start_has_a_seed_of_its_own():
    seeds = [start_seed(seed, number) for seed in range(5) for number in range(5)]
    assert len({*seeds}) == 25 and min(seeds) >= 0
    np.testing.assert_array_equal(seeds[::5], range(5))
