"""What ails a camera reaches the gateway's record and the outbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from edge.clock import epoch_s
from edge.messages import Device
from edge.outbox.events import CameraHealth, event_batch
from edge.outbox.table import Outbox
from edge.outcome import Outcome
from edge.privacy.release import ReleaseGate
from edge.privacy.round import ReleaseRound
from edge.settings import Settings
from edge.storage.database import open_reader
from edge.storage.store import Store
from edge.writer import Writer

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CAM = Device("camera", "cam")


class NoReplies:
    """Nobody waits for an answer to a frame."""

    def acknowledge(self, receipt: object) -> None: ...
    def send_ack(self, device: object, ack: object) -> None: ...
    def send_recommendation(self, device: object, recommendation: object) -> None: ...


def test_complaints_are_gauges_and_events(tmp_path: Path) -> None:
    """Covered, then well again: the gauge says how it is now, the outbox both; nothing else is told of the picture."""
    settings = Settings.model_validate({"store": {"id": "s1"}, "state": tmp_path})
    store = Store(settings.store_db)
    outbox = Outbox(store="s1", incarnation=store.incarnation)
    writer = Writer(
        settings,
        store=store,
        replies=NoReplies(),
        release_round=ReleaseRound(settings, gate=ReleaseGate(settings.privacy, noise=lambda n, _: n), outbox=outbox),
        outbox=outbox,
        connected=lambda: True,
        clock=lambda: NOON,
    )
    for second, complaints in ((0, ()), (10, ("covered",)), (11, None), (60, ("dark", "frozen"))):
        writer.put(Outcome(NOON + timedelta(seconds=second), device=CAM, people_visible=0, complaints=complaints))
    writer.start()
    writer.stop()
    with open_reader(settings.store_db) as reader:
        gauges = dict(reader.execute("SELECT name, value FROM gauges WHERE name LIKE 'camera%'").fetchall())
        rows = [bytes(row[0]).decode() for row in reader.execute("SELECT event FROM outbox ORDER BY sequence")]
    store.close()
    assert gauges == {
        "camera_dark/cam": 1.0,
        "camera_covered/cam": 0.0,
        "camera_moved/cam": 0.0,
        "camera_blurred/cam": 0.0,
        "camera_frozen/cam": 1.0,
    }
    events = [one for one in event_batch.validate_json(f"[{','.join(rows)}]") if isinstance(one.data, CameraHealth)]
    assert [event.data.complaints for event in events] == [(), ("covered",), ("dark", "frozen")]
    assert {event.type for event in events} == {"threshold.camera_health.v1"}
    assert [epoch_s(event.time) - epoch_s(NOON) for event in events] == [0, 10, 60]
