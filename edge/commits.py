"""Word of commits for those who wait in this process: the writer's replies, overheard."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from uuid import UUID

from edge.messages import Ack, Device, Receipt, Recommendation
from edge.writer import Replies

__all__ = ["CommitWatch"]


class CommitWatch:
    """Passes every reply on, and tells whoever waits for a message that it is committed. Any thread may use it."""

    def __init__(self, replies: Replies) -> None:
        self._replies = replies
        self._lock = threading.Lock()
        self._waiting: dict[tuple[Device, UUID], list[Future[None]]] = defaultdict(list)

    @contextmanager
    def expect(self, device: Device, message_id: UUID) -> Iterator[Future[None]]:
        """A future that is done once a message of `device` is committed; ask before the writer gets it.

        It may be done by another delivery of the same message: that is the same effect.
        """
        future: Future[None] = Future()
        future.set_running_or_notify_cancel()  # from here on nobody can cancel it under the writer's hands
        with self._lock:
            self._waiting[device, message_id].append(future)
        try:
            yield future
        finally:
            with self._lock:
                waiting = self._waiting[device, message_id]
                waiting.remove(future)
                if not waiting:
                    del self._waiting[device, message_id]

    def acknowledge(self, receipt: Receipt) -> None:
        """PUBACK a delivery."""
        self._replies.acknowledge(receipt)

    def send_ack(self, device: Device, ack: Ack) -> None:
        """Tell a device which of its messages are committed, and whoever waits for one of them."""
        with self._lock:
            done = [one for message_id in ack.message_ids for one in self._waiting.get((device, message_id), [])]
        for future in done:
            if not future.done():
                future.set_result(None)
        self._replies.send_ack(device, ack)

    def send_recommendation(self, device: Device, recommendation: Recommendation) -> None:
        """Answer a mirror."""
        self._replies.send_recommendation(device, recommendation)
