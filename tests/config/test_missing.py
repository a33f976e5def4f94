from hgnpipe.config.missing import Missing


def test_its_text_names_the_files_that_are_not_there_at_that_moment(tmp_path):
    there, gone = tmp_path / "there", tmp_path / "gone"
    there.touch()
    found = Missing([str(there), str(gone)])
    assert repr(found) == repr([str(gone)])
    gone.touch()
    assert repr(found) == "[]"
