"""The sync process: the only one in the shop that talks to the internet."""

from __future__ import annotations

import select
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager

import structlog

from cloud_sync.sync_record import SyncRecord
from cloud_sync.transports.https import HttpsTransport
from cloud_sync.uplink import Uplink
from edge.clock import Clock
from edge.errors import SettingsError
from edge.settings import Settings

__all__ = ["build_uplink", "run_until_signal"]

log = structlog.get_logger(__name__)

_STOP = {signal.SIGTERM, signal.SIGINT}
_LAST_BATCH_S = 5.0


def build_uplink(settings: Settings, *, clock: Clock, jitter: Callable[[], float], closing_up: ExitStack) -> Uplink:
    """The uplink as `store.toml` describes it; `closing_up` closes its parts.

    Raises:
        SettingsError: HQ's address or credential file is not set.
        ThresholdError: they cannot be used, or another sync process owns `sync.db`.
    """
    hq = settings.hq
    if hq.url is None or hq.credential_file is None:
        unset = [name for name, value in (("url", hq.url), ("credential_file", hq.credential_file)) if value is None]
        raise SettingsError("store.toml", tuple(f"hq.{name}: not set; sync needs it to reach HQ" for name in unset))
    transport = HttpsTransport(hq.url, store=settings.store.id, credential_file=hq.credential_file, ca_file=hq.ca_file)
    closing_up.enter_context(closing(transport))
    record = closing_up.enter_context(closing(SyncRecord(settings.sync_db)))
    return Uplink(settings, transport, record=record, clock=clock, jitter=jitter)


def run_until_signal(uplink: Uplink) -> None:
    """Run `uplink` until SIGTERM or SIGINT; SIGHUP makes it try at once. Call it in the main thread.

    Signals are bytes on a socket, not handlers' work: a handler that sets an Event while the same thread waits on it can
    lock up, and a mask would not hold for the threads that libraries have started before. What is cut off in mid-batch is sent
    again next time, and HQ knows it.
    """
    worker = threading.Thread(target=uplink.run, name="uplink", daemon=True)
    with _signals(*_STOP, signal.SIGHUP) as received:
        worker.start()
        log.info("sync_started")
        while worker.is_alive():
            numbers = received(0.5)
            if _STOP.intersection(numbers):
                uplink.stop()
                break
            if numbers:
                uplink.retry_now()
        worker.join(_LAST_BATCH_S)
        log.info("sync_stopped", in_mid_batch=worker.is_alive())


@contextmanager
def _signals(*handled: signal.Signals) -> Iterator[Callable[[float], set[int]]]:
    """A function that waits so many seconds for these signals and says which came."""
    reading, writing = socket.socketpair()
    with reading, writing:
        reading.setblocking(False)
        writing.setblocking(False)
        before = signal.set_wakeup_fd(writing.fileno())
        handlers = {number: signal.signal(number, lambda *_: None) for number in handled}

        def received(wait_s: float) -> set[int]:
            return set(reading.recv(64)) if select.select([reading], [], [], wait_s)[0] else set()

        try:
            yield received
        finally:
            signal.set_wakeup_fd(before)
            for number, handler in handlers.items():
                signal.signal(number, handler)
