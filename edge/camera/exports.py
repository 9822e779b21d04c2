"""What an ONNX export tells about itself: enough to write most of its manifest entry.

The file is asked for its inputs and outputs, and run once on an even picture: that shows what no metadata says, such as
whether boxes are decoded already and whether classes are scores or still logits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from pydantic import ValidationError

from edge.camera.decoders import DECODERS, decoder_for
from edge.camera.grid import Grid
from edge.camera.input_tensor import placer_for
from edge.camera.runtime import Runtime, open_session
from edge.errors import ModelRefused
from edge.models import LoadedModel, ModelInput, ModelSpec

__all__ = ["Wishes", "describe"]

Said = Mapping[str, object]

_ELEMENTS = {"tensor(float)": "float32", "tensor(float16)": "float16", "tensor(uint8)": "uint8"}
_IMAGENET: Said = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
_INPUTS: dict[str, Said] = {
    "yolox": {},
    "query": {"colour": "rgb", "scale": 1 / 255, "resize": "stretch"},
    "nanodet": {"mean": (103.53, 116.28, 123.675), "std": (57.375, 57.12, 58.395), "resize": "stretch"},
    "fastestdet": {"scale": 1 / 255, "resize": "stretch"},
}
"""How each family's own tools prepare a picture."""

_SUPPRESSION = {"yolox": 0.5, "query": 1.0, "nanodet": 0.6, "fastestdet": 0.45}
"""Each family's own IoU; 1 keeps all, as query detectors want."""

_CLASS_NAMES = frozenset({"labels", "logits", "pred_logits", "scores"})
"""What exports that answer more than they need call the classes."""

_STRIDES = ((8, 16, 32), (8, 16, 32, 64), (16, 32), (8,), (16,), (4, 8, 16, 32))
_COCO_CLASSES = 80
_COCO_IDS = 91
_USUAL_BINS = (8, 11, 17)
_EVEN = 114


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What somebody says of a model; whatever is not said is found out, or is the family's custom.

    `input` and `output` hold fields of `ModelInput` and `ModelOutput`, `entry` those of `ModelSpec`.
    """

    name: str
    decoder: str
    entry: Said = field(default_factory=dict)
    input: Said = field(default_factory=dict)
    output: Said = field(default_factory=dict)


def describe(onnx_bytes: bytes, wishes: Wishes, *, file: str, sha256: str) -> ModelSpec:
    """The manifest entry of an export; it has been run with it once.

    Raises:
        ModelRefused: the file is no such model; one line says what does not fit.
    """
    if wishes.decoder not in DECODERS:
        known = ", ".join(sorted(DECODERS))
        raise ModelRefused("add model", wishes.name, f"unknown decoder '{wishes.decoder}'; known: {known}")
    session = open_session(onnx_bytes, name=wishes.name)
    names = tuple(one.name for one in session.get_outputs())
    entry = {
        "name": wishes.name,
        "file": file,
        "sha256": sha256,
        "task": "person-detection",
        "decoder": wishes.decoder,
        "licence": "unstated",
        "iou_threshold": _SUPPRESSION[wishes.decoder],
        **wishes.entry,
        "input": {**_INPUTS[wishes.decoder], **_habits(wishes.decoder, names), **_picture(session, wishes)},
    }
    trial = _tried(_spec({**entry, "output": {"names": names}}, wishes.name), onnx_bytes, wishes)
    found = _FOUND_OUT[wishes.decoder](trial)
    spec = _spec({**entry, "output": {**found, **wishes.output}}, wishes.name)
    _check(spec, onnx_bytes)
    return spec


def _tried(spec: ModelSpec, onnx_bytes: bytes, wishes: Wishes) -> _Trial:
    return _Trial(wishes, spec.input, spec.output.names, _run(spec, onnx_bytes))


@dataclass(frozen=True, slots=True)
class _Trial:
    """What came of running the model once, every output."""

    wishes: Wishes
    input: ModelInput
    names: Sequence[str]
    raw: Sequence[NDArray[np.float32]]

    def refused(self, why: str) -> ModelRefused:
        shapes = ", ".join(f"{name} {list(one.shape)}" for name, one in zip(self.names, self.raw, strict=True))
        return ModelRefused("add model", self.wishes.name, f"no {self.wishes.decoder} export: {why}; it gives {shapes}")

    def only(self, dimensions: int) -> NDArray[np.float32]:
        """The model's one output, of one picture."""
        if len(self.raw) != 1 or self.raw[0].ndim != dimensions or self.raw[0].shape[0] != 1:
            raise self.refused(f"one output of {dimensions} dimensions is expected")
        return np.asarray(self.raw[0][0])

    def strides(self, rows: int, *, round_up: bool) -> tuple[int, ...]:
        """The strides that make so many rows."""
        said = self.wishes.output.get("strides")
        choices = (said,) if isinstance(said, tuple) else _STRIDES
        for strides in choices:
            if len(Grid(self.input, strides, round_up=round_up)) == rows:
                return tuple(strides)
        tried = " or ".join(",".join(map(str, one)) for one in choices)
        size = f"{self.input.width}x{self.input.height}"
        raise self.refused(f"{rows} rows are not those of {size} at strides {tried}")


