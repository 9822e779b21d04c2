"""Which ONNX models may run: `models/manifest.toml`, typed, and the one way to load a file it names.

The bytes that were hashed are the very bytes handed to the runtime: a file swapped in between changes nothing.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from edge.errors import ModelRefused

__all__ = ["LoadedModel", "ModelInput", "ModelOutput", "ModelSpec", "default_models_dir", "load_manifest", "load_model"]

MANIFEST_NAME = "manifest.toml"
MAX_MODEL_BYTES = 256 * 1024 * 1024

Fraction = Annotated[float, Field(ge=0, le=1)]
Side = Annotated[int, Field(ge=32, le=4096)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class ModelInput(_Table):
    """A float32 NCHW picture of 0 to 255, letterboxed to the top left corner, the rest filled with `pad`."""

    width: Side
    height: Side
    colour: Literal["bgr", "rgb"] = "bgr"
    pad: int = Field(default=114, ge=0, le=255)


class ModelOutput(_Table):
    """What the decoder needs to know of the raw output."""

    strides: tuple[int, ...] = (8, 16, 32)
    person_class: int = Field(default=0, ge=0)


class ModelSpec(_Table):
    """One model as `manifest.toml` describes it. `measured` holds the figures of its card."""

    name: str
    file: str
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$", to_lower=True)]
    task: str
    decoder: str
    licence: str
    card: str = ""
    score_threshold: Fraction = 0.4
    iou_threshold: Fraction = 0.5
    input: ModelInput
    output: ModelOutput = ModelOutput()
    measured: Mapping[str, object] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model whose bytes have the SHA-256 that the manifest names."""

    spec: ModelSpec
    onnx_bytes: bytes = field(repr=False)


def default_models_dir() -> Path:
    """The folder named by the environment's THRESHOLD_MODELS, else `models/` beside the `edge` package."""
    named = os.environ.get("THRESHOLD_MODELS")
    return Path(named) if named else Path(__file__).resolve().parent.parent / "models"


def load_manifest(models_dir: Path) -> dict[str, ModelSpec]:
    """Every model of `models_dir/manifest.toml`, by name.

    Raises:
        ModelRefused: there is no manifest, or it cannot be understood.
    """
    path = models_dir / MANIFEST_NAME
    try:
        tables = tomllib.loads(path.read_text("utf-8")).get("models", {})
        return {name: ModelSpec.model_validate({**table, "name": name}) for name, table in tables.items()}
    except FileNotFoundError as error:
        raise ModelRefused("read manifest", str(path), "no such file; name the folder with THRESHOLD_MODELS") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ModelRefused("read manifest", f"{path}, {error.title} {where}", first["msg"]) from error
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise ModelRefused("read manifest", str(path), f"it cannot be understood: {error}") from error


def load_model(name: str, models_dir: Path) -> LoadedModel:
    """Read the model `name` once and compare its SHA-256 with the manifest's.

    Raises:
        ModelRefused: it is not in the manifest, lies outside the folder, is absent, or was altered.
    """
    manifest = load_manifest(models_dir)
    spec = manifest.get(name)
    if spec is None:
        known = ", ".join(sorted(manifest)) or "none"
        raise ModelRefused("load model", name, f"not in {MANIFEST_NAME}; known there: {known}")
    onnx_bytes = _read_inside(models_dir, spec)
    if not compare_digest(sha256(onnx_bytes).hexdigest(), spec.sha256):
        raise ModelRefused("load model", name, f"{spec.file} is not the file that the manifest's sha256 names")
    return LoadedModel(spec, onnx_bytes)


def _read_inside(models_dir: Path, spec: ModelSpec) -> bytes:
    folder = models_dir.resolve()
    path = (folder / spec.file).resolve()
    if not path.is_relative_to(folder):
        raise ModelRefused("load model", spec.name, f"{spec.file} lies outside the models folder")
    try:
        with path.open("rb") as file:
            onnx_bytes = file.read(MAX_MODEL_BYTES + 1)
    except OSError as error:
        raise ModelRefused("load model", spec.name, f"{spec.file} cannot be read: {error.strerror}") from error
    if len(onnx_bytes) > MAX_MODEL_BYTES:
        raise ModelRefused("load model", spec.name, f"{spec.file} is larger than {MAX_MODEL_BYTES} bytes")
    return onnx_bytes
