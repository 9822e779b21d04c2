"""`threshold web` with a kiosk: two ports, one registry, figures and erasures read from the gateway's file."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from kiosk_visits import NOON, ManualClock, Visitor

from edge.bus.client import BusClient
from edge.bus.topics import Subscription
from edge.commands.web_process import erasure_progress, mood_line, retention, today_shown
from edge.consent.choices import Choices, Shown
from edge.consent.purposes import PurposeBook
from edge.consent.registry import ConsentRegistry
from edge.facts import Crossing
from edge.messages import KioskFeedback
from edge.outbox.events import Erasure
from edge.outbox.table import Outbox
from edge.privacy.keyring import Keyring
from edge.settings import MqttSettings, Settings
from edge.storage.store import Store
from edge.windows import fold

PATIENCE_S = 60


def settings_of(folder: Path, **tables: Any) -> Settings:
    """A shop with a door, a kiosk and a headquarters."""
    shop: dict[str, Any] = {
        "store": {"id": "linden", "timezone": "UTC"},
        "state": folder,
        "hq": {"url": "https://hq.invalid"},
        "zones": [
            {"id": "entrance", "name": "Entrance", "notice_attested_on": "2026-06-01"},
            {"id": "yard", "notice_attested_on": "2025-06-01"},
            {"id": "till"},
        ],
        "cameras": [
            {"id": "east", "zone": "entrance", "lines": [{"name": "door", "points": [[0, 0.5], [1, 0.5]]}]},
            {"id": "back", "zone": "yard"},
        ],
        "kiosks": [{"id": "kiosk-1", "zone": "entrance"}],
    }
    return Settings.model_validate(shop | tables)


def test_both_are_served_and_end_together(make_shop: Callable[..., Any]) -> None:
    """Dashboard and kiosk answer on ports of their own; SIGTERM ends both, and the process says that it went well."""
    shop = make_shop()
    assert "Visitors today" in httpx.get(shop.web, headers={"Accept-Language": "en"}, trust_env=False).text
    assert httpx.get(f"{shop.kiosk}/healthz", trust_env=False).json() == {"status": "ok"}
    assert shop.stop() == 0
    assert "Traceback" not in shop.log


def test_what_was_agreed_outlives_the_process(make_shop: Callable[..., Any]) -> None:
    """After a restart the code on the receipt still opens the page."""
    shop = make_shop()
    with httpx.Client(base_url=shop.kiosk, trust_env=False) as client:
        visitor = Visitor(client)
        visitor.allow("in_store_offers")
        code = visitor.code
    shop.stop()
    settings = Settings.model_validate({"store": {"id": "linden"}, "state": shop.folder / "state"})
    keyring = Keyring.open(settings.keyring_file, create=False)
    with ConsentRegistry(
        settings.consent_db, keyring=keyring, purposes=PurposeBook.load(), clock=lambda: datetime.now(UTC)
    ) as registry:
        subject = registry.by_code(code)
        assert subject is not None
        assert registry.view(subject).granted() == {"in_store_offers"}


def test_without_a_kiosk_there_is_no_registry(tmp_path: Path) -> None:
    """A shop that has not enabled the kiosk serves the dashboard alone, and no consent database comes to be."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    config = tmp_path / "store.toml"
    config.write_text(f'[store]\nid = "linden"\n[web]\nport = {port}\n', "utf-8")
    command = [sys.executable, "-m", "edge.cli", "web", "--config", str(config)]
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        transport = httpx.HTTPTransport(retries=10)
        with httpx.Client(transport=transport, trust_env=False) as client:
            assert client.get(f"http://127.0.0.1:{port}/healthz", timeout=PATIENCE_S).status_code == 200
        process.terminate()
        assert process.wait(PATIENCE_S) == 0
    assert not list(tmp_path.glob("consent*"))


def test_a_second_process_is_refused_in_one_line(make_shop: Callable[..., Any]) -> None:
    """The registry has one owner; another `threshold web` on the same folder says so and ends."""
    shop = make_shop()
    command = [sys.executable, "-m", "edge.cli", "web", "--config", str(shop.folder / "store.toml")]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 1
    assert "owned by another process" in done.stderr
    assert "Traceback" not in done.stderr


