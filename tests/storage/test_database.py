"""One owner, readers that cannot write, all or nothing."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import textwrap
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from edge.errors import StorageError
from edge.messages import Device
from edge.storage.database import open_reader, owner_of, transaction
from edge.storage.store import Store
from edge.windows import Cell, Increment, Metric

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ID = UUID(int=1)


def test_a_second_owner_is_refused_and_the_first_is_named(tmp_path: Path):
    """Two writers of one file are how SQLite's WAL-reset bug corrupts it."""
    path = tmp_path / "store.db"
    store = Store(path)
    with pytest.raises(StorageError, match="owned by another process"):
        Store(path)
    assert owner_of(path) == os.getpid()
    store.close()
    Store(path).close()


def test_a_killed_owner_leaves_the_database_free(tmp_path: Path):
    """The lock goes with the process, however it ends."""
    code = textwrap.dedent(
        """
        import os, sys, pathlib
        from edge.storage.store import Store
        store = Store(pathlib.Path(sys.argv[1]))
        os.kill(os.getpid(), 9)
        """
    )
    path = tmp_path / "store.db"
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert done.returncode == -9
    assert owner_of(path) is None
    Store(path).close()


def test_a_reader_cannot_write(tmp_path: Path):
    """A hole in the page cannot alter a count."""
    path = tmp_path / "store.db"
    store = Store(path)
    with open_reader(path) as reader, pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("INSERT INTO counters VALUES ('x', 1)")
    store.close()


def test_a_reader_of_nothing_says_so(tmp_path: Path):
    """A database that is not there yet is one clear line."""
    with pytest.raises(StorageError, match="does not exist yet"), open_reader(tmp_path / "store.db"):
        pass


def test_only_the_owner_may_read_the_file(tmp_path: Path):
    """The database is made with mode 0600."""
    Store(tmp_path / "store.db").close()
    assert stat.S_IMODE((tmp_path / "store.db").stat().st_mode) == 0o600


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path):
    """Message id and counts are written together or not at all."""
    store = Store(tmp_path / "store.db")
    increment = Increment(Cell(0, Metric.VISITS, "door/line", "in"), 1)
    with pytest.raises(ZeroDivisionError), store.transaction() as tx:  # noqa: PT012  the error is the last step
        assert tx.first_time(ID, at=NOW)
        tx.add([increment])
        _ = 1 / 0
    with store.transaction() as tx:
        assert tx.first_time(ID, at=NOW)
        assert not tx.first_time(ID, at=NOW)
        assert tx.pending_cells(before_s=10**10) == []
    store.close()


def test_a_readers_view_follows_commits(tmp_path: Path):
    """Another connection sees what was committed, and only that."""
    store = Store(tmp_path / "store.db")
    with open_reader(store_path := tmp_path / "store.db") as reader:
        with store.transaction() as tx:
            tx.count("frames", 3)
            assert reader.execute("SELECT count(*) FROM counters").fetchone()[0] == 0
        assert reader.execute("SELECT value FROM counters").fetchone()[0] == 3
    assert store_path.exists()
    store.close()


def test_a_device_that_stays_as_it_is_is_no_news(tmp_path: Path):
    """Only a change of state is worth an event."""
    store = Store(tmp_path / "store.db")
    camera = Device("camera", "door")
    with store.transaction() as tx:
        assert tx.device_seen(camera, at=NOW)
        assert not tx.device_seen(camera, at=NOW)
        assert tx.device_seen(camera, at=NOW, state="offline")
    store.close()


def test_pruning_keeps_what_has_not_left(tmp_path: Path):
    """Windows that have not been released and events HQ has not acknowledged survive any pruning."""
    store = Store(tmp_path / "store.db")
    with store.transaction() as tx:
        tx.add([Increment(Cell(0, Metric.VISITS, "door/line", "in"), 2)])
        tx.enqueue(tx.next_sequence(), "{}", at=NOW)
        tx.enqueue(tx.next_sequence(), "{}", at=NOW)
        tx.prune(acknowledged_sequence=1, messages_before_s=10**10, windows_before_s=10**10)
        assert len(tx.pending_cells(before_s=10**10)) == 1
        assert tx.next_sequence() == 3
    with open_reader(tmp_path / "store.db") as reader:
        assert [row[0] for row in reader.execute("SELECT sequence FROM outbox")] == [2]
    store.close()


def test_a_rollback_reports_the_first_error(tmp_path: Path):
    """The error inside the transaction reaches the caller as it was."""
    store = Store(tmp_path / "store.db")
    with pytest.raises(KeyError), transaction(store._connection):
        raise KeyError
    store.close()


def test_a_full_disk_loses_the_transaction_and_not_the_database(tmp_path: Path):
    """SQLite rolls back by itself then; the error is told as it is, and the next transaction works."""
    store = Store(tmp_path / "store.db")
    connection = store._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(sqlite3.OperationalError, match="full"), store.transaction() as tx:  # noqa: PT012  last step
        tx.count("frames")
        tx.enqueue(tx.next_sequence(), "x" * 1_000_000, at=NOW)
    assert not connection.in_transaction
    connection.execute("PRAGMA max_page_count = 1000000")
    with store.transaction() as tx:
        tx.enqueue(tx.next_sequence(), "x", at=NOW)
    assert connection.execute("SELECT count(*) FROM counters").fetchone() == (0,)
    assert connection.execute("SELECT count(*) FROM outbox").fetchone() == (1,)
    store.close()


def test_a_commit_that_fails_leaves_no_open_transaction(tmp_path: Path):
    """A constraint checked at the commit undoes the whole, and the connection can be used again."""
    store = Store(tmp_path / "store.db")
    connection = store._connection
    connection.execute("CREATE TABLE parent (id INTEGER PRIMARY KEY)")
    connection.execute("CREATE TABLE child (id INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)")
    with pytest.raises(sqlite3.IntegrityError), transaction(connection):
        connection.execute("INSERT INTO child VALUES (1)")
    with store.transaction() as tx:
        tx.count("frames")
    assert connection.execute("SELECT count(*) FROM child").fetchone() == (0,)
    store.close()
