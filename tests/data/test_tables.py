import numpy as np
import pandas as pd
import pytest

from hgnpipe.data.tables import read_rows


def refusal(read, *arguments):
    """The one line with which something is refused."""
    with pytest.raises(ValueError) as error:
        read(*arguments)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.fixture
def table(tmp_path):
    """Writer of a table, by the name of its file."""

    def write(content, name="table.csv"):
        path = tmp_path / name
        if isinstance(content, str):
            path.write_text(content)
        else:
            np.save(path, content, allow_pickle=True)
        return path

    return write


CSV = "x,y,name,z\n1,2.5,a,-1e-3\n3,4,b,5\n"


def test_all_columns_of_a_table_are_read_in_order(table):
    rows = read_rows(table("x,y\n1,2.5\n-3e2,4\n"))
    np.testing.assert_array_equal(rows, [[1, 2.5], [-300, 4]])


def test_named_columns_are_read_in_the_order_of_the_names(table):
    rows = read_rows(table(CSV), ["z", "x"])
    np.testing.assert_array_equal(rows, [[-1e-3, 1], [5, 3]])


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
def test_an_array_is_read_as_it_is(table, dtype):
    expected = np.array([[1, 2], [3, 4], [5, 6]], dtype)
    rows = read_rows(table(expected, "table.npy"))
    assert rows.dtype == np.float64
    np.testing.assert_array_equal(rows, expected)


def test_a_missing_table_is_named(tmp_path):
    for name in ("not_there.csv", "not_there.npy"):
        path = tmp_path / name
        assert refusal(read_rows, path) == f"{path} does not exist."


def test_an_unknown_column_is_answered_with_the_known_ones(table):
    path = table(CSV)
    expected = f"{path} has no column 'w'. Known: x, y, name, z."
    assert refusal(read_rows, path, ["x", "w"]) == expected


def test_a_column_of_text_is_named_with_its_row_and_with_what_to_do(table):
    message = refusal(read_rows, table(CSV))
    assert "column 'name', row 1 of the data is 'a'" in message
    assert "Name the columns to use with `columns`" in message


@pytest.mark.parametrize("value", ["nan", "", "inf", "-inf", "?", "1;2", "0x1"])
def test_a_value_that_is_no_number_is_named_by_column_and_row(table, value):
    message = refusal(read_rows, table(f"x,y\n1,2\n3,4\n5,{value}\n6,7\n"))
    assert "column 'y', row 3 of the data is " in message
    assert "it must be a finite number" in message


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_of_an_array_that_is_no_number_is_named_too(table, value):
    array = np.ones((4, 3))
    array[2, 1] = value
    message = refusal(read_rows, table(array, "table.npy"))
    assert "column '1', row 3 of the data is " in message


def test_a_value_in_a_column_that_is_not_read_does_not_matter(table):
    np.testing.assert_array_equal(
        read_rows(table("x,y\n1,nan\n2,a\n"), ["x"]), [[1], [2]]
    )


@pytest.mark.parametrize("content", ["", "x,y\n1,2\n3,4,5\n"])
def test_a_file_that_is_no_table_is_named(table, content):
    path = table(content)
    message = refusal(read_rows, path)
    assert message.startswith(f"{path} is not a table of points: ")


@pytest.mark.parametrize(
    "array",
    [np.ones(5), np.ones(()), np.ones((2, 2, 2)), np.array([[{}]], dtype=object)],
    ids=["1-D", "0-D", "3-D", "objects"],
)
def test_an_array_that_is_no_table_is_named(table, array):
    path = table(array, "table.npy")
    message = refusal(read_rows, path)
    assert message.startswith(f"{path} is not a table of points: ")


@pytest.mark.parametrize("content", ["x,y\n1,2\n", ""])
def test_text_in_place_of_an_array_is_named(table, content):
    path = table(content, "table.npy")
    message = refusal(read_rows, path)
    assert message.startswith(f"{path} is not a table of points: ")


# What other programs write


def frame():
    return pd.DataFrame({"x": [1.0, -3.5, 2.25], "y": [2e-3, 4.0, 6.0]})


def test_an_index_that_pandas_wrote_is_refused_with_what_to_do(tmp_path):
    path = tmp_path / "table.csv"
    frame().to_csv(path)
    message = refusal(read_rows, path)
    assert "column 1 has no name" in message and "index=False" in message
    np.testing.assert_array_equal(read_rows(path, ["x", "y"]), frame().to_numpy())


@pytest.mark.parametrize("end", [",", ", "])
def test_a_column_without_a_name_is_refused_wherever_it_is(table, end):
    message = refusal(read_rows, table(f"x,y{end}\n1,2,3\n4,5,6\n"))
    assert "column 3 has no name" in message


@pytest.mark.parametrize("separator", [",", ";", "\t", " "])
def test_a_table_without_a_header_is_refused_so_that_no_row_is_lost(
    tmp_path, separator
):
    path = tmp_path / "table.csv"
    frame().to_csv(path, header=False, index=False, sep=separator)
    message = refusal(read_rows, path)
    assert "its first line, '1.0 0.002', must be names of columns" in message


