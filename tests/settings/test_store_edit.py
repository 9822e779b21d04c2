"""One number of store.toml is changed; whatever a person wrote around it stays."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from edge.errors import SettingsError
from edge.settings import load_settings
from edge.store_edit import set_camera_number, with_camera_number
from edge.store_file import write_store_file

TODAY = date(2026, 3, 1)
STORE = """\
# The shop in the high street. [[cameras]] id = "door" stands above the door.
[store]
id = "shop"          # never change this

[[zones]]
id = "door"

[[cameras]]          # the old one
id = "till"
zone = "door"
score_threshold = 0.9   # it sees ghosts

[[ cameras ]]
  zone = "door"
  id = 'door'        # bought in May
  areas = [
    { name = "queue", kind = "queue", polygon = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]] },
  ]

[[cameras.lines]]
name = "door"        # id = "door"
points = [[0.1, 0.6], [0.9, 0.6]]
"""


def test_a_new_value_stands_below_the_cameras_id() -> None:
    """One line more, indented as its neighbour, and not one character else."""
    changed = with_camera_number(STORE, "door", "score_threshold", 0.42)
    assert changed == STORE.replace("# bought in May\n", "# bought in May\n  score_threshold = 0.42\n")


def test_a_value_that_stands_there_is_replaced_where_it_stands() -> None:
    """Its comment stays beside it."""
    changed = with_camera_number(STORE, "till", "score_threshold", 0.42)
    assert changed == STORE.replace("score_threshold = 0.9 ", "score_threshold = 0.42 ")


def test_line_endings_stay() -> None:
    """A file from Windows stays one."""
    changed = with_camera_number(STORE.replace("\n", "\r\n"), "door", "score_threshold", 0.42)
    assert "\n" not in changed.replace("\r\n", "")
    assert changed.replace("\r\n", "\n") == with_camera_number(STORE, "door", "score_threshold", 0.42)


def test_a_file_that_ends_with_the_id_gets_a_line_of_its_own() -> None:
    """No newline at the end is no reason to write two values into one line."""
    text = '[store]\nid = "shop"\n[[zones]]\nid = "z"\n[[cameras]]\nzone = "z"\nid = "door"'
    assert with_camera_number(text, "door", "score_threshold", 0.5).endswith('id = "door"\nscore_threshold = 0.5\n')


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('cameras = [{ id = "door", zone = "z" }]\n', "no [[cameras]] table"),
        ('[[cameras]]\nid = "other"\n', "no [[cameras]] table"),
        ('note = """\n[[cameras]]\nid = "door"\n"""\n[[cameras]]\nzone = "z"\n"id" = "door"\n', "safely"),
        ('[[cameras]]\nid = "door"\n"score_threshold" = 0.3\n', "safely"),
        ('[[cameras]]\nid = "door"\nnote = """\nscore_threshold = 0.3\n"""\n', "safely"),
    ],
)
def test_what_cannot_be_changed_safely_is_not(tmp_path: Path, text: str, why: str) -> None:
    """Laid out some other way, or with text that looks like a table: one line says what to write, and the file stays."""
    path = tmp_path / "store.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(SettingsError) as caught:
        set_camera_number(path, "door", "score_threshold", 0.42)
    (mistake,) = caught.value.mistakes
    assert "score_threshold = 0.42 must be written by hand" in mistake
    assert why in mistake
    assert path.read_text("utf-8") == text
    assert [one.name for one in tmp_path.iterdir()] == ["store.toml"]


def test_the_file_keeps_its_permissions_and_is_loaded(tmp_path: Path) -> None:
    """What `init` wrote, changed through a link: the link stays a link, and the setting is there."""
    path = write_store_file(tmp_path / "real", store="shop", name="Shop", timezone="UTC", today=TODAY)
    path.chmod(0o640)
    link = tmp_path / "store.toml"
    link.symlink_to(path)
    set_camera_number(link, "door", "score_threshold", 0.37)
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert load_settings(path).cameras[0].score_threshold == 0.37
    assert [one.name for one in path.parent.iterdir()] == ["store.toml"]


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    """No such file, no half-written file beside it."""
    with pytest.raises(SettingsError, match="cannot be written"):
        set_camera_number(tmp_path / "none.toml", "door", "score_threshold", 0.5)
    assert list(tmp_path.iterdir()) == []


PIECES = st.sampled_from(
    [
        "# a comment with [[cameras]]\n",
        '[[cameras]]\nid = "door"\nzone = "z"\n',
        '[[cameras]] # one\nzone = "z"\nscore_threshold = 0.1 # low\nid = "door" # x\n',
        '[[cameras]]\nid = "till"\n',
        '[[cameras.lines]]\nname = "a"\npoints = [\n  [0.1, 0.2],\n  [0.3, 0.4],\n]\n',
        '[[cameras]]\nnote = """\nid = "door"\n"""\nid = "back"\n',
        "\n",
        "[mqtt]\nport = 1883\n",
        '[[zones]]\nid = "door"\n',
    ]
)


@hypothesis_settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=7), st.floats(0, 1).map(lambda value: round(value, 2)))
def test_nothing_else_ever_changes(pieces: list[str], value: float) -> None:
    """However a file is put together: it is refused, or only that one value differs and only one line."""
    text = "".join(pieces)
    try:
        before = tomllib.loads(text)
        changed = with_camera_number(text, "door", "score_threshold", value)
    except ValueError:
        return
    after = tomllib.loads(changed)
    mine = [camera for camera in after["cameras"] if camera["id"] == "door"]
    assert [camera.pop("score_threshold") for camera in mine] == [value]
    for camera in before["cameras"]:
        if camera["id"] == "door":
            camera.pop("score_threshold", None)
    assert after == before
    was, now = text.splitlines(), changed.splitlines()
    assert len(set(was) - set(now)) <= 1
    assert len(now) - len(was) in {0, 1}