def _habits(decoder: str, names: Sequence[str]) -> Said:
    """RF-DETR calls its outputs dets and labels, and wants ImageNet's mean; other query exports do not."""
    return _IMAGENET if decoder == "query" and set(names) >= {"dets", "labels"} else {}


def _picture(session: ort.InferenceSession, wishes: Wishes) -> Said:
    """Size, layout and element of the picture's input, with what was said of them on top."""
    pictures = [one for one in session.get_inputs() if len(one.shape) == 4]
    if len(pictures) != 1 or pictures[0].type not in _ELEMENTS:
        shapes = ", ".join(f"{one.name} {list(one.shape)} {one.type}" for one in session.get_inputs())
        raise ModelRefused("add model", wishes.name, f"one picture is expected as its input, not {shapes}")
    _, *sides = pictures[0].shape
    layout = "nhwc" if sides[2] == 3 and sides[0] != 3 else "nchw"
    height, width = sides[:2] if layout == "nhwc" else sides[1:]
    found: dict[str, object] = {"layout": layout, "element": _ELEMENTS[pictures[0].type]}
    found |= {key: side for key, side in (("width", width), ("height", height)) if isinstance(side, int)}
    said = wishes.input
    clash = [key for key in ("width", "height") if key in said and found.get(key, said[key]) != said[key]]
    if clash:
        raise ModelRefused("add model", wishes.name, f"its input is {width}x{height}; leave --input out")
    if not {"width", "height"} <= {*found, *said}:
        raise ModelRefused("add model", wishes.name, "its input size is open; say it with --input WIDTHxHEIGHT")
    return {**found, **said}


def _spec(entry: Said, name: str) -> ModelSpec:
    try:
        return ModelSpec.model_validate(entry)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ModelRefused("add model", name, f"{where}: {first['msg']}") from error


def _run(spec: ModelSpec, onnx_bytes: bytes) -> list[NDArray[np.float32]]:
    """The outputs for an even picture."""
    runtime = Runtime(LoadedModel(spec, onnx_bytes))
    even = np.full((spec.input.height, spec.input.width, 3), _EVEN, np.uint8)
    try:
        return runtime.run(placer_for(spec.input).place(even)[0])
    except Exception as error:
        raise ModelRefused("add model", spec.name, f"it cannot be run: {' '.join(str(error).split())[:200]}") from error


