"""What each image bomb costs before it is refused: milliseconds in the guard, and how much memory has grown by the end.

python benchmarks/bombs.py
"""

from __future__ import annotations

import json
import resource
import struct
import sys
from collections.abc import Iterator
from statistics import median
from time import perf_counter

import cv2
import numpy as np

from edge.camera.guard import FrameLimits, inspect_jpeg
from edge.errors import MessageRejected

LIMIT_MS = 5.0
END = b"\xff\xd9"


def segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def header(width: int, height: int, *, marker: int = 0xC0) -> bytes:
    parts = b"".join(bytes((component, 0x11, 0)) for component in (1, 2, 3))
    return segment(marker, struct.pack(">BHHB", 8, height, width, 3) + parts)


SCAN = segment(0xDA, bytes((3, 1, 0, 2, 0, 3, 0, 0, 63, 0)))


def picture(name: str) -> bytes:
    """A real photograph-like frame of 1280 x 720, as `name` encodes it."""
    small = np.random.default_rng(0).integers(0, 255, (90, 160, 3), np.uint8)
    return bytes(cv2.imencode(name, cv2.resize(small, (1280, 720)))[1])


def bombs() -> Iterator[tuple[str, bytes]]:
    """Every bomb as large as a message may be, so that whatever is read of it is read at its worst."""
    most = FrameLimits().max_bytes
    jpeg, soi = picture(".jpg"), b"\xff\xd8"
    yield "65535 x 65535 pixels in 631 bytes", soi + header(65535, 65535) + SCAN + bytes(577) + END
    yield "4000 x 2900 pixels in 600 bytes", soi + header(4000, 2900) + SCAN + bytes(540) + END
    yield "10,000 progressive scans", soi + header(320, 240, marker=0xC2) + (SCAN + bytes(20)) * 10_000 + END
    yield "10,000 scans of 150 bytes", soi + header(320, 240, marker=0xC2) + (SCAN + bytes(150)) * 10_000 + END
    yield "truncated in its data", jpeg[: len(jpeg) // 2]
    yield "truncated before its end marker", jpeg[:-2]
    yield "2 MB of data without an end", soi + header(640, 480) + SCAN + bytes(most - 60)
    yield "20,000 APPn segments", soi + segment(0xE1, b"xx") * 20_000 + jpeg[2:]
    yield "30 APPn segments of 64 KB", (soi + segment(0xE1, bytes(65_533)) * 30)[:most]
    yield "20,000 comments", soi + segment(0xFE, b"{}") * 20_000 + jpeg[2:]
    yield "500,000 lone restart markers", soi + b"\xff\xd0" * 500_000 + jpeg[2:]
    yield "fill bytes before a marker", soi + b"\xff" * 1_000_000 + jpeg[2:]
    yield "fill bytes in the data", soi + header(640, 480) + SCAN + b"\xff" * (most - 60)
    yield "stuffed zeros in the data", soi + header(640, 480) + SCAN + b"\xff\x00" * ((most - 60) // 2)
    yield "restarts in the data", soi + header(640, 480) + SCAN + b"\xff\xd3" * ((most - 60) // 2)
    yield "PNG named JPEG", picture(".png")
    yield "GIF named JPEG", b"GIF89a" + bytes(most - 6)
    yield "larger than a message may be", soi + b"\xff\xe0" + bytes(10 * most)


def refusal(bomb: bytes) -> tuple[str, float]:
    """Why `bomb` is refused, and the median time that takes."""
    spent, reason = [], "NOT REFUSED"
    for _ in range(9):
        started = perf_counter()
        try:
            inspect_jpeg(bomb, limits=FrameLimits())
        except MessageRejected as error:
            reason = error.reason
        spent.append(1e3 * (perf_counter() - started))
    return reason, median(spent)


def main() -> None:
    pack = list(bombs())
    for _, bomb in pack:
        refusal(bomb)
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = {name: refusal(bomb) for name, bomb in pack}
    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb
    worst_ms = max(ms for _, ms in found.values())
    report = {
        "bombs": {name: {"reason": reason, "ms": round(ms, 3)} for name, (reason, ms) in found.items()},
        "worst_ms": round(worst_ms, 3),
        "limit_ms": LIMIT_MS,
        "grown_kb": grown_kb,
        "all_refused": all(reason != "NOT REFUSED" for reason, _ in found.values()) and worst_ms < LIMIT_MS,
    }
    json.dump(report, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
