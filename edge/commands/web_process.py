"""The web process: the dashboard, and where a shop wants it the kiosk, side by side in one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sqlite3
import threading
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import structlog
import uvicorn

from edge.clock import Clock, utc_now
from edge.consent.kiosk.app import KioskLinks, build_kiosk
from edge.consent.kiosk.erasing import ErasureProgress
from edge.consent.kiosk.figures import SignShown, TodayShown
from edge.consent.purposes import PurposeBook
from edge.consent.receipt import Receipt
from edge.consent.registry import ConsentRegistry
from edge.consent.tries import Tries
from edge.errors import StorageError, ThresholdError
from edge.messages import Device, KioskFeedback
from edge.outbox.position import acknowledged_sequence
from edge.privacy.keyring import Keyring
from edge.settings import KioskSettings, Settings, WebSettings
from edge.storage.database import open_reader
from edge.web.app import build_web
from edge.web.reading import read_today

if TYPE_CHECKING:
    from fastapi import FastAPI

    from edge.consent.kiosk.mood import PassMood
    from edge.consent.kiosk.questions import SealWords

__all__ = ["erasure_progress", "mood_line", "retention", "serve_web", "today_shown"]

log = structlog.get_logger(__name__)

_RETAIN_EVERY_S = 3600.0
_TRIES_EACH, _TRIES_ALL, _TRIES_WINDOW = 5, 300, timedelta(minutes=5)
"""40 bits of code against 300 tries in five minutes: a million receipts, and still a year for one hit in two."""
_CONNECTIONS = 256


def serve_web(settings: Settings) -> None:
    """Serve until SIGTERM. The consent registry belongs to this process.

    Raises:
        ThresholdError: the registry cannot be opened, or another process owns it.
    """
    with ExitStack() as stack:
        apps: list[tuple[FastAPI, WebSettings | KioskSettings]] = [
            (build_web(settings, clock=utc_now), settings.web),
        ]
        if settings.kiosk.enabled:
            apps.append((stack.enter_context(_kiosk(settings)), settings.kiosk))
        asyncio.run(_serve([_server(app, where) for app, where in apps]))


class _Server(uvicorn.Server):
    """Leaves signals alone: several servers share this process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def _server(app: FastAPI, where: WebSettings | KioskSettings) -> _Server:
    return _Server(
        uvicorn.Config(
            app,
            host=where.host,
            port=where.port,
            log_level="warning",
            access_log=False,  # a shopper's link is in the path
            server_header=False,
            limit_concurrency=_CONNECTIONS,
        )
    )


async def _serve(servers: list[_Server]) -> None:
    """Run them all; a signal, or the end of one, ends all."""

    def end() -> None:
        for server in servers:
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    tasks = [asyncio.ensure_future(server.serve()) for server in servers]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        end()
        await asyncio.gather(*tasks)


@contextmanager
def _kiosk(settings: Settings) -> Iterator[FastAPI]:
    """The kiosk, with the registry that it writes, for as long as the block runs."""
    purposes = PurposeBook.load(settings.consent.purposes_file)
    keyring = Keyring.open(settings.keyring_file)
    with ExitStack() as stack:
        registry = stack.enter_context(
            ConsentRegistry(settings.consent_db, keyring=keyring, purposes=purposes, clock=utc_now)
        )
        stack.enter_context(retention(registry, clock=utc_now))
        yield build_kiosk(
            settings,
            registry=registry,
            purposes=purposes,
            clock=utc_now,
            tries=Tries(each=_TRIES_EACH, everybody=_TRIES_ALL, window=_TRIES_WINDOW),
            links=KioskLinks(
                figures=lambda: today_shown(settings, at=utc_now()),
                follow_erasure=lambda seq: erasure_progress(settings, seq=seq),
                sign_receipt=lambda record: Receipt.issue(
                    record,
                    receipt_id=str(uuid4()),
                    at=utc_now(),
                    notice=registry.notice,
                    key=keyring.signing_key(),
                    key_id=keyring.signing_key_id(),
                ),
                seal=_sealing(settings),
                mood=stack.enter_context(mood_line(settings)),
            ),
        )


