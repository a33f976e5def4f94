import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch
from damage import pickle_that_touches
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from hgnpipe.runtime import interruption
from hgnpipe.training import loop as training
from hgnpipe.training.batches import VideoBatches
from hgnpipe.training.checkpoint import TrainingFailed, discard_checkpoint
from hgnpipe.training.options import TrainingOptions

NOISY = {"num_decoded": 2, "kl_ramp": 5, "centre_frames": True}
VARIANTS = [NOISY, {"deterministic": True}, {"printed_decoder": True}]
AGAIN = "the training starts from the beginning.\n"


class Interrupted(Exception):
    pass


def fit(model, frames, *arguments, **options):
    """Train on videos."""
    return training.fit(model, VideoBatches(frames), *arguments, **options)


class Slope(nn.Module):
    """Loss ``slope(iteration) * weight``: Adam moves it by the learning rate."""

    num_frames = window = 2
    image_size = 8

    def __init__(self, slope=lambda iteration: 1.0, offset=lambda iteration: 0.0):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))
        self.slope, self.offset = slope, offset
        self.path, self.batches = [], []

    def set_frame_statistics(self, mean_image, std):
        self.statistics = mean_image, std

    def loss(self, frames, iteration, generator=None):
        self.path.append(self.weight.item())
        self.batches.append(frames)
        return {"loss": self.slope(iteration) * self.weight + self.offset(iteration)}

    def predict(self, frames, *, speed=1.0, num_steps=None):
        raise NotImplementedError

    def moves(self):
        return -np.diff([*self.path, self.weight.item()])


@pytest.fixture
def frames():
    return np.random.default_rng(0).integers(0, 256, (10, 5, 8, 8, 3), np.uint8)


@pytest.fixture
def checkpoint(tmp_path):
    return tmp_path / "checkpoint.safetensors"


def options(**changes):
    usual = {"num_iterations": 12, "batch_size": 3, "learning_rate": 1e-2}
    return TrainingOptions(
        **{**usual, "log_every": 2, "checkpoint_every": 4, **changes}
    )


ALL_KNOBS = {"decay": 0.5, "weight_decay": 1e-2, "max_grad_norm": 0.1}


def interrupt_at(iteration):
    def report(done, row):
        if done == iteration:
            raise Interrupted

    return report


def interrupted(model, frames, checkpoint, at=10, how=None, **arguments):
    """Train until the report of an iteration, and leave the checkpoint before it."""
    with pytest.raises(Interrupted):
        fit(
            model, frames, how or options(),
            checkpoint=checkpoint, report=interrupt_at(at), **arguments,
        )  # fmt: skip


def rows_reported(model, frames, checkpoint, how=None, **arguments):
    rows = []
    fit(
        model, frames, how or options(),
        checkpoint=checkpoint, report=lambda done, _: rows.append(done), **arguments,
    )  # fmt: skip
    return rows


