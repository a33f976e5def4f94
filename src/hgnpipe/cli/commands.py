"""Commands of ``hgnpipe``, and the options of each."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from hgnpipe.runtime.command import ended_in_one_line

MODEL = "model.safetensors of a run, or the folder where it lies"
VIDEO = (
    "videos: .h5 of a preset, a film, GIF, .npy, .npz, HDF5, or a folder of them or of "
    "pictures, cropped and resized for the model; by default the test videos of its "
    "preset"
)
OUTPUT = "file to write: .gif, .mp4, .html, .png or .pdf (film strips), or .npz"
NUMBER = "which of several videos, from 0 on (default: 0)"


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what the command line says; what a user can mend ends in one line."""
    options = vars(_parser().parse_args(arguments))
    with ended_in_one_line():
        options.pop("call")(**options)


def _parser() -> argparse.ArgumentParser:
    """Every command with its options."""
    parser = argparse.ArgumentParser(
        prog="hgnpipe",
        description="Play models that were trained, watch those that are trained, and "
        "begin a system, model or preset. The tables and figures are snakemake's.",
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(name: str, call: object, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.set_defaults(call=call)
        return made

    one = command(
        "rollout", _rollout, "Infer the first state of a video and roll it out."
    )
    one.add_argument("model", type=Path, help=MODEL)
    one.add_argument("video", type=Path, nargs="?", help=VIDEO)
    one.add_argument("--number", type=int, default=0, help=NUMBER)
    one.add_argument(
        "--speed", type=float, default=1.0,
        help="multiplies the time step; -1 is backwards (default: 1)",
    )  # fmt: skip
    one.add_argument("--steps", type=int, help="default: as long as the video")
    one.add_argument(
        "-o", "--output", type=Path, default=Path("rollout.gif"), help=OUTPUT
    )

    one = command("sample", _sample, "Make videos from the prior of a model.")
    one.add_argument("model", type=Path, help=MODEL)
    one.add_argument("-n", "--num", type=int, default=8, help="how many (default: 8)")
    one.add_argument("--steps", type=int, default=30, help="of each (default: 30)")
    one.add_argument("--seed", type=int, default=0, help="of the draw (default: 0)")
    one.add_argument(
        "-o", "--output", type=Path, default=Path("samples.gif"), help=OUTPUT
    )

    one = command("compare", _compare, "Let several models play one video.")
    one.add_argument("models", type=Path, nargs="+", help=MODEL)
    one.add_argument("video", type=Path, help=VIDEO.split("; by")[0])
    one.add_argument("--number", type=int, default=0, help=NUMBER)
    one.add_argument(
        "-o", "--output", type=Path, default=Path("compare.gif"), help=OUTPUT
    )

    one = command("info", _info, "Say what a model is, where it came from, how good.")
    one.add_argument("model", type=Path, help=MODEL)

    one = command("watch", _watch, "Show how far the trainings of a preset are.")
    one.add_argument(
        "folder", type=Path, nargs="?", default=Path("results/laptop"),
        help="results of a preset (default: results/laptop)",
    )  # fmt: skip
    one.add_argument(
        "--every", type=float, default=0,
        help="again after so many seconds, until Ctrl-C (default: once)",
    )  # fmt: skip

    one = command(
        "tensorboard", _tensorboard, "Write TensorBoard's event files of a preset."
    )
    one.add_argument(
        "folder", type=Path, nargs="?", default=Path("results/laptop"),
        help="results of a preset (default: results/laptop)",
    )  # fmt: skip
    one.add_argument(
        "-o", "--output", type=Path,
        help="folder to write (default: tensorboard/ in that of the preset)",
    )  # fmt: skip
    one.add_argument(
        "--every", type=float, default=0,
        help="what is new, after so many seconds, until Ctrl-C (default: once)",
    )  # fmt: skip

    one = command("new", _new, "Begin a file of your own that runs as it is.")
    one.add_argument("kind", choices=["system", "model", "preset"])
    one.add_argument("name", help="lower case, for example my_system")
    return parser


def _rollout(
    model: Path, video: Path | None, number: int, speed: float, steps: int | None,
    output: Path,
) -> None:  # fmt: skip
    from hgnpipe.cli.play import find_model, read_video, test_videos_of
    from hgnpipe.reporting.clips import predict

    path, network = find_model(model)
    seen = read_video(video or test_videos_of(path), number, network.image_size)
    predict(network, seen, speed=speed, num_steps=steps).save(output)
    print(f"Made {output}.")


def _sample(model: Path, num: int, steps: int, seed: int, output: Path) -> None:
    from hgnpipe.cli.play import find_model
    from hgnpipe.reporting.clips import sample

    sample(find_model(model)[1], num, steps, seed).save(output)
    print(f"Made {output}.")


def _compare(models: list[Path], video: Path, number: int, output: Path) -> None:
    from hgnpipe.cli.play import find_model, names_of, read_video
    from hgnpipe.collection import require
    from hgnpipe.reporting.clips import compare

    found = dict(map(find_model, models))
    names = names_of([*found])
    networks = dict(zip(names, found.values(), strict=True))
    sizes = {network.image_size for network in found.values()}
    require(len(sizes) == 1, "image sizes of the models", sorted(sizes), "the same")
    made = compare(networks, read_video(video, number, *sizes))
    made.save(output)
    width = max(map(len, names))
    for name, error in zip(names, made.arrays["mse_x1e4"], strict=True):
        print(f"{name:{width}}  MSE x1e4 of this video: {error:.2f}")
    print(f"Made {output}.")


def _info(model: Path) -> None:
    from hgnpipe.cli.play import describe

    print(describe(model))


def _watch(folder: Path, every: float) -> None:
    from hgnpipe.cli.watch import watch

    watch(folder, every)


def _tensorboard(folder: Path, output: Path | None, every: float) -> None:
    from hgnpipe.cli.events import follow

    follow(folder, output or folder / "tensorboard", every)


def _new(kind: str, name: str) -> None:
    from hgnpipe.cli.templates import begin

    path, then = begin(kind, name)
    print(f"Made {path}. {then}")
