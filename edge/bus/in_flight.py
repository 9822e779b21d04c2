"""What the broker has delivered on this connection and we have not acknowledged: bounded, whatever the broker does.

Mosquitto 2.0.11 does not keep to a receive maximum: with 200 agreed and a slow gateway we saw it send 12,378 of 20,000 waiting
messages ahead. So we stop reading from the socket ourselves; TCP does the rest, and the broker keeps its queue.
"""

from __future__ import annotations

__all__ = ["InFlight"]


class InFlight:
    """Message numbers of one connection, with the size of each, up to a count and a sum of bytes."""

    def __init__(self, *, max_messages: int, max_bytes: int) -> None:
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._sizes: dict[int, int] = {}
        self._bytes = 0

    @property
    def full(self) -> bool:
        """Whether no more should be read before something is acknowledged."""
        return len(self._sizes) >= self._max_messages or self._bytes >= self._max_bytes

    def add(self, mid: int, *, size: int) -> None:
        """Message `mid` of `size` bytes was delivered; one that is delivered again counts once."""
        self.remove(mid)
        self._sizes[mid] = size
        self._bytes += size

    def remove(self, mid: int) -> bool:
        """Message `mid` is done with; False when it was not in flight, so that nothing is acknowledged twice."""
        size = self._sizes.pop(mid, None)
        self._bytes -= size or 0
        return size is not None

    def clear(self) -> None:
        """The connection is gone; the broker will deliver again what is in flight."""
        self._sizes.clear()
        self._bytes = 0
