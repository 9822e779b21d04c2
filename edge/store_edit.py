"""One value of `store.toml` changed in its own text: comments, order and spacing stay as a person left them."""

from __future__ import annotations

import os
import re
import tomllib
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from tempfile import mkstemp
from typing import Any

from edge.errors import SettingsError

__all__ = ["set_camera_number", "with_camera_number"]

_HEADER = re.compile(r"\s*\[")
_CAMERA = re.compile(r"\s*\[\[\s*cameras\s*\]\]\s*(#.*)?")


def set_camera_number(path: Path, camera_id: str, key: str, value: float) -> None:
    """Write `key = value` into the table of camera `camera_id` of the file at `path`, all at once or not at all.

    Raises:
        SettingsError: the file cannot be read or written, or is laid out so that this cannot be done safely.
    """
    path = path.resolve()
    try:
        changed = with_camera_number(path.read_bytes().decode("utf-8"), camera_id, key, value)
        _replace(path, changed)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(str(path), (f"cannot be written: {error}",)) from error
    except ValueError as error:
        by_hand = f"{key} = {value} must be written by hand under camera '{camera_id}': {error}"
        raise SettingsError(str(path), (by_hand,)) from error


def with_camera_number(text: str, camera_id: str, key: str, value: float) -> str:
    """`text` with `key = value` in the table of that camera: in its place where it stands already, else below the camera's id.

    Raises:
        ValueError: no such table is written in the text, or the change would mean anything else besides.
    """
    before = tomllib.loads(text)
    lines = text.splitlines(keepends=True)
    for begin, end in _camera_tables(lines):
        if _says(lines[begin + 1 : end], "id") == camera_id:
            changed = "".join(_with_line(lines, begin + 1, end, key, value))
            _check(before, changed, camera_id, key, value)
            return changed
    raise ValueError("it has no [[cameras]] table of its own")


def _camera_tables(lines: list[str]) -> list[tuple[int, int]]:
    """First line of each [[cameras]] table, and the line after its last; a table within it ends it."""
    headers = [number for number, line in enumerate(lines) if _HEADER.match(line)]
    ends = [*headers, len(lines)][1:]
    return [
        (begin, end) for begin, end in zip(headers, ends, strict=True) if _CAMERA.fullmatch(lines[begin].rstrip("\r\n"))
    ]


def _says(lines: list[str], key: str) -> object:
    """The value of `key` on a line of its own, or None."""
    for line in lines:
        with suppress(tomllib.TOMLDecodeError):
            found = tomllib.loads(line)
            if key in found:
                return found[key]
    return None


def _with_line(lines: list[str], begin: int, end: int, key: str, value: float) -> list[str]:
    for number in range(begin, end):
        old = re.fullmatch(rf"(\s*{key}\s*=\s*)[^\s#]+(.*?)(\r?\n?)", lines[number], re.DOTALL)
        if old is not None:
            return [*lines[:number], f"{old[1]}{value}{old[2]}{old[3]}", *lines[number + 1 :]]
    for number in range(begin, end):
        if _says([lines[number]], "id") is not None:
            own = lines[number]
            ending = own[len(own.rstrip("\r\n")) :] or "\n"
            indent = own[: len(own) - len(own.lstrip())]
            return [
                *lines[:number],
                own.rstrip("\r\n") + ending,
                f"{indent}{key} = {value}{ending}",
                *lines[number + 1 :],
            ]
    raise ValueError("its id does not stand on a line of its own")


def _check(before: dict[str, Any], changed: str, camera_id: str, key: str, value: float) -> None:
    """Whatever the text is like: what it means must be what it meant, but for the one value."""
    wanted = deepcopy(before)
    (camera,) = [one for one in wanted["cameras"] if one.get("id") == camera_id]
    camera[key] = value
    try:
        same = tomllib.loads(changed) == wanted
    except tomllib.TOMLDecodeError:
        same = False
    if not same:
        raise ValueError("its table is written in a way that cannot be changed safely")


def _replace(path: Path, text: str) -> None:
    """Put `text` in the place of the file, with the file's own permissions."""
    handle, name = mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        was = path.stat()
        Path(name).chmod(was.st_mode & 0o777)
        with suppress(PermissionError):  # only root may give a file back to its owner
            os.chown(name, was.st_uid, was.st_gid)
        Path(name).replace(path)
    except BaseException:  # whatever stops it, a Ctrl-C too, leaves no half file behind; it is raised on
        Path(name).unlink(missing_ok=True)
        raise