def content(checkpoint):
    with safe_open(checkpoint, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return tensors, file.metadata()


def assert_same_tensors(one, other):
    assert one.keys() == other.keys()
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


@pytest.mark.parametrize("variant", VARIANTS, ids=["noisy", "deterministic", "printed"])
def test_a_resumed_training_is_the_undisturbed_one_bit_for_bit(
    tiny_hgn, frames, checkpoint, tmp_path, variant
):
    how, undisturbed = options(**ALL_KNOBS), tiny_hgn(**variant)
    whole = tmp_path / "undisturbed.safetensors"
    expected = fit(undisturbed, frames, how, checkpoint=whole)
    interrupted(tiny_hgn(**variant), frames, checkpoint, at=6, how=how)
    resumed = tiny_hgn(**variant)
    history = fit(resumed, frames, how, checkpoint=checkpoint)
    pd.testing.assert_frame_equal(history, expected, check_exact=True)
    assert_same_tensors(resumed.state_dict(), undisturbed.state_dict())
    assert_same_tensors(content(checkpoint)[0], content(whole)[0])


def test_an_interrupted_training_goes_on_from_its_last_checkpoint(frames, checkpoint):
    interrupted(Slope(), frames, checkpoint, at=10)
    resumed = []
    rows = rows_reported(
        Slope(), frames, checkpoint, resumed=lambda done, _: resumed.append(done)
    )
    assert resumed == [8] and rows == [10, 12]


@pytest.mark.parametrize("moment", [1, 2, 5, 11])
def test_a_training_that_was_asked_to_leave_goes_on_from_there(
    tiny_hgn, frames, checkpoint, moment
):
    undisturbed, model = tiny_hgn(**NOISY), tiny_hgn(**NOISY)
    expected = fit(undisturbed, frames, options(**ALL_KNOBS))
    asked = iter(range(1, 13))
    with pytest.raises(interruption.Interrupted, match=f"after {moment} of 12.*saved"):
        fit(
            model, frames, options(**ALL_KNOBS), checkpoint=checkpoint,
            leave=lambda: next(asked) >= moment,
        )  # fmt: skip
    resumed, model = [], tiny_hgn(**NOISY)
    history = fit(
        model, frames, options(**ALL_KNOBS), checkpoint=checkpoint,
        resumed=lambda done, _: resumed.append(done),
    )  # fmt: skip
    assert resumed == [moment]
    pd.testing.assert_frame_equal(history, expected, check_exact=True)
    for name, value in undisturbed.state_dict().items():
        assert torch.equal(model.state_dict()[name], value), name


def test_without_a_checkpoint_leaving_says_that_nothing_is_saved(frames):
    with pytest.raises(interruption.Interrupted, match=r"after 1 of 12.*nothing saved"):
        fit(Slope(), frames, options(), leave=lambda: True)


def test_a_request_at_the_last_iteration_comes_too_late_to_matter(frames, checkpoint):
    asked = iter(range(1, 13))
    fit(
        Slope(),
        frames,
        options(),
        checkpoint=checkpoint,
        leave=lambda: next(asked) > 11,
    )


def test_a_diverged_training_is_not_saved_on_leaving(frames, checkpoint):
    model = Slope(offset=lambda i: float("nan") if i >= 6 else 0.0)
    asked = iter(range(1, 13))
    with pytest.raises(TrainingFailed, match=str(checkpoint)):
        fit(
            model, frames, options(), checkpoint=checkpoint,
            leave=lambda: next(asked) >= 7,
        )  # fmt: skip
    assert rows_reported(Slope(), frames, checkpoint) == [6, 8, 10, 12]


@pytest.mark.parametrize("finished", [False, True])
def test_a_training_that_another_process_has_taken_over_leaves_its_files_alone(
    frames, checkpoint, finished
):
    """The other one starts after six iterations, saves, and may even finish."""
    left = []

    def report(done, row):
        if done == 6:
            fit(Slope(), frames, options(), checkpoint=checkpoint)
            if finished:
                discard_checkpoint(checkpoint)
            left.append(content(checkpoint)[1] if checkpoint.exists() else None)

    with pytest.raises(interruption.Interrupted, match="another copy"):
        fit(Slope(), frames, options(), checkpoint=checkpoint, report=report)
    assert left == [content(checkpoint)[1] if checkpoint.exists() else None]
    assert checkpoint.exists() == (not finished)


def test_a_finished_training_is_only_loaded(tiny_hgn, frames, checkpoint):
    trained, loaded = tiny_hgn(), tiny_hgn()
    expected = fit(trained, frames, options(), checkpoint=checkpoint)
    before = checkpoint.read_bytes()
    history = fit(loaded, frames, options(), checkpoint=checkpoint)
    pd.testing.assert_frame_equal(history, expected, check_exact=True)
    assert_same_tensors(loaded.state_dict(), trained.state_dict())
    assert checkpoint.read_bytes() == before


@pytest.mark.parametrize(
    "other",
    [{"identity": {"data": "b"}}, {"seed": 1}, {"how": options(learning_rate=0.1)}],
    ids=["identity", "seed", "options"],
)
def test_the_checkpoint_of_another_training_is_ignored(
    frames, checkpoint, other, capfd
):
    interrupted(Slope(), frames, checkpoint, identity={"data": "a"})
    model = Slope()
    arguments = {"identity": {"data": "a"}, **other}
    rows = rows_reported(model, frames, checkpoint, **arguments)
    assert rows == [2, 4, 6, 8, 10, 12]
    assert model.path[0] == 0 and len(model.path) == 12
    reason = f"{checkpoint} belongs to another training"
    assert capfd.readouterr().err == f"{reason}: {AGAIN}"


@pytest.mark.parametrize(
    "damage", ["truncated", "empty", "foreign", "no metadata", "flipped", "pickle"]
)
def test_a_file_that_is_no_checkpoint_is_ignored(
    frames, checkpoint, damage, capfd, tmp_path
):
    interrupted(Slope(), frames, checkpoint)
    whole = checkpoint.read_bytes()
    if damage == "no metadata":
        save_file({"model.weight": torch.ones(())}, checkpoint)
    else:
        bad = {
            "truncated": whole[: len(whole) * 2 // 3],
            "empty": b"",
            "foreign": b"hi",
            "flipped": whole[:-1] + bytes([whole[-1] ^ 1]),
            "pickle": pickle_that_touches(tmp_path / "ran"),
        }
        checkpoint.write_bytes(bad[damage])
    assert rows_reported(Slope(), frames, checkpoint) == [2, 4, 6, 8, 10, 12]
    reason = f"{checkpoint} is damaged, or no checkpoint of this version of hgnpipe"
    assert capfd.readouterr().err == f"{reason}: {AGAIN}"
    assert not (tmp_path / "ran").exists()


def test_without_a_checkpoint_nothing_is_saved(frames, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fit(Slope(), frames, options())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("lost", ["loss", "gradient"])
def test_a_training_that_diverges_stops_and_keeps_the_last_good_state(
    frames, checkpoint, lost
):
    def nan_from_seven(iteration):
        return float("nan") if iteration >= 7 else 0.0

    model = Slope(offset=nan_from_seven)
    if lost == "gradient":
        model = Slope(slope=lambda i: GradientIsNan() if i >= 7 else 1.0)
    with pytest.raises(TrainingFailed, match=f"iteration 8.*{checkpoint}"):
        fit(model, frames, options(), checkpoint=checkpoint)
    tensors, _ = content(checkpoint)
    assert tensors["model.weight"].item() == pytest.approx(-4e-2, rel=1e-3)
    assert rows_reported(Slope(), frames, checkpoint) == [6, 8, 10, 12]


class GradientIsNan:
    """Factor that gives zero, and a gradient that is not a number."""

    def __mul__(self, weight):
        return torch.sqrt(0 * weight)


def test_a_training_that_never_was_good_promises_no_checkpoint(frames, checkpoint):
    model = Slope(offset=lambda iteration: float("inf"))
    with pytest.raises(TrainingFailed) as failure:
        fit(model, frames, options(), checkpoint=checkpoint)
    assert not checkpoint.exists()
    assert str(checkpoint) not in str(failure.value)


def test_the_history_holds_the_mean_of_the_iterations_since_the_last_row(frames):
    model = Slope(slope=lambda i: 0.0, offset=float)
    history = fit(model, frames, options(num_iterations=10, log_every=4))
    assert history["iteration"].tolist() == [4, 8, 10]
    assert history["loss"].tolist() == [1.5, 5.5, 8.5]


def test_the_history_tells_the_gradient_before_it_is_shortened(frames):
    model = Slope(slope=lambda i: 3.0)
    history = fit(model, frames, options(max_grad_norm=1.0))
    assert history["grad_norm"].tolist() == [3.0] * 6


@pytest.mark.parametrize(
    ("warm_up", "decay", "factors"),
    [
        (0, 0.0, [1] * 10),
        (0, 0.5, [1, 1, 1, 1, 1, 1, 0.8, 0.6, 0.4, 0.2]),
        (0, 1.0, np.arange(10, 0, -1) / 10),
        (4, 0.0, [0.25, 0.5, 0.75, 1, 1, 1, 1, 1, 1, 1]),
        (2, 0.5, [0.5, 1, 1, 1, 1, 1, 0.8, 0.6, 0.4, 0.2]),
    ],
)
def test_the_learning_rate_grows_at_first_and_falls_to_zero_over_the_last_share(
    frames, warm_up, decay, factors
):
    model = Slope()
    fit(model, frames, options(num_iterations=10, warm_up=warm_up, decay=decay))
    np.testing.assert_allclose(model.moves(), 1e-2 * np.array(factors), rtol=1e-3)


def test_long_gradients_are_shortened(frames):
    sudden = Slope(slope=lambda iteration: 1.0 if iteration < 11 else 1e3)
    fit(sudden, frames, options(max_grad_norm=1.0))
    np.testing.assert_allclose(sudden.moves(), 1e-2, rtol=1e-3)


def test_weight_decay_pulls_weights_that_the_loss_does_not_need_to_zero(frames):
    model = Slope(slope=lambda i: 0.0)
    nn.init.constant_(model.weight, 1.0)
    fit(model, frames, options(weight_decay=0.1))
    np.testing.assert_allclose(model.moves(), 1e-2, rtol=0.05)


def test_all_randomness_comes_from_the_seed(tiny_hgn, frames):
    histories = []
    for global_seed, seed in ((0, 5), (1, 5), (1, 6)):
        model = tiny_hgn(**NOISY)
        torch.manual_seed(global_seed)
        np.random.seed(global_seed)
        histories.append(fit(model, frames, options(), seed=seed))
    assert histories[0].equals(histories[1])
    assert not histories[1].equals(histories[2])


def test_the_noise_differs_from_iteration_to_iteration(tiny_hgn, frames):
    how = options(learning_rate=1e-12, batch_size=1, log_every=1)
    history = fit(tiny_hgn(num_frames=5), frames[:1], how)
    assert history["mse"].nunique() > 6


def test_the_model_is_told_the_statistics_of_the_frames_before_it_starts(frames):
    model = Slope()
    fit(model, frames, options())
    mean, std = model.statistics
    expected = torch.from_numpy((frames / 255).mean(axis=(0, 1))).permute(2, 0, 1)
    torch.testing.assert_close(mean, expected.float())
    assert std == pytest.approx((frames / 255).std(), rel=0.05)


def test_a_resumed_model_keeps_the_statistics_of_its_checkpoint(
    tiny_hgn, frames, checkpoint
):
    interrupted(tiny_hgn(**NOISY), frames, checkpoint)
    resumed = tiny_hgn(**NOISY)
    fit(resumed, frames, options(), checkpoint=checkpoint)
    mean = torch.from_numpy((frames / 255).mean(axis=(0, 1))).permute(2, 0, 1)
    torch.testing.assert_close(resumed.scaler.mean, mean.float())


def test_training_fits_what_there_is_to_fit(tiny_hgn, frames):
    same = np.tile(frames[:1], (4, 1, 1, 1, 1)) // 4
    how = options(num_iterations=60, log_every=10)
    history = fit(tiny_hgn(deterministic=True), same, how)
    assert history["mse"].iloc[-1] < 0.5 * history["mse"].iloc[0]


def test_the_model_sees_every_video_once_per_epoch_as_pixel_values():
    numbers = np.arange(6, dtype=np.uint8).reshape(6, 1, 1, 1, 1)
    model = Slope()
    fit(model, np.tile(numbers, (1, 2, 8, 8, 3)), options(num_iterations=6))
    assert model.batches[0].shape == (3, 2, 3, 8, 8)
    videos = torch.cat(model.batches)[:, 0, 0, 0, 0].mul(255).round().reshape(3, 6)
    assert (videos.sort().values == torch.arange(6)).all()


def test_the_report_gets_every_row_of_the_history(frames):
    seen = []
    history = fit(Slope(), frames, options(), report=lambda *row: seen.append(row))
    assert [done for done, _ in seen] == history["iteration"].tolist()
    assert [row["loss"] for _, row in seen] == history["loss"].tolist()


def test_after_training_the_model_is_ready_to_predict(frames):
    model = Slope()
    fit(model, frames, options())
    assert not model.training


@pytest.mark.filterwarnings("error")
def test_frames_may_be_a_memory_map_that_cannot_be_written(tiny_hgn, frames, tmp_path):
    np.save(tmp_path / "frames.npy", frames)
    mapped = np.load(tmp_path / "frames.npy", mmap_mode="r")
    history = fit(tiny_hgn(), mapped, options())
    assert history.equals(fit(tiny_hgn(), frames, options()))


@pytest.mark.parametrize("shape", [(3, 5, 16, 16, 3), (3, 1, 8, 8, 3)])
def test_videos_that_do_not_fit_fail_before_the_work_starts(shape):
    model = Slope()
    with pytest.raises(ValueError, match="needs 2 frames or more of 8x8"):
        fit(model, np.zeros(shape, np.uint8), options())
    assert model.path == []


@pytest.mark.parametrize(
    ("name", "value", "legal"),
    [
        ("num_iterations", 0, "1 or more"), ("batch_size", 0, "1 or more"),
        ("learning_rate", 0.0, "positive"), ("learning_rate", -1e-3, "positive"),
        ("weight_decay", -1e-5, "zero or positive"), ("max_grad_norm", 0.0, "positive"),
        ("warm_up", -1, "zero or positive"),
        ("decay", 1.5, "between 0 and 1"), ("decay", -0.1, "between 0 and 1"),
        ("log_every", 0, "1 or more"), ("checkpoint_every", 0, "1 or more"),
    ],
)  # fmt: skip
def test_a_bad_option_is_one_line_that_names_it(name, value, legal):
    with pytest.raises(ValueError) as error:
        options(**{name: value})
    assert str(error.value) == f"{name} is {value}; it must be {legal}."


def test_options_survive_being_stored():
    how = options(**ALL_KNOBS)
    assert TrainingOptions(**dataclasses.asdict(how)) == how


@pytest.mark.parametrize("data", [np.zeros((2, 5, 8, 8, 3), np.uint8), None, "a.h5"])
def test_what_are_no_batches_is_refused_before_the_work_starts(unchecked, data):
    message = f"^data is '{type(data).__name__}'; it must be VideoBatches or PointB"
    with pytest.raises(ValueError, match=message):
        training.fit(Slope(), data, options())


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_that_is_none_is_refused_before_the_work_starts(frames, seed):
    model = Slope()
    with pytest.raises(ValueError, match=f"^seed is {seed}; it must be between 0 and"):
        fit(model, frames, options(), seed=seed)
    assert model.batches == []


def test_the_largest_seed_trains(frames):
    model = Slope()
    fit(model, frames, options(), seed=2**64 - 1)
    assert len(model.batches) == 12
