"""A real HQ, a real store.db, and a line between them that can be cut."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from cloud_sync.hq.app import build_hq
from cloud_sync.hq.credentials import add_store, hash_credential
from cloud_sync.hq.database import open_database, sqlite_url
from cloud_sync.hq.settings import HqServiceSettings
from cloud_sync.sync_record import SyncRecord
from cloud_sync.transports.https import HttpsTransport
from cloud_sync.uplink import Uplink
from edge.clock import from_epoch_s
from edge.outbox.events import CountReleased, DeviceHealth, Event, SalesWindow
from edge.outbox.table import Outbox
from edge.settings import HqSettings, Settings, StoreSettings
from edge.storage.store import Store

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
CREDENTIAL = "c" * 64
ADMIN_TOKEN = "a" * 64
PATIENCE_S = 60.0


def wait_until(condition: Callable[[], bool], *, what: str) -> None:
    """Wait until `condition` holds; a deadline far beyond need, for a busy machine."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.02)


class RunningHq:
    """HQ on a loopback port, which it keeps when stopped and started again. SQLite in `folder`."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.url_of_database = sqlite_url(folder)
        self.settings = HqServiceSettings(
            database_url=self.url_of_database, admin_token_hash=hash_credential(ADMIN_TOKEN), **settings
        )
        with closing(socket.create_server(("127.0.0.1", 0))) as probe:
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self.now = NOON

    def add_store(self, store: str, credential: str = CREDENTIAL, timezone: str = "UTC") -> None:
        engine = open_database(self.url_of_database)
        with engine.begin() as connection:
            add_store(connection, store, credential=credential, timezone=timezone, renew=False, at=NOON)
        engine.dispose()

    def start(self, **tls: Any) -> None:
        app = build_hq(self.settings, clock=lambda: self.now)
        config = uvicorn.Config(
            app, host="127.0.0.1", port=self.port, log_config=None, timeout_graceful_shutdown=5, **tls
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        wait_until(lambda: self._server is not None and self._server.started, what="HQ to listen")

    def stop(self) -> None:
        if self._server is None or self._thread is None:
            return
        self._server.should_exit = True
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()
        self._server = self._thread = None

    def post(self, body: Any, *, store: str = "s1", credential: str = CREDENTIAL, **headers: str) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"content-type": "application/cloudevents-batch+json", "authorization": f"Bearer {credential}"}
        url = f"{self.url}/v1/stores/{store}/events"
        with httpx.Client(trust_env=False, timeout=PATIENCE_S) as client:
            return client.post(url, content=content, headers=sent | headers)

    def get(self, path: str, **headers: str) -> httpx.Response:
        with httpx.Client(trust_env=False, timeout=PATIENCE_S) as client:
            return client.get(self.url + path, headers=headers)

    def summary(self, store: str = "s1") -> dict[str, Any]:
        answer = self.get(f"/v1/stores/{store}/summary", authorization=f"Bearer {ADMIN_TOKEN}")
        assert answer.status_code == 200, answer.text
        return answer.json()


class CutLine:
    """A TCP line to `port` that can lose the answer, or cut the request, while HQ is none the wiser."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.lose_answers = 0
        self.cut_after_bytes: int | None = None
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                near.close()
                continue
            threading.Thread(target=self._up, args=(near, far), daemon=True).start()
            threading.Thread(target=self._down, args=(near, far), daemon=True).start()

    def _up(self, near: socket.socket, far: socket.socket) -> None:
        sent = 0
        with suppress(OSError):
            while data := near.recv(4096):
                if self.cut_after_bytes is not None and sent + len(data) > self.cut_after_bytes:
                    far.sendall(data[: self.cut_after_bytes - sent])
                    break
                far.sendall(data)
                sent += len(data)
        _hang_up(near, far)

    def _down(self, near: socket.socket, far: socket.socket) -> None:
        with suppress(OSError):
            while data := far.recv(65536):
                if self.lose_answers:
                    self.lose_answers -= 1
                    break
                near.sendall(data)
        _hang_up(near, far)
        near.close()
        far.close()


def _hang_up(*sockets: socket.socket) -> None:
    for one in sockets:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


