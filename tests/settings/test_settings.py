"""store.toml: everything wrong is named at once, and unlawful cameras do not start."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.cli import run
from edge.errors import SettingsError
from edge.settings import load_settings

GOOD = """
[store]
id = "shop-1"
timezone = "Asia/Shanghai"
[[zones]]
id = "entrance"
[[zones]]
id = "cabins"
kind = "fitting_room"
[[cameras]]
id = "door"
zone = "entrance"
"""


def load(tmp_path: Path, text: str):
    path = tmp_path / "store.toml"
    path.write_text(text, "utf-8")
    return load_settings(path)


def test_paths_are_relative_to_the_file(tmp_path: Path):
    """A store can be moved as a folder."""
    settings = load(tmp_path, 'state = "state"\n' + GOOD + '[hq]\nca_file = "ca.pem"\n')
    assert settings.store_db == tmp_path / "state" / "store.db"
    assert settings.hq.ca_file == tmp_path / "ca.pem"


@pytest.mark.parametrize("kind", ["fitting_room", "restroom"])
def test_a_camera_in_a_private_zone_is_refused(tmp_path: Path, kind: str):
    """No camera where people undress, by configuration."""
    text = GOOD.replace("fitting_room", kind).replace('zone = "entrance"', 'zone = "cabins"')
    with pytest.raises(SettingsError, match=f"may not watch a {kind}"):
        load(tmp_path, text)


def test_a_mirror_may_stand_in_a_fitting_room(tmp_path: Path):
    """A mirror there measures; it has no picture."""
    assert load(tmp_path, GOOD + '[[mirrors]]\nid = "m"\nzone = "cabins"\n').mirrors[0].zone == "cabins"


def test_every_mistake_is_named_at_once(tmp_path: Path):
    """A person fixes a file once, not once per mistake."""
    text = GOOD.replace("Asia/Shanghai", "Mars/Base").replace('id = "shop-1"', 'id = "Shop 1"')
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, text + "[privacy]\nk = 0\n[windows]\nlocal_s = 7\nrelease_s = 900\n")
    mistakes = "\n".join(caught.value.mistakes)
    assert len(caught.value.mistakes) == 4
    for place in ("store.id", "store.timezone", "privacy.k", "windows"):
        assert place in mistakes


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (GOOD + '[[cameras]]\nid = "door"\nzone = "entrance"\n', "two devices share this id"),
        (GOOD + '[[tills]]\nid = "t"\nzone = "nowhere"\n', "zone 'nowhere' is not among"),
        (GOOD + "[mqqt]\nport = 1\n", "mqqt"),
        ("[store", "cannot be read"),
    ],
)
def test_a_mistake_is_told_in_its_own_words(tmp_path: Path, text: str, told: str):
    """Unknown tables, double ids, missing zones and broken TOML are each told plainly."""
    with pytest.raises(SettingsError, match=told):
        load(tmp_path, text)


def test_check_prints_each_mistake_and_exits_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """`threshold check` is made for people: one line a mistake."""
    path = tmp_path / "store.toml"
    path.write_text(GOOD + "[privacy]\nk = 0\n[web]\nport = 0\n", "utf-8")
    assert run(["check", "--config", str(path)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("threshold: ") for line in lines)


def test_init_writes_a_store_that_loads_and_never_overwrites(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """A first file is right as it stands, and a second init touches nothing."""
    folder = tmp_path / "box"
    assert run(["init", str(folder), "--store", "berlin-1", "--timezone", "Europe/Berlin"]) == 0
    assert load_settings(folder / "store.toml").store.id == "berlin-1"
    assert run(["init", str(folder)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert load_settings(folder / "store.toml").store.id == "berlin-1"


@pytest.mark.parametrize(
    "arguments",
    [
        ["init", "box", "--store", "No Spaces"],
        ["init", "box", "--timezone", "Nowhere/Land"],
        ["check"],
        ["check", "--config", "absent.toml"],
        ["nonsense"],
        ["status", "--state", "absent"],
    ],
)
def test_bad_use_is_one_line_and_exit_2(
    tmp_path: Path, arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    """Bad use never shows a trace."""
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == 2
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1
    assert told.startswith("threshold: ")
