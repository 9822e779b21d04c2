"""Writing the truth down."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.errors import StorageError
from edge.simulate.truth import write_truth


def test_the_file_is_whole_and_alone(tmp_path: Path) -> None:
    """The truth replaces what was there and leaves no other file behind."""
    path = tmp_path / "made" / "truth.json"
    write_truth(path, {"truth_in": 1})
    write_truth(path, {"truth_in": 2, "words": "试"})
    assert json.loads(path.read_text("utf-8")) == {"truth_in": 2, "words": "试"}
    assert list(path.parent.iterdir()) == [path]


def test_a_place_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    """A file where a folder should be is named in one line."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"write truth: .*truth\.json; name a file in a writable folder"):
        write_truth(tmp_path / "file" / "truth.json", {})