def _check(spec: ModelSpec, onnx_bytes: bytes) -> None:
    """Run and decode once, as the detector will."""
    outputs = _run(spec, onnx_bytes)
    if any(np.isnan(one).any() for one in outputs):
        raise ModelRefused("add model", spec.name, "it answers an even picture with not-a-number; it may be broken")
    _, scores = decoder_for(spec).decode(outputs, min_score=-np.inf)
    if len(scores) and not (scores.min() >= 0 and scores.max() <= 1):
        low, high = float(scores.min()), float(scores.max())
        why = f"its scores reach from {low:.3g} to {high:.3g} instead of 0 to 1; it may be another family's"
        raise ModelRefused("add model", spec.name, why)


def _yolox(trial: _Trial) -> Said:
    rows = trial.only(3)
    if rows.shape[1] < 6:
        raise trial.refused("a row holds a box, an objectness and class scores")
    strides = trial.strides(len(rows), round_up=False)
    grid = Grid(trial.input, strides, round_up=False)
    # Raw centres are a fraction of a cell; decoded ones lie near their cell in the picture.
    off_cell = np.median(np.abs(rows[:, :2] / grid.stride - grid.xy))
    off_zero = np.median(np.abs(rows[:, :2]))
    return {"strides": strides, "decoded": bool(off_cell < off_zero)}


def _query(trial: _Trial) -> Said:
    named = dict(zip(trial.names, trial.raw, strict=True))
    boxes = _query_boxes(trial, named)
    queries = named[boxes].shape[1]
    written = {"boxes": "pixel-xyxy" if np.abs(named[boxes]).max(initial=0) > 2 else "relative-cxcywh"}
    flat = [name for name, one in named.items() if one.shape == (1, queries)]
    if {"scores", "labels"} <= set(flat):
        return {**written, "names": (boxes, "scores", "labels")}
    classes = [name for name, one in named.items() if name != boxes and one.shape[:2] == (1, queries) and one.ndim == 3]
    if len(classes) > 1:
        classes = [name for name in classes if name in _CLASS_NAMES]
    if len(classes) != 1:
        raise trial.refused("beside the boxes there must be one class output [1, queries, classes]")
    values = named[classes[0]]
    person = 1 if values.shape[2] >= _COCO_IDS else 0
    activation = "none" if values.min() >= 0 and values.max() <= 1 else "sigmoid"
    return {**written, "names": (boxes, classes[0]), "person_class": person, "activation": activation}


def _query_boxes(trial: _Trial, named: Mapping[str, NDArray[np.float32]]) -> str:
    """Which output holds the boxes: the only one four wide, else the one that is called so."""
    wide = [name for name, one in named.items() if one.ndim == 3 and one.shape[::2] == (1, 4)]
    called = [name for name in wide if "box" in name or name == "dets"]
    for choice in (wide, called):
        if len(choice) == 1:
            return choice[0]
    raise trial.refused("one output must hold boxes [1, queries, 4]")


def _nanodet(trial: _Trial) -> Said:
    rows = trial.only(3)
    strides = trial.strides(len(rows), round_up=True)
    said = trial.wishes.output.get("bins")
    usual = [bins for bins in _USUAL_BINS if rows.shape[1] - 4 * bins == _COCO_CLASSES]
    bins = said if isinstance(said, int) else (usual or [_USUAL_BINS[0]])[0]
    if rows.shape[1] <= 4 * bins:
        raise trial.refused(f"a row holds class scores and four sides of {bins} bins (see --bins)")
    # NanoDet-Plus has a fourth stride, and its points are the cells' corners; the older one's are their middles.
    return {"strides": strides, "bins": bins, "cell_offset": 0.0 if len(strides) == 4 else 0.5}


def _fastestdet(trial: _Trial) -> Said:
    grid = trial.only(4)
    if grid.shape[0] < 6:
        raise trial.refused("objectness, four of a box, and class scores are expected as channels")
    return {"strides": (max(1, trial.input.height // grid.shape[1]),)}


_FOUND_OUT: dict[str, Callable[[_Trial], Said]] = {
    "yolox": _yolox,
    "query": _query,
    "nanodet": _nanodet,
    "fastestdet": _fastestdet,
}
"""What the trial tells of `ModelOutput`, by decoder."""
