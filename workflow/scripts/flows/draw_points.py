"""Rule draw_points: draw the points of one density, or read them from a table."""

from pathlib import Path

from hgnpipe.collection import require
from hgnpipe.data.points import (
    SPLITS,
    TABLE,
    draw_points,
    read_table_options,
    save_points,
    split_points,
)
from hgnpipe.data.tables import read_rows
from hgnpipe.files.whole import check_writable
from hgnpipe.runtime.command import run


def main(
    kind: str, options: dict, sizes: dict[str, int], seed: int, output: Path
) -> None:
    """Write the points of a density, split into train, validation and test.

    Args:
        kind: Density, or ``table``: points of a file.
        options: Options of the density.
        sizes: ``num_train`` points to train on, ``num_validation`` to watch the
            training with, and ``num_test`` to judge the result by. A table has as many
            as it has.
        seed: Seed of the draws, and of the order of the rows of a table.
        output: Points to write, HDF5.
    """
    check_writable(output)
    origin = {"kind": kind, "options": options, "seed": seed}
    if kind == TABLE:
        how = read_table_options(options)
        rows = read_rows(how.file, how.columns or ())
        try:
            points, scaling = split_points(rows, seed, held_out=how.held_out)
        except ValueError as error:
            raise ValueError(f"{how.file}: {error}") from None
        origin |= scaling
    else:
        names = {f"num_{split}": split for split in SPLITS}
        require(sizes.keys() == names.keys(), "sizes", sizes, ", ".join(names))
        numbers = {names[key]: number for key, number in sizes.items()}
        points = draw_points(kind, options, numbers, seed)
    save_points(output, points, origin)


if __name__ == "__main__":
    run(main)