def test_numbers_may_be_names_if_they_are_called_by_them(table):
    path = table("2019,2020\n1,2\n3,4\n")
    assert "'2019 2020', must be names" in refusal(read_rows, path)
    np.testing.assert_array_equal(read_rows(path, [2020, "2019"]), [[2, 1], [4, 3]])


@pytest.mark.parametrize("separator", [",", ";", "\t", " ", "  ", ", ", " ; "])
@pytest.mark.parametrize("columns", [(), ("y",), ("y", "x")])
def test_the_separator_is_recognised(table, separator, columns):
    lines = [["x", "y", "z"], ["1", "2.5", "-1e3"], ["3", "4", "5"]]
    path = table("".join(separator.join(line) + "\n" for line in lines))
    every = pd.DataFrame([[1, 2.5, -1000], [3, 4, 5]], columns=["x", "y", "z"])
    expected = every[list(columns) or ["x", "y", "z"]]
    np.testing.assert_array_equal(read_rows(path, columns), expected)


@pytest.mark.parametrize("separator", [" ", ",", "\t"])
def test_what_numpy_writes_is_read(tmp_path, separator):
    path, array = tmp_path / "table.txt", frame().to_numpy()
    np.savetxt(path, array, delimiter=separator, header=separator.join("xy"))
    np.testing.assert_array_equal(read_rows(path), array)
    np.testing.assert_array_equal(read_rows(path, ["y"]), array[:, 1:])


def test_a_blank_may_be_part_of_the_name_of_an_only_column(table):
    np.testing.assert_array_equal(
        read_rows(table("wind speed\n1.5\n2\n")), [[1.5], [2]]
    )


def test_names_may_be_quoted_and_contain_other_separators(table):
    path = table('"a;b","c, d"\n1,2\n3,4\n')
    np.testing.assert_array_equal(read_rows(path, ["c, d"]), [[2], [4]])


def test_a_compressed_table_is_read(tmp_path):
    path = tmp_path / "table.csv.gz"
    frame().to_csv(path, index=False, sep=";")
    np.testing.assert_array_equal(read_rows(path), frame().to_numpy())


def test_a_mark_at_the_beginning_of_a_file_is_no_part_of_the_first_name(table):
    path = table("\ufeffx;y\n1;2\n3;4\n")
    np.testing.assert_array_equal(read_rows(path, ["x"]), [[1], [3]])


def test_a_decimal_comma_is_refused_with_what_to_write(table):
    message = refusal(read_rows, table("x;y\n1,5;2,5\n3;4\n"))
    assert "row 1 of the data is '1,5'" in message
    assert "Write decimals with a point." in message


def test_a_column_of_truths_is_no_column_of_numbers(table):
    message = refusal(read_rows, table("x,y\n1,True\n2,False\n"))
    assert "column 'y', row 1 of the data is 'True'" in message


def test_a_name_that_two_columns_have_is_refused(table):
    message = refusal(read_rows, table("x,x\n1,2\n3,4\n"), ["x"])
    assert "uplicate names" in message


@pytest.mark.parametrize("size", [1e200, 1e-200, 1.7e308, 5e-324])
def test_numbers_of_any_size_are_read_as_they_are(table, size):
    rows = read_rows(table(f"x,y\n{size!r},1\n0,{-size!r}\n"))
    np.testing.assert_array_equal(rows, [[size, 1], [0, -size]])


# Arrays


@pytest.mark.parametrize("name", ["table.npy", "TABLE.NPY", "table.npz", "Table.NPZ"])
def test_an_array_is_known_by_its_ending_in_any_case(tmp_path, name):
    path, array = tmp_path / name, frame().to_numpy()
    with open(path, "wb") as file:
        if name.lower().endswith("z"):
            np.savez(file, points=array)
        else:
            np.save(file, array)
    np.testing.assert_array_equal(read_rows(path), array)
    np.testing.assert_array_equal(read_rows(path, [1, 0]), array[:, ::-1])
    np.testing.assert_array_equal(read_rows(path, ["1"]), array[:, 1:])


@pytest.mark.parametrize("names", [[], ["a", "b"]])
def test_several_arrays_in_one_file_are_named(tmp_path, names):
    path = tmp_path / "table.npz"
    np.savez(path, **dict.fromkeys(names, np.ones((3, 2))))
    message = refusal(read_rows, path)
    found = ", ".join(names) or "none"
    assert f"it must hold one array, and its arrays are: {found}." in message


@pytest.mark.parametrize("number", [2, -1])
def test_a_column_that_an_array_lacks_is_answered_with_the_known_ones(table, number):
    path = table(np.ones((3, 2)), "table.npy")
    expected = f"{path} has no column '{number}'. Known: 0, 1."
    assert refusal(read_rows, path, [number]) == expected


@pytest.mark.parametrize("content", [b"PK\x03\x04 cut off", b"", b"x,y\n1,2\n"])
def test_what_is_no_archive_is_named(tmp_path, content):
    path = tmp_path / "table.npz"
    path.write_bytes(content)
    message = refusal(read_rows, path)
    assert message.startswith(f"{path} is not a table of points: ")
