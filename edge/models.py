"""Which ONNX models may run: the manifests of a models folder, typed, and the one way to load a file they name.

`manifest.toml` lists what ships with Threshold, `local.toml` beside it what `threshold models add` put there.
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

__all__ = [
    "LOCAL_NAME",
    "MANIFEST_NAME",
    "MAX_MODEL_BYTES",
    "LoadedModel",
    "ModelInput",
    "ModelOutput",
    "ModelSpec",
    "default_models_dir",
    "load_manifest",
    "load_model",
    "read_manifest",
]

MANIFEST_NAME = "manifest.toml"
LOCAL_NAME = "local.toml"
MAX_MODEL_BYTES = 256 * 1024 * 1024

Fraction = Annotated[float, Field(ge=0, le=1)]
Side = Annotated[int, Field(ge=32, le=4096)]
Stride = Annotated[int, Field(ge=1, le=256)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class ModelInput(_Table):
    """The picture a model wants: `width` x `height`, each channel (value * scale - mean) / std of 0 to 255.

    `letterbox` keeps the aspect, puts the picture in the top left corner and fills the rest with `pad` (0 to 255, before
    `scale`); `stretch` does not keep it. `mean` and `std` are in the order of `colour`.
    """

    width: Side
    height: Side
    colour: Literal["bgr", "rgb"] = "bgr"
    pad: int = Field(default=114, ge=0, le=255)
    resize: Literal["letterbox", "stretch"] = "letterbox"
    layout: Literal["nchw", "nhwc"] = "nchw"
    element: Literal["float32", "float16", "uint8"] = "float32"
    scale: Positive = 1.0
    mean: tuple[Finite, Finite, Finite] = (0.0, 0.0, 0.0)
    std: tuple[Positive, Positive, Positive] = (1.0, 1.0, 1.0)


class ModelOutput(_Table):
    """What the decoder needs to know of the raw output; each decoder reads its own part.

    `names` are the outputs to compute, in the decoder's order; none means all, as the model has them.
    """

    names: tuple[str, ...] = ()
    strides: Annotated[tuple[Stride, ...], Field(min_length=1, max_length=8)] = (8, 16, 32)
    person_class: int = Field(default=0, ge=0)
    decoded: bool = False
    """yolox: the boxes are in pixels already."""
    bins: int = Field(default=8, ge=2, le=64)
    """nanodet: values of one side's distribution, `reg_max` + 1."""
    cell_offset: float = Field(default=0.0, ge=0, le=1)
    """nanodet: where in its cell a point lies, 0 its corner, 0.5 its middle."""
    activation: Literal["none", "sigmoid", "softmax"] = "none"
    """query: what turns the class output into scores; softmax has a last class for nobody."""
    boxes: Literal["relative-cxcywh", "pixel-xyxy"] = "relative-cxcywh"
    """query: how boxes are written."""


class ModelSpec(_Table):
    """One model as its manifest describes it. `measured` holds the figures of its card."""

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
    """Every model of the folder by name: those of `manifest.toml` and those of `local.toml`.

    Raises:
        ModelRefused: there is no manifest, one cannot be understood, or both give a model the same name.
    """
    shipped, added = read_manifest(models_dir / MANIFEST_NAME), read_manifest(models_dir / LOCAL_NAME)
    if shipped is None and added is None:
        path = models_dir / MANIFEST_NAME
        raise ModelRefused("read manifest", str(path), "no such file; name the folder with THRESHOLD_MODELS")
    shipped, added = shipped or {}, added or {}
    for name in sorted(shipped.keys() & added.keys()):
        raise ModelRefused(
            "read manifest", str(models_dir), f"both its manifests have a '{name}'; rename the local one"
        )
    return {**shipped, **added}


def read_manifest(path: Path) -> dict[str, ModelSpec] | None:
    """The models of one manifest file by name, or None where there is no such file.

    Raises:
        ModelRefused: it cannot be understood.
    """
    try:
        tables = tomllib.loads(path.read_text("utf-8")).get("models", {})
        return {name: ModelSpec.model_validate({**table, "name": name}) for name, table in tables.items()}
    except FileNotFoundError:
        return None
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
        raise ModelRefused("load model", name, f"not in the manifest; known there: {known}")
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
