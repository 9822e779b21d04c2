from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from edge.camera.detector import Detector
from edge.camera.exports import Wishes, describe
from edge.errors import ModelRefused
from edge.models import LoadedModel, ModelSpec

PICTURE = {"images": (np.float32, (1, 3, 64, 96))}
YOLOX_ROWS = 12 * 8 + 6 * 4 + 3 * 2


def described(onnx_bytes: bytes, decoder: str, **wishes: object) -> ModelSpec:
    told = Wishes(name="toy", decoder=decoder, **wishes)  # type: ignore[arg-type]
    return describe(onnx_bytes, told, file="local/toy.onnx", sha256="0" * 64)


def detect(spec: ModelSpec, onnx_bytes: bytes, *, width: int = 96, height: int = 64) -> list[tuple[float, ...]]:
    found = Detector(LoadedModel(spec, onnx_bytes)).detect(np.zeros((height, width, 3), np.uint8))
    return [(*box, float(score)) for box, score in zip(found.boxes_xyxy.tolist(), found.scores, strict=True)]


def test_a_yolox_export_needs_nothing_but_its_family(tiny_yolox: bytes) -> None:
    """Input size, layout, strides and raw boxes are found out, and the detector sees what the file holds."""
    spec = described(tiny_yolox, "yolox")
    assert (spec.input.width, spec.input.height, spec.input.colour, spec.input.layout) == (96, 64, "bgr", "nchw")
    assert spec.output.strides == (8, 16, 32)
    assert not spec.output.decoded
    assert detect(spec, tiny_yolox)[0] == pytest.approx((16, 8, 32, 40, 0.9), abs=1e-3)


