"""How far an erasure has come: erased here, on its way to headquarters, there, destroyed there too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

__all__ = ["ErasureProgress", "FollowErasure"]

ErasureProgress = Literal["here", "queued", "delivered", "destroyed"]
"""`here`: destroyed on this box; `queued`: waits for the line to headquarters; `delivered`: headquarters has the order;
`destroyed`: its signed receipt has come back."""

FollowErasure = Callable[[int], ErasureProgress]
"""Takes the ledger's sequence number of an erasure."""
