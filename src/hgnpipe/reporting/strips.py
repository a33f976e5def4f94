"""Videos on paper and on screen: film strips, and animations in GIF and MP4."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import imageio_ffmpeg
import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont

from hgnpipe.collection import require
from hgnpipe.files.whole import written_whole
from hgnpipe.reporting.pages import inlined, page
from hgnpipe.reporting.plotting import WIDTH, message
from hgnpipe.reporting.runs import preset_of

GAP = 2
"""White pixels between the frames of a strip."""
DPI = 150
"""Pixels per inch of an animation."""
FRAMES_PER_SECOND = 10
PLAYER = '<video style="max-width: 100%" controls autoplay loop muted src="{}"></video>'

Strip = tuple[str, UInt8[np.ndarray, "_ S S 3"] | None]
"""Label, and any number of frames; None where there are none to show."""
Pictures = UInt8[np.ndarray, "T H W 3"]


def film_strips(
    axes: Axes, strips: Sequence[Strip], every: int, size: int, num_frames: int
) -> None:
    """Draw videos below each other, every few frames from the first on.

    Args:
        axes: Where to draw; its x axis counts frames.
        strips: Label and frames of each row; a row without frames says "not run".
        every: Frames from one picture to the next.
        size: Height and width of a frame.
        num_frames: Length of the videos.
    """
    shown = range(0, num_frames, every)
    cell = size + GAP
    sheet = np.full((len(strips) * cell, len(shown) * cell, 3), 255, np.uint8)
    for row, (_, frames) in enumerate(strips):
        for column, index in enumerate(shown if frames is not None else ()):
            if index < len(frames):
                y, x = row * cell, column * cell
                sheet[y : y + size, x : x + size] = frames[index]
    axes.imshow(sheet, interpolation="nearest")
    centre = size / 2
    for row, (_, frames) in enumerate(strips):
        if frames is None:
            axes.text(0, row * cell + centre, "not run", va="center", color="0.4")
    axes.set_yticks(np.arange(len(strips)) * cell + centre, [s for s, _ in strips])
    axes.set_xticks(np.arange(len(shown)) * cell + centre, list(shown))
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def animate(rows: Mapping[str, Sequence[Strip]], title: str, height: float) -> Pictures:
    """Pictures of videos side by side; a video without frames says "not run".

    Args:
        rows: Videos by the name of their row; the labels of the first stand above it.
            Without any, there is one picture that says "not run".
        title: What the videos are; the number of the step is added.
        height: Of the figure, in inches.
    """
    if not rows:
        return record(message(f"{title}: not run"), lambda _: None, 1)
    columns = max(map(len, rows.values()))
    figure, grid = plt.subplots(
        len(rows), columns, figsize=(WIDTH, height), squeeze=False
    )
    shown = []
    for number, (name, strips) in enumerate(rows.items()):
        grid[number, 0].set_ylabel(name)
        for axes in grid[number]:
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
        for axes, (label, frames) in zip(grid[number], strips, strict=False):
            axes.set_title("" if number else label, fontsize=7)
            if frames is None:
                axes.text(0.5, 0.5, "not run", ha="center", transform=axes.transAxes)
            else:
                shown.append((axes.imshow(frames[0]), frames))
    heading = figure.suptitle(" ")

    def update(step: int) -> None:
        heading.set_text(f"{title}, step {step}")
        for image, frames in shown:
            image.set_data(frames[min(step, len(frames) - 1)])

    return record(figure, update, max([len(frames) for _, frames in shown] or [1]))


def record(
    figure: Figure, update: Callable[[int], object], num_frames: int
) -> Pictures:
    """Pictures of a figure, after ``update(0)``, ``update(1)``, ...

    Height and width are even, as video formats ask for.
    """
    figure.set_dpi(DPI)
    pictures = []
    for frame in range(num_frames):
        update(frame)
        figure.canvas.draw()
        if frame == 0:  # the layout is found once, so that nothing jumps
            figure.set_layout_engine("none")
        pictures.append(np.asarray(figure.canvas.buffer_rgba())[..., :3].copy())
    plt.close(figure)
    stacked = np.stack(pictures)
    height, width = (n - n % 2 for n in stacked.shape[1:3])
    return stacked[:, :height, :width]


def save_animation(pictures: Pictures, paths: Iterable[str | Path]) -> None:
    """Write pictures as the animations that the names ask for.

    They end in ``.gif``, ``.mp4``, or ``.html``: a page that holds and plays the MP4.
    One among the results of a preset says so in its lower right corner.

    Raises:
        ValueError: If a file cannot be written or its format is another one.
    """
    writers = {".gif": _write_gif, ".mp4": _write_mp4, ".html": _write_page}
    targets = list(map(Path, paths))
    for kind in (path.suffix for path in targets):
        require(kind in writers, "format of an animation", kind, ", ".join(writers))
    if preset := preset_of(targets[0]):
        pictures = np.stack([_stamped(one, f"{preset} preset") for one in pictures])
    for path in targets:
        with written_whole(path) as temporary:
            writers[path.suffix](pictures, temporary)


def _stamped(picture: UInt8[np.ndarray, "H W 3"], text: str) -> np.ndarray:
    """A picture with words in its lower right corner."""
    image = Image.fromarray(picture)
    place = (image.width - 4, image.height - 2)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=11)
    draw.text(place, text, fill=(128, 128, 128), anchor="rd", font=font)
    return np.asarray(image)


def _write_gif(pictures: Pictures, path: Path) -> None:
    # One palette for all frames: with one each, grey backgrounds flicker.
    sheet = Image.fromarray(np.concatenate(pictures[:: max(1, len(pictures) // 8)]))
    palette = sheet.quantize(256)
    frames = [Image.fromarray(p).quantize(palette=palette, dither=0) for p in pictures]
    frames[0].save(
        path,
        format="GIF",
        save_all=True,
        append_images=frames[1:],
        duration=1000 // FRAMES_PER_SECOND,
        loop=0,
    )


def _write_mp4(pictures: Pictures, path: Path) -> None:
    height, width = pictures.shape[1:3]
    # H.264 with 4:2:0 colours is what every browser plays; bit-exact and on one thread,
    # so that the same pictures make the same file.
    exact = ["-fflags", "+bitexact", "-flags:v", "+bitexact", "-threads", "1"]
    writer = imageio_ffmpeg.write_frames(
        str(path),
        (width, height),
        fps=FRAMES_PER_SECOND,
        codec="libx264",
        macro_block_size=2,
        output_params=[*exact, "-movflags", "+faststart", "-f", "mp4"],
    )
    writer.send(None)
    for picture in pictures:
        writer.send(np.ascontiguousarray(picture))
    writer.close()


def player(pictures: Pictures) -> str:
    """HTML that holds pictures as an MP4, and plays them."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        _write_mp4(pictures, path)
        return PLAYER.format(inlined(path))


def _write_page(pictures: Pictures, path: Path) -> None:
    body = "{{ player | safe }}"
    path.write_text(page("Animation", body, player=player(pictures)), encoding="utf-8")
