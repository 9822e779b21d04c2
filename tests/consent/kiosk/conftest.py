"""A shop with a kiosk: its pages in this process under a clock of the test's own, or a real `threshold web`."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from kiosk_browser import CHROMIUM
from kiosk_visits import NOON, Kiosk, ManualClock, Visitor
from playwright.sync_api import sync_playwright

from edge.consent.kiosk.app import KioskLinks, build_kiosk
from edge.consent.kiosk.figures import SignShown, TodayShown
from edge.consent.purposes import PurposeBook
from edge.consent.receipt import Receipt
from edge.consent.registry import ConsentRegistry
from edge.consent.tries import Tries
from edge.privacy.keyring import Keyring
from edge.sealed.recipient import generate_recipient_key, write_public
from edge.sealed.sealing import Sealer
from edge.serving.listening import listen
from edge.settings import Settings

PATIENCE_S = 60


@contextmanager
def _serving(app: Any, *, closing: list[threading.Thread]) -> Iterator[str]:
    """Serve `app`; it is told to end, and ends while the next test runs."""
    listener = listen("127.0.0.1", 0)  # the server closes it
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        closing.append(thread)


@pytest.fixture(scope="package")
def closing() -> Iterator[list[threading.Thread]]:
    """Servers that have been told to end; at the end of the room all have."""
    threads: list[threading.Thread] = []
    yield threads
    for thread in threads:
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def _today() -> TodayShown:
    return TodayShown(at=NOON, entered=1284, inside=3, cameras=1, signs=(SignShown("Entrance", NOON.date(), True),))


@pytest.fixture
def make_kiosk(tmp_path: Path, closing: list[threading.Thread]) -> Iterator[Callable[..., Kiosk]]:
    """A function that opens a shop; tables of its settings, its purposes and its figures may be replaced.

    `state` opens the folder of a shop that has been closed.
    """
    with ExitStack() as stack:

        def make(
            purposes: PurposeBook | None = None,
            figures: Callable[[], TodayShown | None] = _today,
            *,
            questions: bool = True,
            state: Path | None = None,
            **tables: Any,
        ) -> Kiosk:
            folder = state or tmp_path / f"shop-{len(list(tmp_path.iterdir()))}"
            shop: dict[str, Any] = {
                "store": {"id": "linden", "name": "Linden", "timezone": "UTC"},
                "state": folder,
                "kiosk": {"enabled": True, "public_url": "http://shop.example:8081"},
            }
            settings = Settings.model_validate(shop | tables)
            clock, hq_key = ManualClock(), generate_recipient_key()
            folder.mkdir(exist_ok=True)
            keyring = Keyring.open(settings.keyring_file)
            book = purposes or PurposeBook.load()
            registry = stack.enter_context(
                ConsentRegistry(settings.consent_db, keyring=keyring, purposes=book, clock=clock)
            )
            sealer = Sealer(hq_key.recipient(), store="linden", purpose="ticket", clock=clock)
            kiosk = Kiosk("", settings, registry, book, clock, hq_key, keyring, stack)
            app = build_kiosk(
                settings,
                registry=registry,
                purposes=book,
                clock=clock,
                tries=Tries(each=5, everybody=300, window=timedelta(minutes=5)),
                links=KioskLinks(
                    figures=figures,
                    sign_receipt=lambda record: Receipt.issue(
                        record,
                        receipt_id="4f3c2b1a-0000-4000-8000-000000000001",
                        at=clock(),
                        notice=registry.notice,
                        key=keyring.signing_key(),
                        key_id=keyring.signing_key_id(),
                    ),
                    follow_erasure=lambda _: kiosk.progress[0],  # type: ignore[arg-type, return-value]
                    seal=(lambda words: sealer.seal(words).sealed) if questions else None,
                    mood=lambda level, _: kiosk.moods.append(level),
                ),
            )
            kiosk.address = stack.enter_context(_serving(app, closing=closing))
            return kiosk

        yield make


@pytest.fixture
def kiosk(make_kiosk: Callable[..., Kiosk]) -> Kiosk:
    """A shop's pages, in this process."""
    return make_kiosk()


@pytest.fixture
def visitor(kiosk: Kiosk) -> Visitor:
    """Somebody at that kiosk."""
    return kiosk.visitor()


@dataclass
class Shop:
    """A running `threshold web`: the dashboard and the kiosk."""

    folder: Path
    web: str
    kiosk: str
    process: subprocess.Popen[bytes]

    @property
    def log(self) -> str:
        """What the process has said."""
        return (self.folder / "log").read_text("utf-8")

    def stop(self) -> int:
        """Ask it to end, and return how it did."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)


_STORE = """
state = "state"
[store]
id = "linden"
name = "Linden"
timezone = "UTC"
[web]
port = {web}
[kiosk]
enabled = true
port = {kiosk}
public_url = "http://127.0.0.1:{kiosk}"
idle_s = {idle_s}
[hq]
identity_key_file = "hq.json"
[mqtt]
port = 1
[[zones]]
id = "entrance"
name = "Entrance"
kind = "entrance"
notice_attested_on = 2026-06-01
[[kiosks]]
id = "kiosk-1"
zone = "entrance"
"""


def _port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def make_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Shop]]:
    """A function that starts a `threshold web`; it ends with the module."""
    shops: list[Shop] = []

    def make(*, idle_s: int = 600) -> Shop:
        folder = tmp_path_factory.mktemp("shop")
        ports = {"web": _port(), "kiosk": _port()}
        (folder / "store.toml").write_text(_STORE.format(**ports, idle_s=idle_s), "utf-8")
        write_public(generate_recipient_key().recipient(), folder / "hq.json")
        command = [sys.executable, "-m", "edge.cli", "web", "--config", str(folder / "store.toml")]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        shop = Shop(folder, *(f"http://127.0.0.1:{port}" for port in ports.values()), process=process)
        shops.append(shop)
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until and process.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"{shop.web}/healthz", trust_env=False)
                httpx.get(f"{shop.kiosk}/healthz", trust_env=False)
                return shop
            time.sleep(0.1)
        pytest.fail(f"threshold web does not start: {shop.log[-500:]}")

    yield make
    for shop in shops:
        if shop.process.poll() is None:
            shop.stop()


@pytest.fixture(scope="module")
def shop(make_shop: Callable[..., Shop]) -> Shop:
    """One running `threshold web` for the module."""
    return make_shop()


@pytest.fixture(scope="package")
def chromium() -> Iterator[Any]:
    """Debian's Chromium, driven by Playwright."""
    if not CHROMIUM.exists():
        pytest.skip("needs Chromium: apt-get install chromium")
    switches = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-proxy-server"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=switches)
        yield browser
        browser.close()
