import numpy as np
import pandas as pd
import pytest

from hgnpipe.files.csv import write_csv

TABLE = pd.DataFrame({"name": ["a", "b"], "value": [1 / 3, np.nan]}, index=[5, 6])


@pytest.mark.parametrize(
    ("options", "number"), [({}, repr(1 / 3)), ({"float_format": "%.2g"}, "0.33")]
)
def test_a_table_is_written_without_its_index_and_missing_values_as_na(
    tmp_path, options, number
):
    target = tmp_path / "folder/table.csv"
    write_csv(TABLE, target, **options)
    assert target.read_text("utf-8") == f"name,value\na,{number}\nb,N/A\n"


def test_what_cannot_be_written_is_named_and_leaves_nothing(tmp_path):
    (tmp_path / "table.csv").mkdir()
    with pytest.raises(ValueError, match=r"Cannot write .*table\.csv: it is a folder"):
        write_csv(TABLE, tmp_path / "table.csv")
    assert [*tmp_path.iterdir()] == [tmp_path / "table.csv"]