class Shop:
    """A store's state folder with a real store.db, whose outbox the test fills as the gateway does."""

    def __init__(self, state: Path, *, store: str = "s1") -> None:
        self.state = state
        self.name = store
        self.store = Store(state / "store.db")
        self.outbox = Outbox(store=store, incarnation=self.store.incarnation)
        self.credential_file = state / "hq.credential"
        self.credential_file.write_text(CREDENTIAL + "\n")

    def settings(self, url: str, **hq: Any) -> Settings:
        link = HqSettings(url=url, credential_file=self.credential_file, **{"interval_s": 0.05, **hq})
        return Settings(store=StoreSettings(id=self.name), state=self.state, hq=link)

    def put(self, *bodies: CountReleased | SalesWindow | DeviceHealth) -> list[Event]:
        with self.store.transaction() as tx:
            return [self.outbox.put(tx, body, at=NOON) for body in bodies]

    def put_counts(self, number: int) -> list[Event]:
        return self.put(*(count(n % 7, hour=n % 24) for n in range(number)))

    def put_raw(self, event: bytes) -> int:
        with self.store.transaction() as tx:
            sequence = tx.next_sequence()
            tx.enqueue(sequence, event.decode(), at=NOON)
        return sequence

    def prune(self, through: int) -> None:
        with self.store.transaction() as tx:
            tx.prune(acknowledged_sequence=through, messages_before_s=0, windows_before_s=0)

    def close(self) -> None:
        self.store.close()


def count(value: int, *, hour: int = 9, key: str = "in", place: str = "door/main") -> CountReleased:
    start = NOON.replace(hour=hour)
    return CountReleased(
        metric="visits",
        place=place,
        key=key,
        count=value,
        epsilon=1.0,
        k=5,
        start=start,
        end=from_epoch_s(start.timestamp() + 900),
    )


def sale(total_minor: int, *, currency: str = "EUR", till: str = "till-1") -> SalesWindow:
    start = NOON.replace(hour=10)
    end = from_epoch_s(start.timestamp() + 900)
    return SalesWindow(till=till, currency=currency, sales=1, units=2, total_minor=total_minor, start=start, end=end)


def event(body: CountReleased | SalesWindow | DeviceHealth, sequence: int, *, store: str = "s1") -> dict[str, Any]:
    made = Event.of(body, store=store, incarnation="life", sequence=sequence, time=NOON)
    return made.model_dump(mode="json")


def fingerprint(summary: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(summary, sort_keys=True).encode()).hexdigest()


class Kit:
    """What a test takes by name from this file; test modules here cannot import one another."""

    NOON = NOON
    CREDENTIAL = CREDENTIAL
    ADMIN_TOKEN = ADMIN_TOKEN
    PATIENCE_S = PATIENCE_S
    RunningHq = RunningHq
    CutLine = CutLine
    Shop = Shop
    count = staticmethod(count)
    sale = staticmethod(sale)
    event = staticmethod(event)
    fingerprint = staticmethod(fingerprint)
    wait_until = staticmethod(wait_until)


@pytest.fixture(scope="session")
def kit() -> type[Kit]:
    return Kit


@pytest.fixture
def hq(tmp_path: Path) -> Iterator[RunningHq]:
    """An HQ that knows the stores s1 and s2, listening."""
    running = RunningHq(tmp_path / "hq")
    running.add_store("s1")
    running.add_store("s2", credential="d" * 64)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def line(hq: RunningHq) -> Iterator[CutLine]:
    with closing(CutLine(hq.port)) as cut_line:
        yield cut_line


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    state = tmp_path / "shop"
    state.mkdir()
    with closing(Shop(state)) as a_shop:
        yield a_shop


@pytest.fixture
def uplink_to(shop: Shop) -> Iterator[Callable[..., Uplink]]:
    """Makes the shop's uplink to a URL, or over a given transport."""
    with ExitStack() as stack:

        def make(url: str = "http://127.0.0.1:9", *, transport: Any = None, **hq: Any) -> Uplink:
            if transport is None:
                transport = HttpsTransport(url, store=shop.name, credential_file=shop.credential_file)
                stack.enter_context(closing(transport))
            record = stack.enter_context(closing(SyncRecord(shop.state / "sync.db")))
            settings = shop.settings(url, **hq)
            return Uplink(settings, transport, record=record, clock=lambda: NOON, jitter=lambda: 0.5)

        yield make
