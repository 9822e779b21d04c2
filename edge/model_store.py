"""Models that somebody adds: a copy in the models folder, and an entry in its `local.toml`.

Nothing is ever half there: the copy carries a part of its hash in its name, and only then the manifest that names it
takes the place of the old one. `manifest.toml`, which ships with Threshold, is never written.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from edge.errors import ModelRefused
from edge.models import LOCAL_NAME, MANIFEST_NAME, ModelSpec, load_manifest, read_manifest

__all__ = ["MODEL_NAME", "add_model", "file_for", "remove_model", "with_entry"]

MODEL_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
"""What a model may be called: it becomes a file's name and a camera's setting."""

_FOLDER = "local"
_HEADER = re.compile(r"\s*\[")


def file_for(name: str, onnx_bytes: bytes) -> str:
    """Where the model lies, relative to the models folder."""
    return f"{_FOLDER}/{name}-{sha256(onnx_bytes).hexdigest()[:12]}.onnx"


def add_model(spec: ModelSpec, onnx_bytes: bytes, models_dir: Path, *, replace: bool = False) -> None:
    """Copy a model into the folder and enter it in `local.toml`; other entries and comments stay as they are.

    `spec.file` is `file_for(...)`, `spec.sha256` that of the bytes.

    Raises:
        ModelRefused: the name is taken, or the folder cannot be written.
    """
    with _writing("add model", spec.name, models_dir):
        shipped, local = _manifests(models_dir)
        if spec.name in shipped:
            raise ModelRefused("add model", spec.name, f"{MANIFEST_NAME} has a model of that name; choose another")
        if spec.name in local and not replace:
            raise ModelRefused("add model", spec.name, "there is one of that name; say --replace or choose another")
        text = with_entry(_text(models_dir), spec)
        _check(text, wanted={**local, spec.name: spec}, name=spec.name)
        (models_dir / _FOLDER).mkdir(exist_ok=True)
        _put(models_dir / spec.file, onnx_bytes)
        _put(models_dir / LOCAL_NAME, text.encode())
        _drop(local.get(spec.name), models_dir, unless=spec.file)


def remove_model(name: str, models_dir: Path) -> None:
    """Take a model out of `local.toml` and delete its copy.

    Raises:
        ModelRefused: it is not there, it ships with Threshold, or the folder cannot be written.
    """
    with _writing("remove model", name, models_dir):
        shipped, local = _manifests(models_dir)
        if name not in local:
            why = "it ships with Threshold" if name in shipped else f"known there: {', '.join(sorted(local)) or 'none'}"
            raise ModelRefused("remove model", name, f"not in {LOCAL_NAME}; {why}")
        text = _without(_text(models_dir), name)
        _check(text, wanted={other: spec for other, spec in local.items() if other != name}, name=name)
        _put(models_dir / LOCAL_NAME, text.encode())
        _drop(local[name], models_dir)


def with_entry(text: str, spec: ModelSpec) -> str:
    """A manifest's text with the entry of `spec` last in it; other entries and comments stay as they are."""
    others = _without(text, spec.name).rstrip("\n")
    return f"{others}\n\n{_block(spec)}" if others else _block(spec)


def _manifests(models_dir: Path) -> tuple[dict[str, ModelSpec], dict[str, ModelSpec]]:
    return read_manifest(models_dir / MANIFEST_NAME) or {}, read_manifest(models_dir / LOCAL_NAME) or {}


@contextmanager
def _writing(operation: str, name: str, models_dir: Path) -> Iterator[None]:
    """Hold the folder against another `threshold models`, and turn what the disk says into one line."""
    if MODEL_NAME.fullmatch(name) is None:
        raise ModelRefused(operation, name, "a name is 1 to 40 of a-z, 0-9 and -")
    try:
        models_dir.mkdir(parents=True, exist_ok=True)
        held = os.open(models_dir, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield
        finally:
            os.close(held)
    except OSError as error:
        raise ModelRefused(operation, name, f"{models_dir} cannot be written: {error.strerror}") from error


def _text(models_dir: Path) -> str:
    path = models_dir / LOCAL_NAME
    return path.read_text("utf-8") if path.exists() else ""


def _block(spec: ModelSpec) -> str:
    """The tables of one model, as TOML."""
    values = spec.model_dump(exclude={"name"})
    tables = {key: values.pop(key) for key in ("input", "output", "measured")}
    if not tables["measured"]:
        del tables["measured"]
    lines = [f"[models.{spec.name}]", *_pairs(values)]
    for table, pairs in tables.items():
        lines += ["", f"[models.{spec.name}.{table}]", *_pairs(pairs)]
    return "\n".join(lines) + "\n"


def _pairs(values: Mapping[str, object]) -> Iterator[str]:
    for key, value in values.items():
        # A JSON string, number, boolean or list of them is a TOML one too, but for the DEL character.
        yield f"{key} = {json.dumps(value, ensure_ascii=False)}".replace("\x7f", "\\u007f")


def _without(text: str, name: str) -> str:
    """The manifest without the tables of `name`; comments go with the table they follow."""
    ours = re.compile(rf"\s*\[\s*models\s*\.\s*{re.escape(name)}\s*[\].]")
    kept, skipping = [], False
    # Only what TOML takes for the end of a line: `str.splitlines` knows others, which may stand in a string.
    for line in re.findall(r"[^\n]*\n|[^\n]+", text):
        if _HEADER.match(line):
            skipping = ours.match(line) is not None
        if not skipping:
            kept.append(line)
    return "".join(kept)


def _check(text: str, *, wanted: Mapping[str, ModelSpec], name: str) -> None:
    """Refuse to write a manifest that would not say what is meant: somebody edited it in a way not foreseen here."""
    try:
        tables = tomllib.loads(text).get("models", {})
        says = {other: ModelSpec.model_validate({**table, "name": other}) for other, table in tables.items()}
    except (ValueError, TypeError, AttributeError):
        says = None
    if says != dict(wanted):
        raise ModelRefused("write manifest", name, f"{LOCAL_NAME} is written in an unusual way; edit it by hand")


def _put(path: Path, content: bytes) -> None:
    """Write a file beside its place, flush it to the disk, move it there."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:  # a Ctrl-C too shall leave no half-written file; it is raised again
        beside.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _drop(spec: ModelSpec | None, models_dir: Path, *, unless: str = "") -> None:
    """Delete a copy that nothing names any more; only one that this module made."""
    if (
        spec is None
        or spec.file == unless
        or not re.fullmatch(rf"{_FOLDER}/{spec.name}-[0-9a-f]{{12}}\.onnx", spec.file)
    ):
        return
    if any(other.file == spec.file for other in load_manifest(models_dir).values()):
        return
    with suppress(FileNotFoundError):
        (models_dir / spec.file).unlink()
