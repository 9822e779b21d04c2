"""What a JPEG claims to be, read from its markers before anything is decoded.

A 631-byte JPEG that claims 30,000 x 30,000 cost OpenCV 25 seconds and 5 GB; here it costs a few microseconds.
Markers: ITU-T T.81, annex B.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn
from uuid import UUID

import numpy as np

from edge.errors import MessageRejected

__all__ = ["FrameLimits", "JpegHeader", "frame_stamp", "inspect_jpeg", "stamp_jpeg"]

_SOI, _EOI, _SOS, _DNL, _DHP, _EXP, _COM = 0xD8, 0xD9, 0xDA, 0xDC, 0xDE, 0xDF, 0xFE
_SOF_BASELINE, _SOF_EXTENDED, _SOF_PROGRESSIVE = 0xC0, 0xC1, 0xC2
_SOF_OTHER = frozenset({0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_RST0, _RST7 = 0xD0, 0xD7
_STANDALONE = frozenset({0x01, *range(_RST0, _RST7 + 1)})
_SKIPPED = frozenset({0xC4, 0xDB, 0xDD, *range(0xE0, 0xF0)})
"""Tables and APPn: of no interest here beyond their length."""
_DATA_END = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""A 0xFF before neither a stuffed zero nor a restart nor a fill byte."""
_ONE = np.uint8(1)
_MAX_STAMP_BYTES = 512
_MAX_FILL_BYTES = 4096
_SEGMENTS_A_SCAN = 8
"""Huffman tables and the like may come before each scan."""

_MATCHED_BYTES = 65_536
"""So much of a JPEG is searched by pattern: quickest where 0xFF is rare, and too little to hurt where there is nothing else."""
_SEARCHED_BYTES = 32_768
"""A search looks at so many bytes at once: few enough for the processor's cache."""


@dataclass(frozen=True, slots=True)
class FrameLimits:
    """What a camera may send."""

    max_bytes: int = 2_000_000
    max_pixels: int = 12_000_000
    max_side: int = 8192
    max_segments: int = 64
    """Segments before the picture's data, APPn and comments among them; a real camera writes about ten."""
    max_scans: int = 100
    max_scan_pixels: int = 150_000_000
    """Every scan of a progressive picture visits every pixel: so many pixels times scans are still cheap."""


@dataclass(frozen=True, slots=True)
class JpegHeader:
    """What the markers say. `comment` is the first COM segment."""

    width: int
    height: int
    progressive: bool
    comment: bytes | None = None


def inspect_jpeg(jpeg: bytes, *, limits: FrameLimits) -> JpegHeader:
    """Read the markers of `jpeg` without decoding it.

    Raises:
        MessageRejected: it is no JPEG, incomplete, outside `limits`, or of a kind no camera sends. The reason is one
            of: empty, too-large, not-jpeg, truncated, too-many-segments, too-many-pixels, too-many-scans,
            several-pictures, odd-coding, odd-sampling.
    """
    if not jpeg:
        _refuse("empty", "a frame without bytes")
    if len(jpeg) > limits.max_bytes:
        _refuse("too-large", f"a frame of {len(jpeg)} bytes, allowed are {limits.max_bytes}")
    if jpeg[:3] != b"\xff\xd8\xff":
        _refuse("not-jpeg", "a frame that does not begin as a JPEG")
    return _Walk(jpeg, limits).header()


