"""sync.db: the number the gateway prunes by."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cloud_sync.sync_record import Refused, SyncRecord
from edge.errors import StorageError
from edge.storage.database import open_reader

AT = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture
def record(tmp_path: Path) -> Iterator[SyncRecord]:
    with closing(SyncRecord(tmp_path / "sync.db")) as made:
        yield made


def test_a_new_store_begins_at_nothing(record: SyncRecord) -> None:
    """Before HQ has acknowledged anything, the position is 0."""
    assert record.position("life-1") == 0


def test_the_position_survives_the_process(tmp_path: Path) -> None:
    """What HQ acknowledged is there after closing and opening again."""
    with closing(SyncRecord(tmp_path / "sync.db")) as record:
        record.position("life-1")
        record.acknowledge("life-1", through=42, refused=[], at=AT)
    with closing(SyncRecord(tmp_path / "sync.db")) as record:
        assert record.position("life-1") == 42


def test_the_position_never_moves_back(record: SyncRecord) -> None:
    """An older acknowledgement that comes late changes nothing."""
    record.position("life-1")
    record.acknowledge("life-1", through=9, refused=[], at=AT)
    record.acknowledge("life-1", through=4, refused=[], at=AT)
    assert record.position("life-1") == 9


def test_a_store_made_anew_begins_at_nothing(record: SyncRecord) -> None:
    """A lost and remade store.db counts from 1 again: the old position would skip its first events."""
    record.position("life-1")
    record.acknowledge("life-1", through=500, refused=[], at=AT)
    assert record.position("life-2") == 0
    record.acknowledge("life-1", through=600, refused=[], at=AT)
    assert record.position("life-2") == 0


def test_others_read_the_position_by_plain_sql(record: SyncRecord, tmp_path: Path) -> None:
    """The gateway and the dashboard know these tables and columns by name."""
    record.position("life-1")
    record.acknowledge("life-1", through=7, refused=[], at=AT)
    record.failed("HQ is away", at=AT)
    with open_reader(tmp_path / "sync.db") as reader:
        assert tuple(reader.execute("SELECT acknowledged_sequence, incarnation FROM position").fetchone()) == (
            7,
            "life-1",
        )
        state = reader.execute("SELECT last_success_s, last_attempt_s, last_error FROM uplink_state").fetchone()
    assert tuple(state) == (None, int(AT.timestamp()), "HQ is away")


def test_a_success_clears_the_error(record: SyncRecord, tmp_path: Path) -> None:
    """The dashboard shows no error that is over."""
    record.failed("HQ is away", at=AT)
    record.succeeded(at=AT)
    with open_reader(tmp_path / "sync.db") as reader:
        (error,) = reader.execute("SELECT last_error FROM uplink_state").fetchone()
    assert error is None


def test_a_refused_event_is_kept_whole_with_its_reason(record: SyncRecord, tmp_path: Path) -> None:
    """The gateway prunes it from the outbox, so this is the only copy left."""
    record.position("life-1")
    record.acknowledge("life-1", through=3, refused=[Refused(2, "life-1-2", "HQ: unfit", b"{}")], at=AT)
    with open_reader(tmp_path / "sync.db") as reader:
        rows = reader.execute("SELECT sequence, event_id, reason, at, event FROM rejected_events").fetchall()
    assert [tuple(row) for row in rows] == [(2, "life-1-2", "HQ: unfit", int(AT.timestamp()), b"{}")]


def test_a_second_sync_process_is_refused(record: SyncRecord, tmp_path: Path) -> None:
    """Two owners of sync.db could send twice over and corrupt the file."""
    with pytest.raises(StorageError, match="owned by another process"):
        SyncRecord(tmp_path / "sync.db")
