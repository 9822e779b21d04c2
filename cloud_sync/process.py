"""The sync process: the only one in the shop that talks to the internet."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from contextlib import ExitStack, closing

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

    The uplink has a thread of its own and signals are waited for, not handled: a handler that sets an Event while the
    same thread waits on it can lock up. What is cut off in mid-batch is sent again next time, and HQ knows it.
    """
    handled = {*_STOP, signal.SIGHUP}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, handled)
    try:
        worker = threading.Thread(target=uplink.run, name="uplink", daemon=True)
        worker.start()
        log.info("sync_started")
        while worker.is_alive():
            received = signal.sigtimedwait(handled, 0.5)
            if received is None:
                continue
            if received.si_signo in _STOP:
                uplink.stop()
                break
            uplink.retry_now()
        worker.join(_LAST_BATCH_S)
        log.info("sync_stopped", in_mid_batch=worker.is_alive())
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