def frame_stamp(header: JpegHeader) -> datetime | None:
    """When the picture was taken, by the comment our reference camera writes; None where it says nothing sensible.

    Plain MQTT 3.1.1 has no properties, so the time of a raw frame travels inside the JPEG.
    """
    if header.comment is None or len(header.comment) > _MAX_STAMP_BYTES:
        return None
    try:
        stamp = json.loads(header.comment)
        moment = datetime.fromisoformat(stamp["captured_at"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return moment if moment.tzinfo is not None else None


def stamp_jpeg(jpeg: bytes, *, captured_at: datetime, message_id: UUID) -> bytes:
    """`jpeg` with a comment, right after its beginning, that says when it was taken and which message it is."""
    stamp = {"captured_at": captured_at.isoformat(), "message_id": str(message_id)}
    comment = json.dumps(stamp, separators=(",", ":")).encode()
    return b"".join((jpeg[:2], b"\xff\xfe", (len(comment) + 2).to_bytes(2, "big"), comment, jpeg[2:]))


class _Walk:
    """One pass over the markers. Between scans it jumps by length, within a scan it searches."""

    def __init__(self, jpeg: bytes, limits: FrameLimits) -> None:
        self._jpeg, self._limits = jpeg, limits
        self._at = 2
        self._frame: bytes | None = None
        self._frame_marker = 0
        self._comment: bytes | None = None
        self._matched_bytes = _MATCHED_BYTES
        self._segments = self._scans = 0
        self._pixels = 0

    def header(self) -> JpegHeader:
        while (marker := self._marker()) != _EOI:
            self._segments += 1
            if self._segments > self._limits.max_segments:
                self._check_segments()
            if marker in _SKIPPED:
                self._at = self._end_of_segment()
            elif marker not in _STANDALONE:
                self._segment(marker)
        if self._frame is None or not self._scans:
            _refuse("truncated", "a JPEG without a picture in it")
        height, width = _size(self._frame)
        return JpegHeader(width, height, self._frame_marker == _SOF_PROGRESSIVE, self._comment)

    def _marker(self) -> int:
        jpeg, at = self._jpeg, self._at
        if at < len(jpeg) and jpeg[at] != 0xFF:
            _refuse("not-jpeg", "a JPEG whose markers do not follow each other")
        if at + 1 < len(jpeg) and jpeg[at + 1] == 0xFF:
            at = self._past_fill(at)
        if at + 1 >= len(jpeg):
            _refuse("truncated", "a JPEG that ends before its end marker")
        self._at = at + 2
        return jpeg[at + 1]

    def _past_fill(self, at: int) -> int:
        found = self._end_of_data(at, min(at + _MAX_FILL_BYTES, len(self._jpeg)))
        if found is None:
            _refuse("truncated", "a JPEG of fill bytes")
        return found

    def _check_segments(self) -> None:
        allowed = self._limits.max_segments + self._scans * _SEGMENTS_A_SCAN
        if self._segments > allowed:
            _refuse("too-many-segments", f"a JPEG of more than {allowed} segments")

    def _segment(self, marker: int) -> None:
        if marker in (0x00, _SOI, 0xFF):
            _refuse("not-jpeg", "a JPEG with a marker where none can be")
        body = self._body()
        if marker == _COM and self._comment is None:
            self._comment = body
        elif marker in (_SOF_BASELINE, _SOF_EXTENDED, _SOF_PROGRESSIVE):
            self._begin_frame(marker, body)
        elif marker in _SOF_OTHER or marker in (_DNL, _DHP, _EXP):
            _refuse("odd-coding", "a JPEG coded in a way that no camera uses")
        elif marker == _SOS:
            self._scan()

    def _body(self) -> bytes:
        begin, self._at = self._at + 2, self._end_of_segment()
        return self._jpeg[begin : self._at]

    def _end_of_segment(self) -> int:
        end = self._at + int.from_bytes(self._jpeg[self._at : self._at + 2], "big")
        if end < self._at + 2 or end > len(self._jpeg):
            _refuse("truncated", "a JPEG segment that is longer than the JPEG")
        return end

    def _begin_frame(self, marker: int, body: bytes) -> None:
        if self._frame is not None:
            _refuse("several-pictures", "a JPEG of more than one picture")
        blocks = _blocks(body)
        height, width = _size(body)
        if max(width, height) > self._limits.max_side or width * height > self._limits.max_pixels:
            _refuse("too-many-pixels", f"a frame of {width} x {height} pixels")
        # Each block takes a bit at the very least: what claims more is a bomb, or the end is missing.
        if blocks > 8 * len(self._jpeg):
            _refuse("truncated", f"a frame of {width} x {height} pixels in {len(self._jpeg)} bytes")
        self._frame, self._frame_marker, self._pixels = body, marker, width * height

    def _scan(self) -> None:
        self._scans += 1
        limits = self._limits
        if self._frame is None:
            _refuse("truncated", "a JPEG whose data comes before its frame header")
        if self._scans > limits.max_scans or self._scans * self._pixels > max(
            limits.max_scan_pixels, limits.max_pixels
        ):
            _refuse("too-many-scans", f"a JPEG of more than {self._scans - 1} scans at its size")
        found = self._end_of_data(self._at, len(self._jpeg))
        if found is None:
            _refuse("truncated", "a JPEG that ends before its end marker")
        self._at = found

    def _end_of_data(self, begin: int, end: int) -> int | None:
        """Where entropy-coded data ends: at the first 0xFF before neither a stuffed zero nor a restart nor a fill byte.

        A picture has few 0xFF, which a pattern passes at once. A flood of them is searched at the cost of any other bytes.
        """
        stop = min(begin + self._matched_bytes, end)
        found = _DATA_END.search(self._jpeg, begin, stop)
        if found is not None:
            self._matched_bytes -= found.start() - begin
            return found.start()
        self._matched_bytes -= stop - begin
        return self._search(max(begin, stop - 1), end)

    def _search(self, begin: int, end: int) -> int | None:
        """The same for any bytes: a few steps for each, whatever it is, so that none costs more than another."""
        data = np.frombuffer(self._jpeg, np.uint8)
        for start in range(begin, end - 1, _SEARCHED_BYTES):
            stop = min(start + _SEARCHED_BYTES, end - 1)
            after = data[start + 1 : stop + 1] - _ONE  # a zero becomes 255 and falls out with the fill bytes
            ends = (after < _RST0 - 1) | (after >= _RST7)
            ends &= (data[start:stop] == 0xFF) & (after < 0xFE)
            first = int(ends.argmax())
            if ends[first]:
                return start + first
        return None


def _size(frame: bytes) -> tuple[int, int]:
    return int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big")


def _blocks(frame: bytes) -> int:
    """How many 8 x 8 blocks the frame header announces, once it is known to be one that cameras write."""
    if len(frame) < 9 or len(frame) != 6 + 3 * frame[5]:
        _refuse("truncated", "a JPEG frame header of the wrong length")
    height, width = _size(frame)
    if not width or not height:
        _refuse("odd-coding", "a JPEG that does not say its size")
    if frame[0] != 8 or frame[5] not in (1, 3):
        _refuse("odd-coding", "a JPEG that is not grey or colour of 8 bits")
    sampling = [(frame[at] >> 4, frame[at] & 15) for at in range(7, len(frame), 3)]
    if any(not (1 <= across <= 4 and 1 <= down <= 4) for across, down in sampling):
        _refuse("odd-sampling", "a JPEG with impossible sampling factors")
    across, down = max(s[0] for s in sampling), max(s[1] for s in sampling)
    units = -(-width // (8 * across)) * -(-height // (8 * down))
    return units * sum(a * d for a, d in sampling)


def _refuse(reason: str, detail: str) -> NoReturn:
    raise MessageRejected(reason, detail)
