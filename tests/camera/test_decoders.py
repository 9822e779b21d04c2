"""Every decoder beside a plain reference, written with loops from the published post-processing of its family."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.camera.decoders import DECODERS, decoder_for
from edge.camera.detector import Detector
from edge.camera.letterbox import Letterbox
from edge.errors import ModelRefused
from edge.models import ModelInput, ModelOutput, ModelSpec, load_model

WIDTH, HEIGHT = 96, 64
SEEDS = st.integers(0, 2**32 - 1)
Found = list[tuple[tuple[float, ...], float]]


def spec_of(decoder: str, **output: Any) -> ModelSpec:
    return ModelSpec(
        name="toy",
        file="toy.onnx",
        sha256="0" * 64,
        task="person-detection",
        decoder=decoder,
        licence="Apache-2.0",
        input=ModelInput(width=WIDTH, height=HEIGHT),
        output=ModelOutput(**output),
    )


def decoded(spec: ModelSpec, outputs: Sequence[np.ndarray], *, min_score: float = 0.1) -> Found:
    boxes, scores = decoder_for(spec).decode(outputs, min_score=min_score)
    assert boxes.shape == (len(scores), 4)
    return [(tuple(box.tolist()), float(score)) for box, score in zip(boxes, scores, strict=True)]


def assert_same(found: Found, expected: Found) -> None:
    found, expected = sorted(found, key=lambda one: -one[1]), sorted(expected, key=lambda one: -one[1])
    assert len(found) == len(expected)
    for (box, score), (want_box, want_score) in zip(found, expected, strict=True):
        assert score == pytest.approx(want_score, abs=1e-5)
        assert box == pytest.approx(want_box, rel=1e-4, abs=1e-2)


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


# -- YOLOX


def yolox_reference(
    raw: np.ndarray, strides: Sequence[int], *, person: int, min_score: float, size: tuple[int, int]
) -> Found:
    """Megvii's `demo_postprocess`, one row at a time."""
    found, row = [], 0
    for stride in strides:
        for y in range(size[1] // stride):
            for x in range(size[0] // stride):
                cx, cy, log_w, log_h, objectness, *classes = (float(one) for one in raw[0, row])
                row += 1
                score = objectness * classes[person]
                if score < min_score:
                    continue
                cx, cy = (cx + x) * stride, (cy + y) * stride
                w, h = math.exp(log_w) * stride, math.exp(log_h) * stride
                found.append(((cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2), score))
    assert row == raw.shape[1]
    return found


def yolox_rows(seed: int, *, classes: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rows = sum((WIDTH // stride) * (HEIGHT // stride) for stride in (8, 16, 32))
    raw = rng.uniform(0, 1, (1, rows, 5 + classes))
    raw[..., :2] = rng.normal(0.5, 1, raw[..., :2].shape)
    raw[..., 2:4] = rng.normal(0, 1, raw[..., 2:4].shape)
    return raw.astype(np.float32)


@settings(deadline=None)
@given(seed=SEEDS, person=st.integers(0, 2), min_score=st.floats(0.05, 0.9))
def test_yolox_agrees_with_the_published_post_processing(seed: int, person: int, min_score: float) -> None:
    """Whatever the raw rows, boxes and scores are those of `demo_postprocess`."""
    raw = yolox_rows(seed)
    expected = yolox_reference(raw, (8, 16, 32), person=person, min_score=min_score, size=(WIDTH, HEIGHT))
    spec = spec_of("yolox", person_class=person)
    boxes, scores = decoder_for(spec).decode([raw], min_score=min_score)
    near = [one for one in expected if abs(one[1] - min_score) > 1e-6]
    assert len(near) <= len(scores) <= len(expected) + 1
    if len(scores) == len(expected):
        assert_same([(tuple(box.tolist()), float(s)) for box, s in zip(boxes, scores, strict=True)], expected)


@settings(deadline=None)
@given(seed=SEEDS)
def test_a_decoded_yolox_export_gives_what_the_raw_one_gives(seed: int) -> None:
    """With `--decode_in_inference` the model does the first step itself; the boxes are the same."""
    raw = yolox_rows(seed)
    decoded_rows, row = raw.copy(), 0
    for stride in (8, 16, 32):
        for y in range(HEIGHT // stride):
            for x in range(WIDTH // stride):
                decoded_rows[0, row, 0] = (raw[0, row, 0] + x) * stride
                decoded_rows[0, row, 1] = (raw[0, row, 1] + y) * stride
                decoded_rows[0, row, 2:4] = np.exp(raw[0, row, 2:4]) * stride
                row += 1
    assert_same(decoded(spec_of("yolox", decoded=True), [decoded_rows]), decoded(spec_of("yolox"), [raw]))


def test_yolox_rows_become_boxes_by_cell_and_stride() -> None:
    """Worked by hand: row 12*1+3 is column 3, row 1 of stride 8; row 96 is the first cell of stride 16."""
    raw = np.zeros((1, 96 + 24 + 6, 6), np.float32)
    raw[0, 15] = (0.5, 0.25, np.log(2), np.log(3), 0.8, 0.5)
    raw[0, 96] = (0.5, 0.5, 0.0, 0.0, 1.0, 0.9)
    (first, one), (second, two) = decoded(spec_of("yolox"), [raw])
    assert (one, two) == pytest.approx((0.4, 0.9))
    assert first == pytest.approx([28 - 8, 10 - 12, 28 + 8, 10 + 12])
    assert second == pytest.approx([0, 0, 16, 16])


# -- Query detectors


def query_reference(boxes: np.ndarray, logits: np.ndarray, *, person: int, min_score: float) -> Found:
    """RT-DETR's and RF-DETR's post-processing: a sigmoid for each class, the best pairs of query and class, to corners."""
    queries, classes = logits.shape[1:]
    pairs = [(sigmoid(float(logits[0, q, c])), q, c) for q in range(queries) for c in range(classes)]
    found = []
    for score, query, label in sorted(pairs, reverse=True):
        if label != person or score < min_score:
            continue
        cx, cy, w, h = (float(one) for one in boxes[0, query])
        corners = ((cx - w / 2) * WIDTH, (cy - h / 2) * HEIGHT, (cx + w / 2) * WIDTH, (cy + h / 2) * HEIGHT)
        found.append((corners, score))
    return found


def query_outputs(seed: int, *, queries: int = 20, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    boxes = rng.uniform(0, 1, (1, queries, 4)).astype(np.float32)
    return boxes, rng.normal(-1, 2, (1, queries, classes)).astype(np.float32)


@settings(deadline=None)
@given(seed=SEEDS, person=st.integers(0, 3))
def test_query_logits_agree_with_the_published_post_processing(seed: int, person: int) -> None:
    """Boxes in cx, cy, w, h of the picture and logits become the same people."""
    boxes, logits = query_outputs(seed)
    spec = spec_of("query", person_class=person, activation="sigmoid")
    assert_same(decoded(spec, [boxes, logits]), query_reference(boxes, logits, person=person, min_score=0.1))


@settings(deadline=None)
@given(seed=SEEDS, person=st.integers(0, 3))
def test_query_scores_and_labels_agree_with_the_logits_they_came_from(seed: int, person: int) -> None:
    """An export that post-processes by itself (D-FINE's own) gives the same people as its logits would."""
    boxes, logits = query_outputs(seed)
    pairs = [(sigmoid(float(logits[0, q, c])), q, c) for q in range(20) for c in range(4)]
    best = sorted(pairs, reverse=True)
    scores = np.array([[score for score, _, _ in best]], np.float32)
    labels = np.array([[label for _, _, label in best]], np.float32)
    corners = np.empty((1, len(best), 4), np.float32)
    for index, (_, query, _) in enumerate(best):
        cx, cy, w, h = boxes[0, query]
        corners[0, index] = ((cx - w / 2) * WIDTH, (cy - h / 2) * HEIGHT, (cx + w / 2) * WIDTH, (cy + h / 2) * HEIGHT)
    spec = spec_of("query", person_class=person, boxes="pixel-xyxy")
    expected = query_reference(boxes, logits, person=person, min_score=0.1)
    assert_same(decoded(spec, [corners, scores, labels]), expected)


@settings(deadline=None)
@given(seed=SEEDS)
def test_query_softmax_leaves_room_for_nobody(seed: int) -> None:
    """DETR's own classes end with one for nobody, which takes its share of the softmax."""
    boxes, logits = query_outputs(seed)
    found = dict(decoded(spec_of("query", person_class=1, activation="softmax"), [boxes, logits], min_score=0.0))
    for query in range(20):
        risen = [math.exp(float(one)) for one in logits[0, query]]
        assert any(score == pytest.approx(risen[1] / sum(risen), rel=1e-4) for score in found.values())
    assert len(found) == 20


# -- NanoDet and FastestDet


def nanodet_reference(raw: np.ndarray, spec: ModelSpec, *, min_score: float) -> Found:
    """NanoDet's `get_bboxes`: the mean of each side's softmax, in strides, from the cell's point; clipped to the input."""
    bins, row, found = spec.output.bins, 0, []
    for stride in spec.output.strides:
        for y in range(math.ceil(HEIGHT / stride)):
            for x in range(math.ceil(WIDTH / stride)):
                values = [float(one) for one in raw[0, row]]
                row += 1
                score = values[spec.output.person_class]
                if score < min_score:
                    continue
                sides = []
                for side in range(4):
                    start = len(values) - 4 * bins + side * bins
                    risen = [math.exp(one) for one in values[start : start + bins]]
                    sides.append(sum(i * one for i, one in enumerate(risen)) / sum(risen) * stride)
                px, py = (x + spec.output.cell_offset) * stride, (y + spec.output.cell_offset) * stride
                box = (px - sides[0], py - sides[1], px + sides[2], py + sides[3])
                limits = (WIDTH, HEIGHT, WIDTH, HEIGHT)
                found.append((tuple(min(max(side, 0), limit) for side, limit in zip(box, limits, strict=True)), score))
    assert row == raw.shape[1]
    return found


@pytest.mark.parametrize(
    ("strides", "bins", "offset"), [((8, 16, 32, 64), 8, 0.0), ((8, 16, 32), 8, 0.5), ((8, 16, 32), 11, 0.5)]
)
@settings(deadline=None)
@given(seed=SEEDS)
def test_nanodet_agrees_with_the_published_post_processing(
    strides: tuple[int, ...], bins: int, offset: float, seed: int
) -> None:
    """NanoDet-Plus and the older NanoDet, whatever the raw rows; also where a last cell is only partly in the input."""
    spec = spec_of("nanodet", strides=strides, bins=bins, cell_offset=offset, person_class=1)
    rows = sum(math.ceil(WIDTH / stride) * math.ceil(HEIGHT / stride) for stride in strides)
    rng = np.random.default_rng(seed)
    raw = rng.normal(0, 2, (1, rows, 3 + 4 * bins))
    raw[..., :3] = rng.uniform(0, 1, (1, rows, 3))
    raw = raw.astype(np.float32)
    assert_same(decoded(spec, [raw]), nanodet_reference(raw, spec, min_score=0.1))


def fastestdet_reference(raw: np.ndarray, *, person: int, min_score: float) -> Found:
    """FastestDet's `handle_preds`, one cell at a time."""
    rows, columns = raw.shape[2:]
    found = []
    for y in range(rows):
        for x in range(columns):
            objectness, dx, dy, w, h, *classes = (float(one) for one in raw[0, :, y, x])
            if objectness * classes[person] < min_score:
                continue
            cx, cy = (math.tanh(dx) + x) / columns, (math.tanh(dy) + y) / rows
            half_w, half_h = sigmoid(w) / 2, sigmoid(h) / 2
            box = ((cx - half_w) * WIDTH, (cy - half_h) * HEIGHT, (cx + half_w) * WIDTH, (cy + half_h) * HEIGHT)
            found.append((box, objectness * classes[person]))
    return found


@settings(deadline=None)
@given(seed=SEEDS, person=st.integers(0, 2))
def test_fastestdet_agrees_with_the_published_post_processing(seed: int, person: int) -> None:
    """Whatever the grid, boxes and scores are those of `handle_preds`."""
    rng = np.random.default_rng(seed)
    raw = rng.normal(0, 2, (1, 8, 4, 6))
    raw[:, 0], raw[:, 5:] = rng.uniform(0, 1, (1, 4, 6)), rng.uniform(0, 1, (1, 3, 4, 6))
    raw = raw.astype(np.float32)
    expected = fastestdet_reference(raw, person=person, min_score=0.1)
    assert_same(decoded(spec_of("fastestdet", person_class=person), [raw]), expected)


# -- What all of them refuse or survive


@pytest.mark.parametrize("decoder", sorted(DECODERS))
@pytest.mark.parametrize("shapes", [[], [(1, 7, 6)], [(1, 2, 3, 4, 5)], [(3,)], [(1, 9, 4), (1, 8, 2)], [(1, 4, 2, 2)]])
def test_outputs_of_another_shape_are_refused(decoder: str, shapes: list[tuple[int, ...]]) -> None:
    """A model whose outputs do not fit its manifest is not guessed at."""
    with pytest.raises(ModelRefused, match="does not fit"):
        decoder_for(spec_of(decoder)).decode([np.zeros(shape, np.float32) for shape in shapes], min_score=0.1)


def test_an_unknown_decoder_is_refused_with_the_known_ones() -> None:
    """The remedy names what there is."""
    with pytest.raises(ModelRefused, match="known: fastestdet, nanodet, query, yolox"):
        decoder_for(spec_of("crystal-ball"))


def test_a_broken_models_numbers_harm_nobody() -> None:
    """Not-a-number is no person, and an absurd size does not overflow."""
    raw = np.zeros((1, 126, 6), np.float32)
    raw[0, 0] = (0, 0, 1e30, 1e30, 1, 1)
    raw[0, 1] = (np.nan,) * 6
    raw[0, 2] = (0, 0, 0, 0, np.nan, 1)
    ((box, score),) = decoded(spec_of("yolox"), [raw])
    assert score == 1.0
    assert np.isfinite(box).all()


# -- A whole detector beside the whole reference


def suppressed(found: Found, *, iou: float) -> Found:
    """Greedy suppression, best first, one pair at a time."""
    kept: Found = []
    for box, score in sorted(found, key=lambda one: -one[1]):
        if all(overlap(box, other) <= iou for other, _ in kept):
            kept.append((box, score))
    return kept


def overlap(one: Sequence[float], other: Sequence[float]) -> float:
    w = min(one[2], other[2]) - max(one[0], other[0])
    h = min(one[3], other[3]) - max(one[1], other[1])
    if w <= 0 or h <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return w * h / (sum(areas) - w * h)


def test_the_yardsticks_people_are_those_of_its_reference_post_processing(yardstick: Path, videos: Path) -> None:
    """On real frames: raw output by a bare session, reference decoding and suppression, and the same boxes come out."""
    detector = Detector(load_model("footfall", yardstick))
    session = ort.InferenceSession(str(yardstick / "yolox_nano.onnx"), providers=["CPUExecutionProvider"])
    capture = cv2.VideoCapture(str(videos / "store-aisle.mp4"))
    people = 0
    for _ in range(5):
        picture = np.asarray(capture.read()[1], np.uint8)
        tensor, ratio = Letterbox(detector.input).place(picture)
        raw = session.run(None, {"images": tensor.copy()})[0]
        reference = yolox_reference(raw, (8, 16, 32), person=0, min_score=0.1, size=(416, 416))
        expected = [
            (tuple(min(max(side / ratio, 0), picture.shape[1 - i % 2]) for i, side in enumerate(box)), score)
            for box, score in suppressed(reference, iou=0.5)
        ]
        found = detector.detect(picture)
        boxes = [(tuple(box.tolist()), float(s)) for box, s in zip(found.boxes_xyxy, found.scores, strict=True)]
        assert_same(boxes, expected)
        people += len(found)
    assert people > 0
