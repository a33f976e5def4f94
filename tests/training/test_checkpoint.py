import os

import pytest

from hgnpipe.runtime.interruption import Interrupted
from hgnpipe.training.checkpoint import Claim


def test_the_newest_claim_counts(tmp_path):
    older, newer = (Claim(tmp_path / "state") for _ in range(2))
    newer.check()
    with pytest.raises(Interrupted, match=rf"now belongs to .*{os.getpid()}"):
        older.check()


def test_nobody_owns_what_another_copy_has_finished(tmp_path):
    claim = Claim(tmp_path / "state")
    Claim.mark(tmp_path / "state").unlink()
    with pytest.raises(Interrupted, match="is done"):
        claim.check()


def test_claims_to_different_files_do_not_meet(tmp_path):
    first, second = Claim(tmp_path / "a"), Claim(tmp_path / "b")
    first.check()
    second.check()
