"""Areas, entrances and closing time in `store.toml`."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest

from edge.errors import SettingsError
from edge.settings import Settings, load_settings

STORE = """
[store]
id = "s1"
closes_at = "21:00"

[[zones]]
id = "hall"

[[entrances]]
name = "main"
merge_within_s = 2.0

[[cameras]]
id = "cam"
zone = "hall"

[cameras.heat]
columns = 8
rows = 6

[[cameras.lines]]
name = "door"
points = [[0.1, 0.5], [0.9, 0.5]]
entrance = "main"

[[cameras.lines]]
name = "back"
points = [[0.9, 0.1], [0.9, 0.9]]
kind = "staff"

[[cameras.areas]]
name = "shelf"
polygon = [[0.1, 0.1], [0.4, 0.1], [0.4, 0.4]]

[[cameras.areas]]
name = "counter"
kind = "staff"
polygon = [[0.6, 0.6], [0.9, 0.6], [0.9, 0.9], [0.6, 0.9]]
"""


def load(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "store.toml"
    path.write_text(text, "utf-8")
    return load_settings(path)


def test_areas_entrances_and_closing_time_load(tmp_path: Path) -> None:
    """Everything that is counted of a camera stands in its table; what is not said has its usual value."""
    settings = load(tmp_path, STORE)
    (camera,) = settings.cameras
    assert settings.store.closes_at == time(21)
    assert (camera.heat.columns, camera.heat.rows) == (8, 6)
    assert [line.kind for line in camera.lines] == ["visitors", "staff"]
    assert [(area.kind, area.counts_after_s) for area in camera.areas] == [("area", 3.0), ("staff", 1.0)]
    assert settings.entrances[0].merge_within_s == 2.0


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        ('name = "counter"', 'name = "shelf"', "two areas share a name"),
        ('name = "back"', 'name = "door"', "two lines share a name"),
        ('entrance = "main"', 'entrance = "other"', "no line of a camera names this entrance"),
        ("[0.4, 0.1], [0.4, 0.4]]", "[0.4, 0.1]]", "at least 3 items"),
        ("[0.4, 0.1], [0.4, 0.4]]", "[0.2, 0.2], [0.4, 0.4]]", "too small to stand in"),
        ("[0.9, 0.6], [0.9, 0.9], [0.6, 0.9]", "[0.9, 0.9], [0.9, 0.6], [0.6, 0.9]", "crosses itself"),
        ('kind = "staff"\npolygon', 'kind = "toilet"\npolygon', "Input should be"),
        ("[0.1, 0.1], [0.4", "[0.1, 1.1], [0.4", "less than or equal to 1"),
        ('closes_at = "21:00"', 'closes_at = "nine"', "closes_at"),
        ("columns = 8", "columns = 80", "less than or equal to 32"),
        (
            "[[cameras]]",
            '[[entrances]]\nname = "main"\n\n[[cameras]]',
            "two entrances share this name",
        ),
    ],
)
def test_mistakes_are_named(tmp_path: Path, old: str, new: str, mistake: str) -> None:
    """Each mistake is refused with words that say what is wrong."""
    assert STORE.count(old) == 1
    with pytest.raises(SettingsError, match=mistake):
        load(tmp_path, STORE.replace(old, new))
