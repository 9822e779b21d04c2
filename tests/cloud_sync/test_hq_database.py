"""Opening HQ's database, and sharing its file."""

from __future__ import annotations

import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from cloud_sync.hq.credentials import add_store
from cloud_sync.hq.database import open_database, sqlite_url
from cloud_sync.hq.schema import stores
from edge.errors import StorageError


def pragma(engine: Any, name: str) -> Any:
    with engine.begin() as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def test_sqlite_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    """WAL with full synchronisation, no mmap, foreign keys on: a receipt outlives a power cut."""
    engine = open_database(sqlite_url(tmp_path))
    settings = {name: pragma(engine, name) for name in ("journal_mode", "synchronous", "mmap_size", "foreign_keys")}
    engine.dispose()
    assert settings == {"journal_mode": "wal", "synchronous": 2, "mmap_size": 0, "foreign_keys": 1}


def test_the_file_is_its_owners(tmp_path: Path) -> None:
    """Nobody else on the machine reads the stores' figures."""
    open_database(sqlite_url(tmp_path)).dispose()
    assert stat.S_IMODE((tmp_path / "hq.db").stat().st_mode) == 0o600


def test_opening_again_changes_nothing(tmp_path: Path, kit: Any) -> None:
    """Migrations run once each."""
    for store in ("s1", "s2"):
        engine = open_database(sqlite_url(tmp_path))
        with engine.begin() as connection:
            add_store(connection, store, credential="c", timezone="UTC", renew=False, at=kit.NOON)
            known = set(connection.execute(select(stores.c.store)).scalars())
        engine.dispose()
    assert known == {"s1", "s2"}


def test_two_processes_take_turns(tmp_path: Path) -> None:
    """While one is in a transaction the other waits: two writers of one WAL file may corrupt it."""
    first, second = open_database(sqlite_url(tmp_path)), open_database(sqlite_url(tmp_path))
    order: list[str] = []

    def come_second() -> None:
        with second.begin():
            order.append("second")

    with first.begin():
        waiting = threading.Thread(target=come_second)
        waiting.start()
        waiting.join(0.3)
        order.append("first")
    waiting.join(60)
    first.dispose()
    second.dispose()
    assert order == ["first", "second"]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("no url", "cannot be read"),
        ("mysql://u:secret@h/d", "mysql is not supported"),
        ("sqlite://", "forgets what it acknowledged"),
        ("sqlite:///:memory:", "forgets what it acknowledged"),
        ("postgresql+asyncpg://u:secret@127.0.0.1:1/d", "postgresql"),
    ],
)
def test_an_unfit_database_is_refused_in_one_line(url: str, why: str) -> None:
    """Unknown, forgetful or unreachable; a password in the URL is not shown."""
    with pytest.raises(StorageError, match=why) as caught:
        open_database(url)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_that_cannot_hold_it_is_named(tmp_path: Path) -> None:
    """The error names the file."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"hq\.db"):
        open_database(sqlite_url(tmp_path / "file"))


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    """Whatever lies there is left as it is."""
    (tmp_path / "hq.db").write_text("something else altogether, and long enough to be looked at" * 20)
    with pytest.raises(StorageError, match="file is not a database"):
        open_database(sqlite_url(tmp_path))
