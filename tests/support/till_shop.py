"""A shop's tills with everything behind them that is real: door, writer, database, and HTTP where it is asked for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

from edge.bus.dead_letters import dead_letter_of
from edge.bus.inbound import Inbound
from edge.bus.topics import topic_for
from edge.clock import Clock, utc_now
from edge.commits import CommitWatch
from edge.consent.gate import ConsentGate
from edge.errors import MessageRejected
from edge.handling import handle
from edge.messages import Ack, Device, Receipt, Received, Recommendation
from edge.outbox.table import Outbox
from edge.outcome import Outcome
from edge.pos_bridge.reading import read_transaction
from edge.privacy.release import ReleaseGate
from edge.privacy.round import ReleaseRound
from edge.settings import Settings
from edge.storage.database import open_reader
from edge.storage.store import Store
from edge.writer import Writer

CREDENTIAL = "c0ffee" * 8


def till_settings(folder: Path, **tables: object) -> Settings:
    """A shop in Berlin with two tills, of which the first may post."""
    (folder / "till-1.credential").write_text(CREDENTIAL, "ascii")
    return Settings.model_validate(
        {
            "store": {"id": "shop-1", "timezone": "Europe/Berlin"},
            "state": folder,
            "zones": [{"id": "hall"}],
            "tills": [
                {"id": "till-1", "zone": "hall", "credential_file": folder / "till-1.credential"},
                {"id": "till-2", "zone": "hall"},
            ],
            **tables,
        }
    )


def reader_of(settings: Settings):
    """What reads a till's messages in this shop."""
    timezone = ZoneInfo(settings.store.timezone)
    return lambda payload, device, at: read_transaction(payload, till=device.id, received_at=at, timezone=timezone)


class Acks:
    """Where acks go: remembered."""

    def __init__(self) -> None:
        self.ids: list[UUID] = []
        self._heard = threading.Condition()

    def acknowledge(self, receipt: Receipt) -> None:
        """No broker here."""

    def send_ack(self, device: Device, ack: Ack) -> None:
        """Remember it."""
        with self._heard:
            self.ids += ack.message_ids
            self._heard.notify_all()

    def send_recommendation(self, device: Device, recommendation: Recommendation) -> None:
        """No mirror here."""

    def wait(self, count: int) -> None:
        """Until so many were heard."""
        with self._heard:
            assert self._heard.wait_for(lambda: len(self.ids) >= count, 60), f"{len(self.ids)} of {count} acks"


class TillShop:
    """The gateway's way of a sale without a broker: what is sent goes through door, handling and writer."""

    def __init__(self, settings: Settings, *, clock: Clock = utc_now) -> None:
        self.settings = settings
        self.clock = clock
        self.acks = Acks()
        self.commits = CommitWatch(self.acks)
        self._store = Store(settings.store_db)
        outbox = Outbox(store="shop-1", incarnation=self._store.incarnation)
        gate = ReleaseGate(settings.privacy, noise=lambda count, _epsilon: count)
        self._consent = ConsentGate.of(settings)
        self.writer = Writer(
            settings,
            store=self._store,
            replies=self.commits,
            release_round=ReleaseRound(settings, gate=gate, outbox=outbox),
            outbox=outbox,
            connected=lambda: False,
            clock=clock,
        )
        self._inbound = Inbound.of(settings, read_transaction=reader_of(settings))
        self.writer.start()

    def read(self, topic: str, payload: bytes) -> Received:
        """As the gateway's intake."""
        now = self.clock()
        try:
            return self._inbound.take(topic, payload, received_at=now, receipt=None)
        except MessageRejected as error:
            self.writer.put(Outcome(now, dead_letter=dead_letter_of(error, topic, payload)))
            raise

    def put(self, received: Received) -> bool:
        """As the gateway's intake."""
        return self.writer.put(handle(received, gate=self._consent))

    def say(self, payload: bytes, *, till: str = "till-1") -> None:
        """What a till publishes."""
        assert self.put(self.read(topic_for("shop-1", Device("pos", till), "transaction"), payload))

    def close(self) -> None:
        """Commit what waits, then close."""
        self.writer.stop()
        self._store.close()

    def await_release(self) -> None:
        """Until nothing is left that may leave; the clock has been moved past the windows' end."""
        deadline = time.monotonic() + 60
        while self._pending():
            assert time.monotonic() < deadline, "windows that are not released"
            time.sleep(0.02)

    def _pending(self) -> int:
        with open_reader(self.settings.store_db) as sql:
            return int(sql.execute("SELECT count(*) FROM windows WHERE release_seq = 0").fetchone()[0])

    def figures(self) -> dict[str, int]:
        """The sums of all windows, by key; those that are nought left out."""
        with open_reader(self.settings.store_db) as sql:
            rows = sql.execute("SELECT key, sum(value) FROM windows WHERE metric = 'sales' GROUP BY key").fetchall()
        return {key: value for key, value in rows if value}

    def counter(self, name: str) -> int:
        """A running total."""
        with open_reader(self.settings.store_db) as sql:
            row = sql.execute("SELECT value FROM counters WHERE name = ?", (name,)).fetchone()
        return int(row[0]) if row else 0


MakeShop = Callable[..., TillShop]
