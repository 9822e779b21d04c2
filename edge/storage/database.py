"""Opening a database: one owner that writes, any number of readers that cannot.

Each process owns one SQLite file and only its owner writes it (design, section 2). SQLite before 3.51.3 can corrupt a WAL
database when two connections write or checkpoint it at once; Debian 12 has 3.40.1, so one owner is a rule, not a taste.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from edge.errors import StorageError

__all__ = ["OwnedDatabase", "open_reader", "owner_of", "transaction"]

_BUSY_TIMEOUT_S = 10.0


class OwnedDatabase:
    """A database this process alone writes; a second owner is refused. Close it when done."""

    def __init__(self, path: Path, *, migrations: Migrations) -> None:
        """Open or make the file at `path` (mode 0600) and bring its tables up to date.

        Raises:
            StorageError: another process owns it, or it cannot be opened.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._lock = _own(path)
        try:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self.connection = sqlite3.connect(
                path, isolation_level=None, timeout=_BUSY_TIMEOUT_S, check_same_thread=False
            )
            for pragma in (
                "journal_mode=WAL",
                "synchronous=FULL",
                "mmap_size=0",
                "foreign_keys=ON",
                "secure_delete=ON",
            ):
                self.connection.execute(f"PRAGMA {pragma}")
            migrations.apply(Database(self.connection))
        except sqlite3.Error as error:
            self._lock.close()
            raise StorageError("open database", f"{path}: {error}", "check the disk, or restore a backup") from error

    def close(self) -> None:
        """Close the connection and give up ownership."""
        self.connection.close()
        self._lock.close()


def _own(path: Path) -> IO[bytes]:
    """Hold `path`.lock for this process's life; the kernel frees it however the process ends."""
    lock = path.with_name(path.name + ".lock").open("a+b")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise StorageError(
            "open database",
            f"{path} is owned by another process",
            "stop that process first (`threshold status` names it)",
        ) from error
    lock.truncate(0)
    lock.write(str(os.getpid()).encode())
    lock.flush()
    return lock


def owner_of(path: Path) -> int | None:
    """Process id of the living owner of the database at `path`, or None."""
    try:
        pid = int(path.with_name(path.name + ".lock").read_text())
        os.kill(pid, 0)
    except (FileNotFoundError, ValueError, ProcessLookupError):
        return None
    except PermissionError:
        return pid  # alive, and another user's
    return pid


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """One write transaction: committed as a whole at the end, undone as a whole on any error."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:  # whatever ends the block, a Ctrl-C too, undoes it; it is raised again
        # A full disk or a broken one makes SQLite roll back by itself; a COMMIT that failed may leave the transaction open.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def open_reader(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that can read another process's database and cannot write it.

    Raises:
        StorageError: there is no such database yet.
    """
    if not path.exists():
        raise StorageError("open database", f"{path} does not exist yet", "start the process that owns it")
    try:
        connection = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=_BUSY_TIMEOUT_S
        )
    except sqlite3.Error as error:
        raise StorageError("open database", f"{path}: {error}", "check that this user may read it") from error
    connection.row_factory = sqlite3.Row
    with closing(connection):
        yield connection
