import errno
import os
import platform
import re
import subprocess
import sys

import pytest

from hgnpipe.files.whole import check_writable, written_whole


def test_the_file_has_the_content_once_the_block_ends(tmp_path):
    with written_whole(tmp_path / "out.txt") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "out.txt").read_text() == "new"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_exception_leaves_neither_the_target_nor_the_temporary(tmp_path, error):
    with pytest.raises(error), written_whole(tmp_path / "out.txt") as temporary:
        temporary.write_text("half")
        raise error
    assert list(tmp_path.iterdir()) == []


def test_an_exception_leaves_the_old_file_as_it_was(tmp_path):
    target = tmp_path / "out.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError), written_whole(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"


def test_the_old_file_is_there_until_the_new_one_is_whole(tmp_path):
    target = tmp_path / "out.txt"
    target.write_text("old")
    with written_whole(target) as temporary:
        temporary.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"


def test_the_temporary_lies_beside_the_target_so_that_renaming_is_one_step(tmp_path):
    with written_whole(tmp_path / "out.txt") as temporary:
        assert temporary.parent == tmp_path


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o007, 0o660)])
def test_who_may_read_the_file_is_what_the_user_wants(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        with written_whole(tmp_path / "weights") as temporary:
            temporary.write_text("new")
            temporary.chmod(0o600)  # as safetensors does
    finally:
        os.umask(before)
    assert (tmp_path / "weights").stat().st_mode & 0o777 == mode


def test_missing_folders_are_made(tmp_path):
    target = tmp_path / "a" / "b" / "out.txt"
    with written_whole(str(target)) as temporary:
        temporary.write_text("new")
    assert target.read_text() == "new"


@pytest.mark.parametrize("below", ["out.txt", "folder/out.txt"])
def test_a_folder_that_cannot_be_written_to_is_a_users_mistake(tmp_path, below):
    (tmp_path / "file").write_text("not a folder")
    target = tmp_path / "file" / below
    with (
        pytest.raises(ValueError, match=f"Cannot write {target}"),
        written_whole(target),
    ):
        pytest.fail("the block ran")


def test_who_reads_the_old_file_keeps_reading_it_while_it_is_replaced(tmp_path):
    target = tmp_path / "out.txt"
    target.write_text("old")
    with open(target) as reader:
        with written_whole(target) as temporary:
            temporary.write_text("new")
        assert reader.read() == "old"


def test_trying_to_write_changes_nothing(tmp_path):
    (tmp_path / "old.txt").write_text("old")
    check_writable(tmp_path / "old.txt", tmp_path / "new.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["old.txt"]
    assert (tmp_path / "old.txt").read_text() == "old"


def test_what_cannot_be_written_is_named_beforehand(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"Cannot write .*file/new\.txt: "):
        check_writable(tmp_path / "fine.txt", tmp_path / "file" / "new.txt")


HALF = """
import os, sys, time
from pathlib import Path
from hgnpipe.files.whole import written_whole

target, moment = Path(sys.argv[1]), sys.argv[2]
def wait(*_):
    print("here", flush=True)
    time.sleep(60)
if moment != "write":
    setattr(os, moment, wait)
with written_whole(target) as temporary:
    with open(temporary, "w") as file:
        file.write("ne")
        file.flush()
        if moment == "write":
            wait()
        file.write("w")
"""


def killed_while_writing(target, moment):
    """Kill a process that writes a file; answers what it has left."""
    arguments = [sys.executable, "-c", HALF, target, moment]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"here\n"
        process.kill()
    return [path for path in target.parent.iterdir() if path != target]


@pytest.mark.parametrize("old", [None, "old"])
@pytest.mark.parametrize("moment", ["write", "fsync", "replace"])
def test_a_killed_process_leaves_the_old_file_or_none(tmp_path, moment, old):
    target = tmp_path / "out.txt"
    if old is not None:
        target.write_text(old)
    (left,) = killed_while_writing(target, moment)
    assert (target.read_text() if target.exists() else None) == old
    assert left.read_text() == ("ne" if moment == "write" else "new")
    with written_whole(target) as temporary:
        temporary.write_text("new")
    assert list(tmp_path.iterdir()) == [target] and target.read_text() == "new"


def test_what_others_write_is_left_alone(tmp_path):
    """Other files, living processes, and other machines that share the disk."""
    target, host = tmp_path / "out.txt", platform.node()
    with subprocess.Popen(["true"]) as ended:
        pass
    others = {
        *(f".out.txt.{host}.{os.getppid()}.part", f".out.txt.other.{ended.pid}.part"),
        *(f".out.txt.bak.{host}.{ended.pid}.part", f".out.txt.{host}.mine.part"),
    }
    for name in {*others, f".out.txt.{host}.{ended.pid}.part"}:
        (tmp_path / name).touch()
    with written_whole(target):
        pass
    assert {path.name for path in tmp_path.iterdir()} == {*others, "out.txt"}


@pytest.mark.parametrize("function", ["fsync", "replace"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS])
def test_what_the_disk_refuses_in_the_end_names_the_file(
    tmp_path, monkeypatch, function, number
):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    target = tmp_path / "out.txt"
    target.write_text("old")
    monkeypatch.setattr(os, function, refuse)
    message = re.escape(f"Cannot write {target}: {os.strerror(number)}.")
    with pytest.raises(ValueError, match=message), written_whole(target) as temporary:
        temporary.write_text("new")
    assert list(tmp_path.iterdir()) == [target] and target.read_text() == "old"


def test_an_error_that_is_not_of_the_disk_stays_what_it_is(tmp_path):
    with pytest.raises(OSError, match="gone"), written_whole(tmp_path / "out.txt"):
        raise FileNotFoundError(2, "No such file or directory", "gone")