def test_a_decoded_yolox_export_is_told_from_a_raw_one(tiny_onnx: Callable[..., bytes]) -> None:
    """Centres that lie where their cells lie are pixels already."""
    raw = np.full((1, YOLOX_ROWS, 6), 0.01, np.float32)
    row = 0
    for stride in (8, 16, 32):
        for y in range(64 // stride):
            for x in range(96 // stride):
                raw[0, row, :4] = ((x + 0.5) * stride, (y + 0.5) * stride, 2 * stride, 3 * stride)
                row += 1
    raw[0, 20, 4:] = (1.0, 0.8)
    onnx_bytes = tiny_onnx(PICTURE, {"output": raw})
    spec = described(onnx_bytes, "yolox")
    assert spec.output.decoded
    assert detect(spec, onnx_bytes) == [pytest.approx((60, 0, 76, 24, 0.8), abs=1e-3)]


def test_a_fourth_stride_shows_in_the_number_of_rows(tiny_onnx: Callable[..., bytes]) -> None:
    """YOLOX with P6 has a row more for each cell of stride 64."""
    onnx_bytes = tiny_onnx(
        {"images": (np.float32, (1, 3, 128, 128))}, {"output": np.zeros((1, 256 + 64 + 16 + 4, 6), np.float32)}
    )
    assert described(onnx_bytes, "yolox").output.strides == (8, 16, 32, 64)


@pytest.mark.parametrize(
    ("names", "classes", "person"), [(("logits", "pred_boxes"), 80, 0), (("labels", "dets"), 91, 1)]
)
def test_query_exports_of_logits(
    tiny_onnx: Callable[..., bytes], names: tuple[str, str], classes: int, person: int
) -> None:
    """RT-DETR as transformers exports it, and RF-DETR, whose classes are COCO's ids and whose picture is ImageNet's."""
    logits = np.full((1, 5, classes), -6, np.float32)
    logits[0, 2, person] = 2.0
    boxes = np.full((1, 5, 4), 0.5, np.float32)
    onnx_bytes = tiny_onnx({"input": (np.float32, ("batch", 3, 64, 96))}, {names[0]: logits, names[1]: boxes})
    spec = described(onnx_bytes, "query")
    assert (spec.output.person_class, spec.output.activation) == (person, "sigmoid")
    assert (spec.input.colour, spec.input.resize, spec.iou_threshold) == ("rgb", "stretch", 1.0)
    assert (spec.input.mean[0] > 0) == (names[1] == "dets")
    # A picture of another aspect is stretched, and the box comes back in that picture's pixels.
    assert detect(spec, onnx_bytes, width=192, height=384) == [pytest.approx((48, 96, 144, 288, 0.8808), abs=1e-3)]


def test_a_query_export_that_answers_more_than_it_needs(tiny_onnx: Callable[..., bytes]) -> None:
    """What is called logits and boxes is taken; hidden states and helpers' boxes are not computed."""
    outputs = {
        "logits": np.zeros((1, 5, 80), np.float32) - 3,
        "pred_boxes": np.full((1, 5, 4), 0.5, np.float32),
        "last_hidden_state": np.zeros((1, 5, 256), np.float32),
        "enc_outputs": np.zeros((1, 9, 4), np.float32),
    }
    spec = described(tiny_onnx(PICTURE, outputs), "query")
    assert spec.output.names == ("pred_boxes", "logits")


def test_query_exports_that_post_process_by_themselves(tiny_onnx: Callable[..., bytes]) -> None:
    """D-FINE's own export asks for the picture's size, and answers labels, boxes in pixels and scores."""
    inputs = {"images": (np.float32, ("N", 3, 64, 96)), "orig_target_sizes": (np.int64, ("N", 2))}
    labels = np.array([[2, 0, 0]], np.int64)
    boxes = np.array([[(0, 0, 9, 9), (10, 20, 30, 60), (11, 20, 30, 60)]], np.float32)
    scores = np.array([[0.9, 0.8, 0.7]], np.float32)
    onnx_bytes = tiny_onnx(inputs, {"labels": labels, "boxes": boxes, "scores": scores})
    spec = described(onnx_bytes, "query")
    assert spec.output.names == ("boxes", "scores", "labels")
    assert spec.output.boxes == "pixel-xyxy"
    # Nothing is suppressed: a query detector says what it means.
    assert [one[-1] for one in detect(spec, onnx_bytes)] == pytest.approx([0.8, 0.7])


@pytest.mark.parametrize(("rows", "strides", "offset"), [(128, (8, 16, 32, 64), 0.0), (126, (8, 16, 32), 0.5)])
def test_nanodet_plus_and_the_older_nanodet(
    tiny_onnx: Callable[..., bytes], rows: int, strides: tuple[int, ...], offset: float
) -> None:
    """The number of rows says which, and with it where a cell's point lies."""
    onnx_bytes = tiny_onnx(PICTURE, {"output": np.zeros((1, rows, 80 + 32), np.float32)})
    spec = described(onnx_bytes, "nanodet")
    assert (spec.output.strides, spec.output.bins, spec.output.cell_offset) == (strides, 8, offset)
    assert spec.input.mean == (103.53, 116.28, 123.675)


def test_fastestdet(tiny_onnx: Callable[..., bytes]) -> None:
    """One grid, channels first."""
    raw = np.zeros((1, 6, 4, 6), np.float32)
    raw[0, :, 2, 3] = (1.0, 0.0, 0.0, 0.0, 0.0, 0.75)
    onnx_bytes = tiny_onnx(PICTURE, {"output": raw})
    spec = described(onnx_bytes, "fastestdet")
    assert detect(spec, onnx_bytes) == [pytest.approx((24, 16, 72, 48, 0.75), abs=1e-3)]


@pytest.mark.parametrize("element", [np.float32, np.float16, np.uint8])
def test_input_type_and_layout_are_the_files_own(tiny_onnx: Callable[..., bytes], element: type) -> None:
    """Channels last, bytes or half floats: the file says so, and the picture is handed over so."""
    inputs = {"images": (element, (1, 64, 96, 3))}
    onnx_bytes = tiny_onnx(inputs, {"output": np.zeros((1, YOLOX_ROWS, 6), np.float32)})
    spec = described(onnx_bytes, "yolox")
    assert (spec.input.layout, spec.input.element) == ("nhwc", np.dtype(element).name)
    assert detect(spec, onnx_bytes) == []


def test_what_is_said_wins(tiny_yolox: bytes) -> None:
    """A wish replaces what was found out, or what is the family's custom."""
    spec = described(
        tiny_yolox,
        "yolox",
        entry={"score_threshold": 0.6, "licence": "MIT"},
        input={"colour": "rgb", "scale": 0.5},
        output={"person_class": 2},
    )
    assert (spec.score_threshold, spec.licence) == (0.6, "MIT")
    assert (spec.input.colour, spec.input.scale, spec.output.person_class) == ("rgb", 0.5, 2)


OPEN = {"images": (np.float32, (1, 3, "h", "w"))}
ROWS = {"output": np.zeros((1, YOLOX_ROWS, 6), np.float32)}


@pytest.mark.parametrize(
    ("inputs", "outputs", "decoder", "wishes", "why"),
    [
        (OPEN, ROWS, "yolox", {}, "say it with --input"),
        (PICTURE, ROWS, "yolox", {"input": {"width": 320, "height": 320}}, "its input is 96x64"),
        (PICTURE, ROWS, "yolox", {"output": {"person_class": 1}}, "does not fit"),
        (PICTURE, ROWS, "yolox", {"output": {"strides": (4,)}}, "126 rows are not those of 96x64 at strides 4"),
        (PICTURE, ROWS, "crystal-ball", {}, "known: fastestdet, nanodet, query, yolox"),
        (PICTURE, ROWS, "query", {}, "no query export"),
        (PICTURE, ROWS, "nanodet", {}, "see --bins"),
        (PICTURE, ROWS, "fastestdet", {}, "no fastestdet export"),
        (PICTURE, {**ROWS, "more": ROWS["output"]}, "yolox", {}, "one output of 3 dimensions"),
        (PICTURE, {"output": ROWS["output"] - 3}, "yolox", {}, "instead of 0 to 1"),
        (PICTURE, {"output": ROWS["output"] * np.nan}, "yolox", {}, "not-a-number"),
        ({"images": (np.float32, (1, 3))}, ROWS, "yolox", {}, "one picture is expected"),
        ({**PICTURE, "other": (np.float32, (1, 3, 64, 96))}, ROWS, "yolox", {}, "one picture is expected"),
        ({**PICTURE, "mask": (np.int64, (1, 64, 96))}, ROWS, "yolox", {}, "one picture is expected"),
        ({"images": (np.float32, (1, 1, 64, 96))}, ROWS, "yolox", {}, "the manifest says"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(
    tiny_onnx: Callable[..., bytes],
    inputs: dict[str, object],
    outputs: dict[str, np.ndarray],
    decoder: str,
    wishes: dict[str, object],
    why: str,
) -> None:
    """The line says what is wrong, or what to say."""
    with pytest.raises(ModelRefused, match=why) as caught:
        described(tiny_onnx(inputs, outputs), decoder, **wishes)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"no model", b"\x08\x08" * 50])
def test_a_file_that_is_no_model_is_refused(content: bytes) -> None:
    """The runtime's own words, in one line."""
    with pytest.raises(ModelRefused, match="onnxruntime refuses it"):
        described(content, "yolox")