def today_shown(settings: Settings, *, at: datetime) -> TodayShown | None:
    """The dashboard's figures, as far as they are for the public; None where the record cannot be read."""
    today = read_today(settings, at=at)
    if today.record != "ready":
        return None
    lapsed = {lapse.zone for lapse in today.notice_lapses}
    watched = {camera.zone for camera in settings.cameras}
    return TodayShown(
        at=today.at,
        entered=today.footfall.entered,
        inside=today.footfall.occupancy,
        cameras=len(settings.cameras),
        signs=tuple(
            SignShown(zone.name or zone.id, zone.notice_attested_on, zone.id not in lapsed)
            for zone in settings.zones
            if zone.id in watched
        ),
    )


def erasure_progress(settings: Settings, *, seq: int) -> ErasureProgress:
    """How far the erasure with this number in the ledger has come: the gateway follows the ledger, sync takes its event on.

    Headquarters' signed receipt is not looked for yet: that comes with "Sync and HQ".
    """
    try:
        with open_reader(settings.store_db) as sql:
            (followed,) = sql.execute("SELECT seq FROM consent_position").fetchone()
            (incarnation,) = sql.execute("SELECT incarnation FROM identity").fetchone()
            waiting = sql.execute(
                """SELECT min(sequence) FROM outbox WHERE json_extract(CAST(event AS TEXT), '$.data.kind') = 'erasure'
                   AND json_extract(CAST(event AS TEXT), '$.data.ledger_seq') = ?""",
                (seq,),
            ).fetchone()[0]
    except (StorageError, sqlite3.Error):
        return "here"
    if followed < seq:
        return "here"
    sent = settings.hq.url is not None
    acknowledged = acknowledged_sequence(settings.sync_db, incarnation=incarnation)
    return "delivered" if sent and (waiting is None or waiting <= acknowledged) else "queued"


def _sealing(settings: Settings) -> SealWords | None:
    """Seals questions to headquarters; None where the shop has no key of theirs."""
    if settings.hq.identity_key_file is None:
        return None
    from edge.sealed.recipient import read_public
    from edge.sealed.sealing import Sealer

    sealer = Sealer(read_public(settings.hq.identity_key_file), store=settings.store.id, purpose="ticket")
    return lambda words: sealer.seal(words).sealed


@contextmanager
def mood_line(settings: Settings) -> Iterator[PassMood | None]:
    """Passes moods to the gateway as the shop's first kiosk; None where `store.toml` names none."""
    if not settings.kiosks:
        yield None
        return
    from edge.bus.client import BusClient
    from edge.bus.topics import Subscription, topic_for

    kiosk, store = Device("kiosk", settings.kiosks[0].id), settings.store.id
    bus = BusClient(
        settings.mqtt,
        client_id=f"threshold-web-{store}",
        subscriptions=(Subscription(topic_for(store, kiosk, "config"), qos=0, state=True),),
        on_message=lambda _topic, _payload, _receipt: None,
    )

    def pass_on(level: int, at: datetime) -> None:
        pressed = KioskFeedback(message_id=uuid4(), captured_at=at, mood=level)
        bus.publish(topic_for(store, kiosk, "feedback"), pressed.model_dump_json(exclude_none=True).encode())

    bus.start()
    try:
        yield pass_on
    finally:
        bus.stop()


@contextmanager
def retention(registry: ConsentRegistry, *, clock: Clock) -> Iterator[None]:
    """Have what has outlived its time deleted, at once and then every hour, for as long as the block runs."""
    over = threading.Event()

    def work() -> None:
        while True:
            try:
                registry.retain(clock())
            except (ThresholdError, sqlite3.Error) as error:
                log.error("retention.failed", error=type(error).__name__)
            if over.wait(_RETAIN_EVERY_S):
                return

    worker = threading.Thread(target=work, name="retention", daemon=True)
    worker.start()
    try:
        yield
    finally:
        over.set()
        worker.join()
