"""The writer: the one thread that touches `store.db`, and only afterwards acknowledges.

Outcomes that wait together are committed together: one fsync carries many messages. After the commit, and never before, the
broker gets its PUBACK and the device its `ack` by name.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import structlog

from edge.camera.health import COMPLAINTS, Complaint
from edge.clock import Clock, epoch_s
from edge.closing import Closing
from edge.facts import Fact
from edge.messages import Ack, Device, Receipt, Recommendation
from edge.outbox.events import CameraHealth, DeviceHealth
from edge.outbox.position import acknowledged_sequence
from edge.outbox.table import Outbox
from edge.outcome import Outcome
from edge.privacy.round import ReleaseRound
from edge.settings import Settings
from edge.storage.store import Store, StoreTransaction
from edge.windows import fold

__all__ = ["Replies", "Writer"]

log = structlog.get_logger(__name__)

_BATCH = 500
_QUEUE = 20_000
_TICK_S = 0.5
_RETRY_S = 1.0
_LATENCIES_KEPT = 2000
_SEEN_AGAIN = timedelta(seconds=5)
_PRUNE_EVERY = timedelta(minutes=1)
_KEEP_WINDOWS = timedelta(days=35)
_KEEP_MESSAGE_IDS = timedelta(days=31)


class Replies(Protocol):
    """The way back to devices and broker."""

    def acknowledge(self, receipt: Receipt) -> None:
        """PUBACK a delivery."""

    def send_ack(self, device: Device, ack: Ack) -> None:
        """Tell a device which of its messages are committed."""

    def send_recommendation(self, device: Device, recommendation: Recommendation) -> None:
        """Answer a mirror."""


class Writer:
    """Commits outcomes in the order they came, releases closed windows, prunes what is done."""

    def __init__(
        self,
        settings: Settings,
        *,
        store: Store,
        replies: Replies,
        release_round: ReleaseRound,
        outbox: Outbox,
        connected: Callable[[], bool],
        clock: Clock,
        follow: Callable[[StoreTransaction, datetime], list[Fact]] = lambda *_: [],
    ) -> None:
        """`connected` says whether the broker hears us; it stands in the figures that the dashboard shows.

        `follow` lets what the consent registry has written since have its effect.
        """
        self._settings = settings
        self._store = store
        self._replies = replies
        self._round = release_round
        self._outbox = outbox
        self._closing = Closing(settings)
        self._connected = connected
        self._clock = clock
        self._follow = follow
        self._queue: queue.Queue[Outcome] = queue.Queue(_QUEUE)
        self._counts: Counter[str] = Counter()
        self._counts_lock = threading.Lock()
        self._gauges: dict[str, float] = {}
        self._latencies_ms: deque[float] = deque(maxlen=_LATENCIES_KEPT)
        self._last_seen: dict[Device, datetime] = {}
        self._pruned_at: datetime | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="writer")

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Commit what waits, then end."""
        self._stopping.set()
        self._thread.join()

    def put(self, outcome: Outcome) -> bool:
        """Queue an outcome; False (and counted) when the queue is full. What was not taken is not acknowledged either."""
        try:
            self._queue.put_nowait(outcome)
        except queue.Full:
            self.count("overflow")
            return False
        return True

    def count(self, name: str, amount: int = 1) -> None:
        """Add to a running total; written with the next commit. Any thread may call it."""
        with self._counts_lock:
            self._counts[name] += amount

    def gauge(self, name: str, value: float) -> None:
        """Set a present value; written with the next commit. Any thread may call it."""
        with self._counts_lock:
            self._gauges[name] = value

    def _run(self) -> None:
        batch: list[Outcome] = []
        while not (self._stopping.is_set() and self._queue.empty() and not batch):
            batch = batch or self._gather()
            try:
                if batch:
                    self._commit(batch)
                self._tick()
            except sqlite3.Error as error:
                # Nothing of the batch was stored or acknowledged; it is tried again as a whole.
                log.error("store.failed", error=str(error), waiting=len(batch))
                if self._stopping.wait(_RETRY_S):
                    return
                continue
            batch = []

    def _gather(self) -> list[Outcome]:
        try:
            batch = [self._queue.get(timeout=_TICK_S)]
        except queue.Empty:
            return []
        while len(batch) < _BATCH:
            try:
                batch.append(self._queue.get_nowait())
            except queue.Empty:
                break
        return batch

    def _commit(self, batch: list[Outcome]) -> None:
        facts: list[Fact] = []
        with self._store.transaction() as tx:
            for outcome in batch:
                facts += self._record(tx, outcome)
            tx.add(fold(facts, length_s=self._settings.windows.local_s))
        self._note_latencies(batch)
        self._acknowledge(batch)

    def _record(self, tx: StoreTransaction, outcome: Outcome) -> tuple[Fact, ...]:
        """Store one outcome but for its facts, which are returned, unless this message has counted before."""
        if outcome.dead_letter is not None:
            letter = outcome.dead_letter
            tx.dead_letter(
                at=outcome.received_at, reason=letter.reason, topic=letter.topic, size=letter.size, sha256=letter.sha256
            )
            tx.count("dead_letters")
        if outcome.device is not None:
            self._note_device(tx, outcome.device, outcome)
        if outcome.message_id is not None:
            if not tx.first_time(outcome.message_id, at=outcome.received_at):
                tx.count("repeated")
                return ()
            tx.count("messages")
        return outcome.facts

    def _note_device(self, tx: StoreTransaction, device: Device, outcome: Outcome) -> None:
        if outcome.people_visible is not None:
            self.gauge(f"people_visible/{device.id}", outcome.people_visible)
        if outcome.complaints is not None:
            self._note_complaints(tx, device.id, outcome.complaints, at=outcome.captured_at or outcome.received_at)
        status = outcome.status
        seen = self._last_seen.get(device)
        if status is None and seen is not None and outcome.received_at - seen < _SEEN_AGAIN:
            return
        self._last_seen[device] = outcome.received_at
        state = status.state if status else "online"
        firmware = status.firmware if status else None
        if tx.device_seen(device, at=outcome.received_at, state=state, firmware=firmware):
            body = DeviceHealth(device_kind=device.kind, device=device.id, state=state, firmware=firmware)
            self._outbox.put(tx, body, at=outcome.received_at)

    def _note_complaints(
        self, tx: StoreTransaction, camera: str, complaints: tuple[Complaint, ...], *, at: datetime
    ) -> None:
        for complaint in COMPLAINTS:
            tx.gauge(f"camera_{complaint}/{camera}", float(complaint in complaints), at=at)
        self._outbox.put(tx, CameraHealth(camera=camera, complaints=complaints), at=at)
        log.info("camera.health", camera=camera, complaints=list(complaints))

    def _acknowledge(self, batch: list[Outcome]) -> None:
        committed: dict[Device, list[UUID]] = defaultdict(list)
        for outcome in batch:
            if outcome.receipt is not None:
                self._replies.acknowledge(outcome.receipt)
            if outcome.device is not None and outcome.message_id is not None:
                committed[outcome.device].append(outcome.message_id)
            if outcome.device is not None and outcome.reply is not None:
                self._replies.send_recommendation(outcome.device, self._reply(outcome, outcome.reply))
        for device, message_ids in committed.items():
            self._replies.send_ack(device, Ack(message_ids=tuple(message_ids)))

    def _reply(self, outcome: Outcome, reply: Recommendation) -> Recommendation:
        """The reply, or a refusal where what it rests on was taken back while it was being made."""
        reason = outcome.recheck(self._clock()) if outcome.recheck is not None else None
        return reply if reason is None else Recommendation(message_id=reply.message_id, refused=reason)

    def _note_latencies(self, batch: list[Outcome]) -> None:
        now = self._clock()
        for outcome in batch:
            if outcome.facts and outcome.captured_at is not None:
                self._latencies_ms.append((now - outcome.captured_at).total_seconds() * 1000)

    def _tick(self) -> None:
        now = self._clock()
        with self._counts_lock:
            counts, self._counts = self._counts, Counter()
            gauges, self._gauges = self._gauges, {}
        try:
            with self._store.transaction() as tx:
                self._write_figures(tx, counts, gauges, now=now)
                self._closing.run(tx, now=now)
                tx.add(fold(self._follow(tx, now), length_s=self._settings.windows.local_s))
                released = self._round.run(tx, now=now)
                self._prune(tx, now=now)
        except sqlite3.Error:
            with self._counts_lock:
                self._counts += counts
                self._gauges = gauges | self._gauges
            raise
        if released:
            log.info("released", events=released)

    def _write_figures(
        self, tx: StoreTransaction, counts: Counter[str], gauges: dict[str, float], *, now: datetime
    ) -> None:
        for name, amount in counts.items():
            tx.count(name, amount)
        if self._connected():
            tx.gauge("broker_connected_s", now.timestamp(), at=now)
        for name, value in gauges.items():
            tx.gauge(name, value, at=now)
        if self._latencies_ms:
            ordered = sorted(self._latencies_ms)
            tx.gauge("latency_p50_ms", ordered[len(ordered) // 2], at=now)
            tx.gauge("latency_p99_ms", ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)], at=now)

    def _prune(self, tx: StoreTransaction, *, now: datetime) -> None:
        if self._pruned_at is not None and now - self._pruned_at < _PRUNE_EVERY:
            return
        self._pruned_at = now
        tx.prune(
            acknowledged_sequence=acknowledged_sequence(self._settings.sync_db, incarnation=self._store.incarnation),
            messages_before_s=epoch_s(now - _KEEP_MESSAGE_IDS),
            windows_before_s=epoch_s(now - _KEEP_WINDOWS),
        )
