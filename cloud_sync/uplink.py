"""The way up: the outbox to HQ, in order, each event until HQ's database has committed it."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence

import structlog

from cloud_sync.backoff import Backoff
from cloud_sync.outgoing import Batch, Outgoing, read_batch, unfit_reason
from cloud_sync.receipt import Receipt, ReceiptMismatch, settled
from cloud_sync.sync_record import Refused, SyncRecord
from cloud_sync.transports.transport import Transport, TransportError
from edge.clock import Clock
from edge.errors import StorageError
from edge.settings import Settings

__all__ = ["Uplink"]

log = structlog.get_logger(__name__)

_MAX_BATCH_BYTES = 512_000
"""Half of what a common proxy in front of HQ lets through unasked (nginx: 1 MB)."""
_LONGEST_WAIT_S = 60.0


class Uplink:
    """Sends what `store.db` has waiting and keeps the acknowledged position in `record`.

    `step` does one batch and is all there is to it; `run` repeats it until `stop`. `jitter` returns [0, 1).
    """

    def __init__(
        self, settings: Settings, transport: Transport, *, record: SyncRecord, clock: Clock, jitter: Callable[[], float]
    ) -> None:
        self._settings = settings
        self._transport = transport
        self._record = record
        self._clock = clock
        self._interval_s = settings.hq.interval_s
        self._backoff = Backoff(first_s=min(1.0, self._interval_s), longest_s=_LONGEST_WAIT_S, jitter=jitter)
        self._source = f"threshold/stores/{settings.store.id}"
        self._awake = threading.Event()
        self._stopping = False
        self._waiting_for_store = False

    def run(self) -> None:
        """Send until `stop` is called; returns between two batches."""
        while not self._stopping:
            self._awake.wait(self.step())
            self._awake.clear()

    def stop(self) -> None:
        """Let `run` return after the batch in hand. May be called from any thread."""
        self._stopping = True
        self._awake.set()

    def retry_now(self) -> None:
        """Cut the present wait short: HQ is known to be back, or its credential is mended."""
        self._awake.set()

    def step(self) -> float:
        """Send one batch, if any waits. Returns how many seconds to wait before the next step."""
        try:
            batch = self._read()
        except StorageError as error:
            return self._no_store_yet(error)
        except sqlite3.Error as error:
            return self._failed(f"read the outbox: {error}", retryable=True)
        self._waiting_for_store = False
        if not batch.events:
            return self._interval_s
        try:
            self._deliver(batch)
        except TransportError as error:
            return self._failed(str(error), retryable=error.retryable)
        except (ReceiptMismatch, sqlite3.Error) as error:
            return self._failed(str(error), retryable=True)
        self._backoff.succeeded()
        return 0.0

    def _read(self) -> Batch:
        return read_batch(
            self._settings.store_db,
            position=self._record.position,
            max_events=self._settings.hq.batch_events,
            max_bytes=_MAX_BATCH_BYTES,
        )

    def _no_store_yet(self, error: StorageError) -> float:
        if not self._waiting_for_store:
            log.info("waiting_for_store", reason=str(error))
        self._waiting_for_store = True
        return self._interval_s

    def _deliver(self, batch: Batch) -> None:
        unfit = list(self._unfit(batch.events))
        kept_back = {refused.sequence for refused in unfit}
        fit = [outgoing for outgoing in batch.events if outgoing.sequence not in kept_back]
        through = batch.events[-1].sequence
        if fit:
            receipt = self._transport.send([outgoing.event for outgoing in fit])
            done = settled(receipt, [outgoing.sequence for outgoing in fit])
            if done == 0:
                raise ReceiptMismatch("send events to HQ", "HQ committed none of them", "they are sent again")
            unfit += _rejections(receipt, fit[:done])
            if done < len(fit):
                through = fit[done].sequence - 1
            log.info("sent", events=done, new=receipt.new, duplicates=receipt.duplicates, through=through)
        self._settle(batch.incarnation, through=through, refused=[r for r in unfit if r.sequence <= through])
        if fit:
            self._record.succeeded(at=self._clock())

    def _unfit(self, events: Sequence[Outgoing]) -> Iterator[Refused]:
        for outgoing in events:
            reason = unfit_reason(outgoing.event, source=self._source)
            if reason is not None:
                yield _refused(outgoing, f"not sent: {reason}")

    def _settle(self, incarnation: str, *, through: int, refused: list[Refused]) -> None:
        for event in refused:
            log.error("event_rejected", sequence=event.sequence, event_id=event.event_id, reason=event.reason)
        self._record.acknowledge(incarnation, through=through, refused=refused, at=self._clock())

    def _failed(self, error: str, *, retryable: bool) -> float:
        wait_s = self._backoff.failed() if retryable else self._backoff.hopeless()
        write = log.warning if retryable else log.error
        write("not_sent", error=error, failures=self._backoff.failures, retry_in_s=round(wait_s, 1))
        try:
            self._record.failed(error, at=self._clock())
        except sqlite3.Error as disk_error:
            log.error("sync_db_not_written", error=str(disk_error))
        return wait_s


def _rejections(receipt: Receipt, done: Sequence[Outgoing]) -> Iterator[Refused]:
    for rejected in receipt.rejected:
        if rejected.index < len(done):
            yield _refused(done[rejected.index], f"HQ: {rejected.reason}")


def _refused(outgoing: Outgoing, reason: str) -> Refused:
    return Refused(outgoing.sequence, _event_id(outgoing.event), reason, outgoing.event)


def _event_id(event: bytes) -> str | None:
    try:
        found = json.loads(event)["id"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return found[:80] if isinstance(found, str) else None
