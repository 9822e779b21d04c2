"""What really happened in a simulated shop, to hold the gateway's figures against."""

from __future__ import annotations

import json
import os
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, assert_never

from edge.errors import StorageError
from edge.messages import CameraDetections, KioskFeedback, MirrorMeasurement, MirrorSilhouette, PosTransaction
from edge.simulate.wire import Spoken

__all__ = ["SaidTruth", "write_truth"]

_NO_SALES = {"sales": 0, "returns": 0, "voids": 0, "units": 0, "total_minor": 0, "tax_minor": 0}


@dataclass(slots=True)
class SaidTruth:
    """Sums over what tills, mirrors and kiosks have said; any thread may add."""

    sales: dict[str, dict[str, int]] = field(default_factory=dict)
    """By currency. What came back (returns, voids) is taken off `units`, `total_minor` and `tax_minor`."""
    training: int = 0
    mood: Counter[int] = field(default_factory=Counter)
    words: int = 0
    sizes_asked: Counter[str] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def add(self, message: Spoken) -> None:
        """Count one message that its device has taken."""
        with self._lock:
            match message:
                case PosTransaction():
                    self._add_transaction(message)
                case KioskFeedback(mood=mood, words=words):
                    self.mood.update([] if mood is None else [mood])
                    self.words += words is not None
                case MirrorMeasurement(garment=garment) | MirrorSilhouette(garment=garment):
                    self.sizes_asked.update([] if garment is None else [garment])
                case CameraDetections():
                    pass
                case _:
                    assert_never(message)

    def _add_transaction(self, transaction: PosTransaction) -> None:
        if transaction.training:
            self.training += 1
            return
        sums = self.sales.setdefault(transaction.currency, dict(_NO_SALES))
        sign = 1 if transaction.kind == "sale" else -1
        sums[f"{transaction.kind}s"] += 1
        sums["units"] += sign * sum(line.quantity for line in transaction.lines)
        sums["total_minor"] += sign * transaction.total_minor
        sums["tax_minor"] += sign * transaction.tax_minor

    def as_dict(self) -> dict[str, Any]:
        """The sums, ready for JSON."""
        with self._lock:
            return {
                "sales": {currency: dict(sums) for currency, sums in sorted(self.sales.items())},
                "training": self.training,
                "mood": {str(level): self.mood[level] for level in sorted(self.mood)},
                "words": self.words,
                "sizes_asked": dict(sorted(self.sizes_asked.items())),
            }


def write_truth(path: Path, truth: dict[str, Any]) -> None:
    """Write `truth` as JSON, whole or not at all: a reader never sees half of it.

    Raises:
        StorageError: the file cannot be written there.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(truth, indent=2, ensure_ascii=False) + "\n", "utf-8")
        beside.replace(path)
    except OSError as error:
        raise StorageError("write truth", str(path), f"name a file in a writable folder ({error.strerror})") from error
    finally:
        with suppress(OSError):  # it is gone already, or was never there
            beside.unlink()
