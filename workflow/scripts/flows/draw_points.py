"""Rule points: draw the points of one target, or read them from a table."""

from pathlib import Path

from hgnpipe.data.points import (
    SPLITS,
    TABLE,
    draw_points,
    read_rows,
    read_table_options,
    save_points,
    split_points,
)
from hgnpipe.files.whole import check_writable
from hgnpipe.runtime.command import run


def main(
    kind: str,
    options: dict,
    num_train: int,
    num_validation: int,
    num_test: int,
    seed: int,
    output: Path,
) -> None:
    """Write the points of a target, split into train, validation and test.

    Args:
        kind: Target, or ``table``: points of a file.
        options: Options of the target.
        num_train: Points to train on; of a table, all that are not held out.
        num_validation: Points to watch the training with; not for a table.
        num_test: Points to judge the result by; not for a table.
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
        counts = (num_train, num_validation, num_test)
        sizes = dict(zip(SPLITS, counts, strict=True))
        points = draw_points(kind, options, sizes, seed)
    save_points(output, points, origin)


if __name__ == "__main__":
    run(main)
