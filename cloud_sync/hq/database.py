"""Opening HQ's database: SQLite in one file by default, PostgreSQL where thousands of stores report."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from sqlalchemy import URL, Engine, QueuePool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from cloud_sync.hq.schema import migrate
from edge.errors import StorageError

__all__ = ["open_database", "sqlite_url"]

_BUSY_TIMEOUT_S = 10
_POOL_TIMEOUT_S = 30


def sqlite_url(folder: Path) -> str:
    """The URL of the SQLite database in HQ's data `folder`."""
    return URL.create("sqlite", database=str(folder / "hq.db")).render_as_string()


def open_database(url: str) -> Engine:
    """The database at `url`, its tables up to date. Whoever opens it calls `dispose`.

    Raises:
        StorageError: it cannot be reached or opened, or is neither SQLite in a file nor PostgreSQL.
    """
    parsed = _checked(url)
    try:
        engine = _sqlite(parsed) if parsed.get_backend_name() == "sqlite" else create_engine(url, hide_parameters=True)
    except (OSError, ImportError) as error:
        raise _unopened(parsed, error) from error
    try:
        with engine.begin() as connection:
            migrate(connection)
    except SQLAlchemyError as error:
        engine.dispose()
        raise _unopened(parsed, error) from error
    return engine


def _unopened(url: URL, error: BaseException) -> StorageError:
    what = f"{url.render_as_string()}: {str(error).splitlines()[0]}"
    return StorageError("open HQ's database", what, "check that it exists and may be written")


def _checked(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise StorageError("open HQ's database", "its URL cannot be read", "write sqlite:///FILE") from error
    backend = parsed.get_backend_name()
    if backend not in ("sqlite", "postgresql"):
        raise StorageError("open HQ's database", f"{backend} is not supported", "use sqlite or postgresql")
    if backend == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise StorageError("open HQ's database", "SQLite in memory forgets what it acknowledged", "name a file")
    return parsed


def _sqlite(url: URL) -> Engine:
    path = Path(str(url.database))
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=1,
        max_overflow=0,
        pool_timeout=_POOL_TIMEOUT_S,
        hide_parameters=True,
        connect_args={"check_same_thread": False, "timeout": _BUSY_TIMEOUT_S},
    )
    _take_turns(engine, path)
    return engine


def _take_turns(engine: Engine, path: Path) -> None:
    """One connection uses the file at a time, across processes too.

    `threshold hq add-store` runs while HQ serves, and SQLite before 3.51.3 can corrupt a WAL database that two
    connections write or checkpoint at once. The kernel frees the lock however a process ends.
    """
    lock = path.with_name(path.name + ".lock").open("ab")

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver must not begin transactions by itself; `_begin` does
        with _held(lock):
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "mmap_size=0", "foreign_keys=ON"):
                connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN")

    @event.listens_for(engine, "checkout")
    def _on_checkout(_connection: object, _record: object, _proxy: object) -> None:
        fcntl.flock(lock, fcntl.LOCK_EX)

    @event.listens_for(engine, "checkin")
    def _on_checkin(_connection: object, _record: object) -> None:
        fcntl.flock(lock, fcntl.LOCK_UN)

    @event.listens_for(engine, "close")
    def _on_close(_connection: object, _record: object) -> None:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the last connection to close checkpoints

    @event.listens_for(engine, "engine_disposed")
    def _on_dispose(_engine: object) -> None:
        lock.close()


@contextmanager
def _held(lock: IO[bytes]) -> Iterator[None]:
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(lock, fcntl.LOCK_UN)
