from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.camera.guard import FrameLimits, JpegHeader, _Walk, frame_stamp, inspect_jpeg, stamp_jpeg
from edge.errors import MessageRejected

LIMITS = FrameLimits()
ID = UUID("9f6d2c52-4b6c-4f57-9d55-2f5d4a1c0a11")
NOW = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
REASONS = {
    "empty",
    "too-large",
    "not-jpeg",
    "truncated",
    "too-many-segments",
    "too-many-pixels",
    "too-many-scans",
    "several-pictures",
    "odd-coding",
    "odd-sampling",
}


def segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def frame_header(width: int, height: int, *, marker: int = 0xC0, sampling: int = 0x11, components: int = 3) -> bytes:
    parts = b"".join(bytes((i + 1, sampling, 0)) for i in range(components))
    return segment(marker, struct.pack(">BHHB", 8, height, width, components) + parts)


SCAN = segment(0xDA, bytes((3, 1, 0, 2, 0, 3, 0, 0, 63, 0)))
END = b"\xff\xd9"


def jpeg_of(*parts: bytes) -> bytes:
    return b"".join((b"\xff\xd8", *parts))


def verdict(jpeg: bytes) -> JpegHeader | str:
    """The header, or the reason of the refusal; nothing else may come out."""
    try:
        return inspect_jpeg(jpeg, limits=LIMITS)
    except MessageRejected as refusal:
        return refusal.reason


def reason(jpeg: bytes, limits: FrameLimits = LIMITS) -> str:
    with pytest.raises(MessageRejected) as refusal:
        inspect_jpeg(jpeg, limits=limits)
    assert refusal.value.reason in REASONS
    return refusal.value.reason


@pytest.mark.parametrize(("width", "height"), [(1, 1), (320, 240), (1281, 719), (3840, 2160)])
@pytest.mark.parametrize("progressive", [0, 1])
def test_a_real_jpeg_passes_with_its_own_size(
    encode: Callable[..., bytes], width: int, height: int, progressive: int
) -> None:
    """What OpenCV writes is let in, baseline and progressive, and the size read is the size decoded."""
    jpeg = encode(width, height, cv2.IMWRITE_JPEG_PROGRESSIVE, progressive, cv2.IMWRITE_JPEG_RST_INTERVAL, 4)
    header = inspect_jpeg(jpeg, limits=LIMITS)
    decoded = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    assert (header.height, header.width) == decoded.shape[:2]
    assert header.progressive is bool(progressive)


def test_a_picture_of_65535_squared_costs_nothing() -> None:
    """The dimensions are refused from the header alone: no memory is taken for what they claim."""
    bomb = jpeg_of(frame_header(65535, 65535), SCAN, bytes(600), END)
    tracemalloc.start()
    try:
        assert reason(bomb) == "too-many-pixels"
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


def test_more_pixels_than_the_bytes_can_hold_are_refused() -> None:
    """A small JPEG that claims a large allowed picture would cost a full decode of nothing."""
    assert reason(jpeg_of(frame_header(4000, 2900), SCAN, bytes(600), END)) == "truncated"


def test_ten_thousand_scans_are_refused() -> None:
    """Each scan of a progressive picture costs a pass over it."""
    bomb = jpeg_of(frame_header(320, 240, marker=0xC2), *[SCAN + bytes(20)] * 10_000, END)
    assert reason(bomb) == "too-many-scans"


def test_scans_of_a_large_picture_are_bounded_by_their_work() -> None:
    """Fifty scans of a small picture are harmless, fifty of the largest are not."""
    filler = bytes(60_000)
    small = jpeg_of(frame_header(640, 480, marker=0xC2), *[SCAN + bytes(500)] * 50, END)
    large = jpeg_of(frame_header(4000, 3000, marker=0xC2), *[SCAN + filler] * 30, END)
    assert inspect_jpeg(small, limits=LIMITS).progressive
    assert reason(large) == "too-many-scans"


@pytest.mark.parametrize("marker", [0xE0, 0xEF, 0xFE, 0xDB, 0xC4])
def test_a_flood_of_segments_is_refused(encode: Callable[..., bytes], marker: int) -> None:
    """Thousands of APPn, comments or tables are not a picture."""
    jpeg = encode(64, 48)
    assert reason(jpeg[:2] + segment(marker, b"xx") * 20_000 + jpeg[2:]) == "too-many-segments"


