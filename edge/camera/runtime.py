"""An ONNX session that was held against its manifest entry, on the providers that this box really has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnxruntime as ort
import structlog
from numpy.typing import NDArray

from edge.errors import ModelRefused
from edge.models import LoadedModel, ModelSpec
from edge.settings import Provider

__all__ = ["PROVIDERS", "Runtime", "missing_providers", "open_session", "providers_here"]

log = structlog.get_logger(__name__)

PROVIDERS: dict[Provider, str] = {
    "acl": "ACLExecutionProvider",
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "xnnpack": "XnnpackExecutionProvider",
}
"""The words of `[inference] providers`, and what the runtime calls them."""

_ELEMENTS = {"float32": "tensor(float)", "float16": "tensor(float16)", "uint8": "tensor(uint8)"}
_SIZE_INPUT = "tensor(int64)"
_NO_FOLDER = "/dev/null"
"""Where the runtime looks for weights outside the model's own bytes: the manifest's hash would not cover those."""


def providers_here(wanted: Sequence[Provider]) -> tuple[Provider, ...]:
    """Those of `wanted` that this installation of onnxruntime has; the CPU is always the last resort."""
    here = ort.get_available_providers()
    found = tuple(one for one in wanted if one != "cpu" and PROVIDERS[one] in here)
    return (*found, "cpu")


def missing_providers(wanted: Sequence[Provider]) -> tuple[Provider, ...]:
    """Those of `wanted` that this installation of onnxruntime lacks."""
    here = providers_here(wanted)
    return tuple(one for one in wanted if one not in here)


class Runtime:
    """One model, loaded. One thread uses it."""

    def __init__(self, model: LoadedModel, *, threads: int = 1, providers: Sequence[Provider] = ("cpu",)) -> None:
        """`providers` are tried in order; one that is missing is warned of, and the next one takes its place.

        Raises:
            ModelRefused: the runtime cannot load the model, or the model is not what the manifest says.
        """
        self._session = _session(model, threads=threads, wanted=tuple(providers))
        self._input_name, sizes_name = _inputs(self._session, model.spec)
        self._names = _output_names(self._session, model.spec)
        self._feed: dict[str, NDArray[Any]] = {}
        if sizes_name is not None:
            size_wh = (model.spec.input.width, model.spec.input.height)
            self._feed[sizes_name] = np.array([size_wh], np.int64)

    @property
    def providers(self) -> tuple[str, ...]:
        """What really runs the model, in the runtime's words, first choice first."""
        return tuple(self._session.get_providers())

    def run(self, tensor: NDArray[Any]) -> list[NDArray[np.float32]]:
        """The raw outputs of one picture, those that the manifest names in its order."""
        self._feed[self._input_name] = tensor
        return [np.asarray(one, np.float32) for one in self._session.run(self._names, self._feed)]


def open_session(
    onnx_bytes: bytes,
    *,
    name: str,
    options: ort.SessionOptions | None = None,
    providers: Sequence[str | tuple[str, dict[str, str]]] = (PROVIDERS["cpu"],),
) -> ort.InferenceSession:
    """A session of exactly these bytes.

    Raises:
        ModelRefused: the runtime cannot load them, or they want weights from another file.
    """
    options = options or ort.SessionOptions()
    options.log_severity_level = 3
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", _NO_FOLDER)
    try:
        return ort.InferenceSession(onnx_bytes, options, providers=list(providers))
    except Exception as error:
        why = (
            "its weights lie in a second file; export it as one" if "External data" in str(error) else _one_line(error)
        )
        raise ModelRefused("load model", name, f"onnxruntime refuses it: {why}") from error


def _session(model: LoadedModel, *, threads: int, wanted: tuple[Provider, ...]) -> ort.InferenceSession:
    chosen = providers_here(wanted)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    told: list[str | tuple[str, dict[str, str]]] = [PROVIDERS[one] for one in chosen]
    if "xnnpack" in chosen:
        # XNNPACK has threads of its own; two pools on the same cores would fight (onnxruntime's advice).
        told[chosen.index("xnnpack")] = (PROVIDERS["xnnpack"], {"intra_op_num_threads": str(threads)})
        options.intra_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = open_session(model.onnx_bytes, name=model.spec.name, options=options, providers=told)
    _warn(model.spec.name, wanted=wanted, using=session.get_providers())
    return session


def _warn(name: str, *, wanted: tuple[Provider, ...], using: Sequence[str]) -> None:
    """Say which wanted providers are not in use: not installed, or their drivers or libraries are not."""
    missing = [one for one in wanted if PROVIDERS[one] not in using]
    if missing:
        log.warning("inference.fallback", model=name, missing=missing, using=list(using))


def _inputs(session: ort.InferenceSession, spec: ModelSpec) -> tuple[str, str | None]:
    """The names of the picture's input and, where a model asks for it, of the picture's size (RT-DETR, D-FINE)."""
    pictures = [one for one in session.get_inputs() if len(one.shape) == 4]
    sizes = [one for one in session.get_inputs() if one.type == _SIZE_INPUT and len(one.shape) == 2]
    if len(pictures) != 1 or len(sizes) > 1 or len(session.get_inputs()) != 1 + len(sizes):
        found = [f"{one.name} {list(one.shape)}" for one in session.get_inputs()]
        raise ModelRefused("load model", spec.name, f"its inputs are {found}; one picture is expected")
    wanted = _wanted_shape(spec)
    fixed = zip(pictures[0].shape, wanted, strict=True)
    if any(isinstance(side, int) and side != want for side, want in fixed):
        raise ModelRefused(
            "load model", spec.name, f"its input is {list(pictures[0].shape)}, the manifest says {wanted}"
        )
    if pictures[0].type != _ELEMENTS[spec.input.element]:
        raise ModelRefused(
            "load model", spec.name, f"its input is {pictures[0].type}, the manifest says {spec.input.element}"
        )
    return pictures[0].name, sizes[0].name if sizes else None


def _wanted_shape(spec: ModelSpec) -> list[int]:
    height, width = spec.input.height, spec.input.width
    return [1, 3, height, width] if spec.input.layout == "nchw" else [1, height, width, 3]


def _output_names(session: ort.InferenceSession, spec: ModelSpec) -> list[str] | None:
    known = [one.name for one in session.get_outputs()]
    absent = [name for name in spec.output.names if name not in known]
    if absent:
        raise ModelRefused("load model", spec.name, f"it has no output {absent[0]}, only {', '.join(known)}")
    return list(spec.output.names) or None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
