"""A database that may not be there yet: read it as if it were, and know whether it was."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import structlog

from edge.errors import StorageError
from edge.storage.database import open_reader
from edge.web.figures import Record

__all__ = ["Source", "open_source"]

log = structlog.get_logger(__name__)

T = TypeVar("T")


class Source:
    """One snapshot of another process's database. An absent one has no rows; one that fails says so in `record`."""

    def __init__(self, name: str, *, connection: sqlite3.Connection | None) -> None:
        self.record: Record = "absent" if connection is None else "ready"
        self._name = name
        self._connection = connection

    def read(self, question: Callable[[sqlite3.Connection], T], *, otherwise: T) -> T:
        """What `question` answers, or `otherwise` where the database is absent or cannot be read."""
        if self._connection is None:
            return otherwise
        try:
            return question(self._connection)
        except sqlite3.Error as error:
            self.fail(error)
            return otherwise

    def rows(self, query: str, *parameters: Any) -> list[sqlite3.Row]:
        """All rows of `query`; none where the database is absent or cannot be read."""
        return self.read(lambda sql: sql.execute(query, parameters).fetchall(), otherwise=[])

    def fail(self, error: Exception) -> None:
        """From here on the database counts as unreadable; logged once."""
        log.warning("unreadable", database=self._name, error=str(error))
        self.record = "unreadable"
        self._connection = None


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """The database at `path` as it is at this moment, closed at the end."""
    with ExitStack() as stack:
        yield _source(path, stack=stack)


def _source(path: Path, *, stack: ExitStack) -> Source:
    if not path.exists():
        return Source(path.name, connection=None)
    try:
        connection = stack.enter_context(open_reader(path))
        connection.execute("BEGIN")
    except (StorageError, sqlite3.Error) as error:
        source = Source(path.name, connection=None)
        source.fail(error)
        return source
    source = Source(path.name, connection=connection)
    # A file without tables is one that its owner is just making.
    no_tables = source.read(lambda sql: not sql.execute("SELECT 1 FROM sqlite_master").fetchone(), otherwise=False)
    return Source(path.name, connection=None) if no_tables else source
