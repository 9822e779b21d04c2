"""Tiny ONNX files, written byte by byte: their outputs are constants, which is all that a decoder's test needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from edge.cli import run, threshold

_TYPES = {np.dtype(np.float32): 1, np.dtype(np.uint8): 2, np.dtype(np.int64): 7, np.dtype(np.float16): 10}
SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "footfall"

Shape = Sequence[int | str]


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes | str) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(raw)) + raw


def _value_info(name: str, element: int, shape: Shape) -> bytes:
    dims = b"".join(_bytes(1, _number(1, one) if isinstance(one, int) else _bytes(2, one)) for one in shape)
    tensor = _number(1, element) + _bytes(2, dims)
    return _bytes(1, name) + _bytes(2, _bytes(1, tensor))


def tiny(
    inputs: Mapping[str, tuple[type, Shape]], outputs: Mapping[str, np.ndarray], *, beside: str | None = None
) -> bytes:
    """A model that takes `inputs` and answers `outputs`, whatever the picture; `beside` names a file with its weights."""
    graph = _bytes(2, "tiny")
    for name, value in outputs.items():
        tensor = b"".join(_number(1, side) for side in value.shape) + _number(2, _TYPES[value.dtype])
        weights = _bytes(9, value.tobytes())
        if beside is not None:
            weights = _bytes(13, _bytes(1, "location") + _bytes(2, beside)) + _number(14, 1)
        graph += _bytes(5, tensor + _bytes(8, f"{name}_value") + weights)
        graph += _bytes(1, _bytes(1, f"{name}_value") + _bytes(2, name) + _bytes(4, "Identity"))
        graph += _bytes(12, _value_info(name, _TYPES[value.dtype], value.shape))
    for name, (element, shape) in inputs.items():
        graph += _bytes(11, _value_info(name, _TYPES[np.dtype(element)], shape))
    opset = _bytes(1, "") + _number(2, 13)
    return _number(1, 8) + _bytes(7, graph) + _bytes(8, opset)


@pytest.fixture(scope="session")
def tiny_onnx() -> Callable[..., bytes]:
    """Makes an ONNX file of given inputs whose outputs are given constants."""
    return tiny


@pytest.fixture(scope="session")
def tiny_yolox() -> bytes:
    """A YOLOX export for 96 x 64 of three classes that always sees one person: columns 16 to 32, rows 8 to 40."""
    raw = np.zeros((1, 12 * 8 + 6 * 4 + 3 * 2, 8), np.float32)
    raw[0, 96 + 6 + 1] = (0.5, 0.5, 0.0, np.log(2), 1.0, 0.9, 0.1, 0.1)
    return tiny({"images": (np.float32, (1, 3, 64, 96))}, {"output": raw})


@pytest.fixture
def threshold_command(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs one `threshold` command line as a shell would: exit status, standard output, standard error."""

    def call(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        status = run([str(one) for one in arguments])
        told = capsys.readouterr()
        return status, told.out, told.err

    return call


@pytest.fixture
def help_of() -> Callable[..., Result]:
    """The help of a command."""
    return lambda *path: CliRunner().invoke(threshold, [*path, "--help"])


@pytest.fixture(scope="session")
def footfall_data() -> Path:
    """The labelled pictures and the yardstick."""
    if not (SHARED / "yardstick" / "yolox_nano.onnx").is_file() or not (SHARED / "licensed" / "val").is_dir():
        pytest.skip("needs the labelled pictures of ../shared/data/footfall")
    return SHARED