def test_figures_are_the_dashboards(tmp_path: Path) -> None:
    """The kiosk shows what the dashboard counts, and where signs hang; nothing where nothing is written."""
    settings = settings_of(tmp_path)
    assert today_shown(settings, at=NOON) is None
    store = Store(settings.store_db)
    crossings = [*[Crossing(NOON, "east", "door", "in")] * 9, *[Crossing(NOON, "east", "door", "out")] * 2]
    with store.transaction() as tx:
        tx.add(fold(crossings, length_s=60))
    shown = today_shown(settings, at=NOON)
    store.close()
    assert shown is not None
    assert (shown.entered, shown.inside, shown.cameras) == (9, 7, 2)
    assert [(sign.zone, sign.counting) for sign in shown.signs] == [("Entrance", True), ("yard", False)]


def test_an_erasure_is_followed_to_headquarters(tmp_path: Path) -> None:
    """Erased here; queued once the gateway has followed the ledger; delivered once headquarters has the event."""
    settings = settings_of(tmp_path)
    assert erasure_progress(settings, seq=7) == "here"
    store = Store(settings.store_db)
    outbox = Outbox(store="linden", incarnation=store.incarnation)
    assert erasure_progress(settings, seq=7) == "here"
    with store.transaction() as tx:
        outbox.put(tx, Erasure(subject="s_" + "a" * 26, asked_at=NOON, ledger_seq=7), at=NOON)
        tx.followed_consent(7, b"hash")
    assert erasure_progress(settings, seq=7) == "queued"
    assert erasure_progress(settings, seq=8) == "here"
    with store.transaction() as tx:
        tx.prune(acknowledged_sequence=1, messages_before_s=0, windows_before_s=0)
    assert erasure_progress(settings, seq=7) == "delivered"
    assert erasure_progress(settings_of(tmp_path, hq={}), seq=7) == "queued"
    store.close()


def test_what_has_run_out_is_deleted_while_it_runs(tmp_path: Path) -> None:
    """The process does the retention job by itself: a consent that has expired is written down as expired."""
    clock, book = ManualClock(), PurposeBook.load()
    keyring = Keyring.open(tmp_path / "keyring.json")
    with ConsentRegistry(tmp_path / "consent.db", keyring=keyring, purposes=book, clock=clock) as registry:
        shown = Shown(versions={"member_link": book.version("member_link")}, language="en", channel="kiosk")
        chosen = Choices(granted=frozenset({"member_link"}), refused=frozenset(), shown=shown, age_band="adult")
        subject = registry.give(chosen).subject
        clock.now += timedelta(days=366)
        with retention(registry, clock=clock):
            pass
        assert "expired" in {entry.kind for entry in registry.history(subject)}


def test_a_mood_reaches_the_broker(mosquitto: Any, tmp_path: Path) -> None:
    """A button goes out as the shop's first kiosk's own message, with an id, a time and a level alone."""
    heard: list[tuple[str, bytes]] = []
    came = threading.Event()

    def hear(topic: str, payload: bytes, _: object) -> None:
        heard.append((topic, payload))
        came.set()

    mqtt = {"host": mosquitto.host, "port": mosquitto.port}
    listener = BusClient(
        MqttSettings.model_validate(mqtt),
        client_id="listener",
        subscriptions=(Subscription("threshold/v1/+/kiosk/+/feedback", qos=1),),
        on_message=hear,
    )
    listener.start()
    assert listener.wait_connected(PATIENCE_S)
    with mood_line(settings_of(tmp_path, mqtt=mqtt)) as pass_on:
        assert pass_on is not None
        while not came.wait(0.2):
            pass_on(4, NOON)
    listener.stop()
    topic, payload = heard[0]
    assert topic == "threshold/v1/linden/kiosk/kiosk-1/feedback"
    feedback = KioskFeedback.model_validate_json(payload)
    assert (feedback.mood, feedback.words, feedback.captured_at) == (4, None, NOON)


def test_without_a_kiosk_device_there_are_no_mood_buttons(tmp_path: Path) -> None:
    """Nobody would be believed who says a mood for a kiosk that store.toml does not name."""
    with mood_line(settings_of(tmp_path, kiosks=())) as pass_on:
        assert pass_on is None


@pytest.mark.parametrize("url", ["https://shop.example", "https://shop.example/"])
def test_public_addresses_are_taken(tmp_path: Path, url: str) -> None:
    """With or without a slash at the end."""
    assert settings_of(tmp_path, kiosk={"public_url": url}).kiosk.public_url == url
