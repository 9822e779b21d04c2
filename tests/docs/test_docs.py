"""What the documents say is so: their commands run or parse, and nothing is left out of the reference."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import click
import cv2
import numpy as np
import pytest
from pydantic import BaseModel

from edge.bus.topics import Channel
from edge.cli import run, threshold
from edge.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
REFERENCE = (ROOT / "docs" / "reference.md").read_text("utf-8")
UNBUILT = {"config"}
"""Channels that the design names and no room speaks yet."""


def shell_lines() -> list[list[str]]:
    """Every command line in the README's shell blocks."""
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    return [shlex.split(line, comments=True) for block in blocks for line in block.splitlines() if line.strip()]


def threshold_lines() -> list[list[str]]:
    return [line[1:] for line in shell_lines() if line[0].endswith("threshold")]


def leaf_commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from leaf_commands(command, (*path, name))
        else:
            yield (*path, name), command


def settings_names(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        inner = [part for part in (field.annotation, *get_args(field.annotation)) if isinstance(part, type)]
        tables = [part for part in inner if issubclass(part, BaseModel)]
        if tables:
            yield from settings_names(tables[0], f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


@pytest.mark.parametrize("line", [line for line in shell_lines() if line[0] == "make"], ids=" ".join)
def test_make_lines_of_the_readme_name_targets_that_exist(line: list[str]):
    """`make -n` knows them."""
    done = subprocess.run(["make", "-n", *line[1:]], cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("line", threshold_lines(), ids=" ".join)
def test_threshold_lines_of_the_readme_parse(line: list[str]):
    """Commands and options are as the README writes them."""
    command: click.Command = threshold
    rest = list(line)
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), rest.pop(0))
        assert found is not None
        command = found
    command.make_parser(click.Context(command)).parse_args(rest)


def test_the_readmes_shop_can_be_set_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """`init`, `check` and `status` run as they stand there, in another folder."""
    ran = []
    for line in threshold_lines():
        if line[0] in {"init", "check", "status"}:
            assert run([word.replace("/etc/threshold", str(tmp_path)) for word in line]) == 0
            ran.append(line[0])
    assert ran == ["init", "check", "status"]
    assert "berlin-1: no mistakes" in capsys.readouterr().out


def test_the_readmes_count_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """`threshold count shop.mp4 …` runs as it stands there."""
    monkeypatch.chdir(tmp_path)
    writer = cv2.VideoWriter("shop.mp4", cv2.VideoWriter.fourcc(*"mp4v"), 10, (160, 120))
    for _ in range(5):
        writer.write(np.full((120, 160, 3), 90, np.uint8))
    writer.release()
    (line,) = [line for line in threshold_lines() if line[0] == "count"]
    assert run(line) == 0
    assert (tmp_path / "counted.mp4").stat().st_size > 0


@pytest.mark.parametrize(("path", "command"), list(leaf_commands(threshold)), ids=str)
def test_every_command_is_in_the_reference_and_shows_an_example(path: tuple[str, ...], command: click.Command):
    """Nobody has to guess that a command exists, or how it is called."""
    assert f"`threshold {' '.join(path)}" in REFERENCE
    text = command.get_help(click.Context(command, info_name=path[-1]))
    assert "Example:" in text
    assert f"threshold {' '.join(path)}" in text


@pytest.mark.parametrize("name", sorted(set(settings_names(Settings))))
def test_every_setting_is_in_the_reference(name: str):
    """Each key of store.toml stands in the table, by table and name."""
    table, _, key = name.rpartition(".")
    first = table.split(".")[0]
    if first in {"mirrors", "tills", "kiosks"} or table == "cameras.lines":
        assert f"`{first}." in REFERENCE
        return
    assert f"`{name}`" in REFERENCE, name
    assert key


@pytest.mark.parametrize("channel", sorted(set(get_args(Channel)) - UNBUILT))
def test_every_channel_is_in_the_reference(channel: str):
    """Each channel stands in the table of topics."""
    assert re.search(rf"/{channel}`", REFERENCE)
