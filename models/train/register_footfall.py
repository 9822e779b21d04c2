"""Write the detector's entry in `models/manifest.toml`: checksum, thresholds, what was measured.

Run from the repository's root, after training: `python -m models.train.register_footfall`.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from models.train.evaluate_footfall import Detector, average_precision, measure_coco, measure_speed_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["entry", "main", "with_entry"]

_OURS = re.compile(r"^\[models\.footfall[\].]")
_HEADER = re.compile(r"^\[")
_COMMAND = "python -m models.train.evaluate_footfall --speed --images-root ../shared/data/footfall/licensed/val"


def entry(*, sha256: str, score_threshold: float, ap50: float, ms_per_picture: float) -> str:
    """The manifest's tables for the detector, as TOML."""
    return f"""[models.footfall]
file = "footfall.onnx"
sha256 = "{sha256}"
task = "person-detection"
decoder = "yolox"
licence = "Apache-2.0"
card = "cards/footfall.md"
score_threshold = {score_threshold:.2f}
iou_threshold = 0.5

[models.footfall.input]
width = 320
height = 256
colour = "bgr"
pad = 114

[models.footfall.output]
strides = [8, 16, 32]
person_class = 0

[models.footfall.measured]
ap50_licensed_val = {ap50:.3f}
ms_per_picture = {ms_per_picture:.1f}
command = "{_COMMAND}"
"""


def with_entry(manifest: str, ours: str) -> str:
    """The manifest with its `models.footfall` tables replaced, everything else left as it is."""
    kept: list[str] = []
    skipping = False
    for line in manifest.splitlines():
        if _HEADER.match(line):
            skipping = _OURS.match(line) is not None
        if not skipping:
            kept.append(line)
    others = "\n".join(kept).strip()
    return f"{others}\n\n{ours}" if others else ours


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the model and write its entry."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("models/footfall.onnx"))
    parser.add_argument("--manifest", type=Path, default=Path("models/manifest.toml"))
    parser.add_argument("--images-root", type=Path, default=Path("../shared/data/footfall/licensed/val"))
    parser.add_argument("--score-threshold", type=float, default=0.35)
    given = parser.parse_args(arguments)
    detector = Detector(given.model)
    ours = entry(
        sha256=hashlib.sha256(given.model.read_bytes()).hexdigest(),
        score_threshold=given.score_threshold,
        ap50=average_precision(measure_coco(detector, given.images_root)["all"]),
        ms_per_picture=measure_speed_ms(detector)[0],
    )
    before = given.manifest.read_text(encoding="utf-8") if given.manifest.exists() else ""
    after = with_entry(before, ours)
    tomllib.loads(after)
    given.manifest.write_text(after, encoding="utf-8")
    print(ours)


if __name__ == "__main__":
    main()