def test_a_flood_of_lone_markers_is_refused(encode: Callable[..., bytes]) -> None:
    """Markers without a body count as well."""
    jpeg = encode(64, 48)
    assert reason(jpeg[:2] + b"\xff\xd0" * 500_000 + jpeg[2:]) == "too-many-segments"


def test_fill_bytes_are_skipped_within_reason(encode: Callable[..., bytes]) -> None:
    """0xFF may be repeated before a marker; a megabyte of it is no picture."""
    jpeg = encode(64, 48)
    assert inspect_jpeg(jpeg[:2] + b"\xff" * 100 + jpeg[2:], limits=LIMITS).width == 64
    assert reason(jpeg[:2] + b"\xff" * 1_000_000 + jpeg[2:]) == "truncated"


@pytest.mark.parametrize(
    ("jpeg", "expected"),
    [
        (b"", "empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "not-jpeg"),
        (b"GIF89a", "not-jpeg"),
        (b"\xff\xd8\xff", "truncated"),
        (jpeg_of(END), "truncated"),
        (jpeg_of(frame_header(64, 48), END), "truncated"),
        (jpeg_of(SCAN, bytes(99), END), "truncated"),
        (jpeg_of(frame_header(64, 48), SCAN, bytes(99)), "truncated"),
        (jpeg_of(segment(0xE0, bytes(9))[:-4]), "truncated"),
        (jpeg_of(b"\xff\xe0\x00\x01", frame_header(64, 48)), "truncated"),
        (jpeg_of(frame_header(64, 48), frame_header(64, 48), SCAN, bytes(99), END), "several-pictures"),
        (jpeg_of(frame_header(64, 48, marker=0xC9), SCAN, bytes(99), END), "odd-coding"),
        (jpeg_of(frame_header(64, 48, marker=0xC3), SCAN, bytes(99), END), "odd-coding"),
        (jpeg_of(frame_header(0, 48), SCAN, bytes(99), END), "odd-coding"),
        (jpeg_of(frame_header(64, 0), SCAN, bytes(99), END), "odd-coding"),
        (jpeg_of(frame_header(64, 48, components=4), SCAN, bytes(99), END), "odd-coding"),
        (jpeg_of(frame_header(64, 48, sampling=0x51), SCAN, bytes(99), END), "odd-sampling"),
        (jpeg_of(frame_header(64, 48, sampling=0x10), SCAN, bytes(99), END), "odd-sampling"),
        (jpeg_of(b"\x00\x01"), "not-jpeg"),
    ],
)
def test_what_no_camera_sends_is_refused_by_a_fixed_word(jpeg: bytes, expected: str) -> None:
    """Each refusal has a reason from a short fixed list."""
    assert reason(jpeg) == expected


def test_a_frame_over_the_byte_limit_is_refused(encode: Callable[..., bytes]) -> None:
    """The size is looked at before the content."""
    jpeg = encode(320, 240)
    assert reason(jpeg, FrameLimits(max_bytes=len(jpeg) - 1)) == "too-large"


def test_every_truncation_of_a_real_jpeg_is_refused(encode: Callable[..., bytes]) -> None:
    """A picture that lost its end on the way is never decoded."""
    jpeg = encode(64, 48)
    assert all(reason(jpeg[:length]) for length in range(len(jpeg) - 1))


@given(st.binary(max_size=400))
def test_arbitrary_bytes_are_only_ever_rejected(junk: bytes) -> None:
    """Whatever arrives, nothing but `MessageRejected` escapes."""
    for jpeg in (junk, b"\xff\xd8" + junk, b"\xff\xd8\xff" + junk):
        found = verdict(jpeg)
        assert found in REASONS or isinstance(found, JpegHeader)


@given(st.data())
def test_a_damaged_jpeg_is_read_or_rejected(encode: Callable[..., bytes], data: st.DataObject) -> None:
    """Any few bytes of a real JPEG changed: a header within the limits, or `MessageRejected`."""
    jpeg = bytearray(encode(64, 48))
    for _ in range(data.draw(st.integers(1, 6))):
        jpeg[data.draw(st.integers(0, len(jpeg) - 1))] = data.draw(st.integers(0, 255))
    found = verdict(bytes(jpeg))
    if isinstance(found, JpegHeader):
        assert 0 < found.width * found.height <= LIMITS.max_pixels
        frame_stamp(found)
    else:
        assert found in REASONS


def test_a_stamp_survives_the_way_and_the_picture_too(encode: Callable[..., bytes]) -> None:
    """A stamped JPEG decodes to the same pixels and says when it was taken."""
    jpeg = encode(320, 240)
    stamped = stamp_jpeg(jpeg, captured_at=NOW, message_id=ID)
    assert frame_stamp(inspect_jpeg(stamped, limits=LIMITS)) == NOW
    before, after = (cv2.imdecode(np.frombuffer(one, np.uint8), cv2.IMREAD_COLOR) for one in (jpeg, stamped))
    assert before is not None
    assert after is not None
    assert np.array_equal(before, after)


def test_an_unstamped_jpeg_has_no_time(encode: Callable[..., bytes]) -> None:
    """No comment, no time."""
    assert frame_stamp(inspect_jpeg(encode(64, 48), limits=LIMITS)) is None


@pytest.mark.parametrize(
    "comment",
    [
        b"",
        b"made by a camera",
        b"[]",
        b"{}",
        b"null",
        b'{"captured_at": 5}',
        b'{"captured_at": "yesterday"}',
        b'{"captured_at": "2026-03-01T12:00:00"}',
        b"[" * 500,
        b'{"captured_at": "2026-03-01T12:00:00Z"}' + b" " * 600,
        b"\xff\xfe{}",
    ],
)
def test_a_comment_that_is_no_stamp_is_no_time(comment: bytes) -> None:
    """Other people's comments are not an error."""
    assert frame_stamp(JpegHeader(1, 1, progressive=False, comment=comment)) is None


@given(st.binary(max_size=300) | st.text(max_size=80).map(lambda text: text.encode()))
def test_no_comment_breaks_the_stamp(comment: bytes) -> None:
    """`frame_stamp` takes any comment without an exception."""
    frame_stamp(JpegHeader(1, 1, progressive=False, comment=comment))


@pytest.mark.parametrize("flood", [b"\xff", b"\xff\x00", b"\xff\xd3", b"\x00", b"\xff\xff\x00"])
def test_a_flood_in_the_data_is_gone_through_to_its_end(flood: bytes) -> None:
    """Two megabytes of half-markers: without an end they are refused, with one it is found, wherever it lies."""
    head = jpeg_of(frame_header(64, 48), SCAN)
    body = flood * ((LIMITS.max_bytes - len(head) - 2) // len(flood))
    assert reason(head + body) == "truncated"
    assert inspect_jpeg(head + body + END, limits=LIMITS).width == 64
    for cut in (900, 1000, 32_767, 32_768, 65_535, 65_536, 65_537):
        assert inspect_jpeg(head + flood * cut + END, limits=LIMITS).width == 64


@given(st.lists(st.sampled_from([b"\xff\x00", b"\xff\xd0", b"\xff\xff", b"\x01", b"\xd9"]), max_size=60), st.booleans())
def test_both_ways_to_search_agree(pieces: list[bytes], ended: bool) -> None:
    """By pattern or all bytes at once: the same end of the data, or none."""
    data = b"".join(pieces) + (END if ended else b"")
    walk = _Walk(data, LIMITS)
    assert walk._end_of_data(0, len(data)) == walk._search(0, len(data))


def test_a_flood_spread_over_many_scans_is_gone_through_as_well() -> None:
    """What the pattern may look at is bounded for all scans together; what is left is found all the same."""
    flood = b"\xff\x00" * 8192
    jpeg = jpeg_of(frame_header(64, 48, marker=0xC2), *[SCAN + flood] * 40, END)
    walk = _Walk(jpeg, LIMITS)
    assert walk.header() == JpegHeader(64, 48, progressive=True)
    assert walk._matched_bytes == 0
