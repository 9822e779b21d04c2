"""HQ's tables and their append-only migrations. Times are seconds since 1970 UTC unless they are a CloudEvent's own text."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Index,
    MetaData,
    String,
    Table,
    Text,
    insert,
    select,
)

__all__ = ["count_windows", "erasures", "events", "migrate", "sales_windows", "stores", "tickets"]

_metadata = MetaData()

stores = Table(
    "stores",
    _metadata,
    Column("store", String(40), primary_key=True),
    Column("credential_hash", String(64), nullable=False),
    Column("timezone", String(64), nullable=False),
    Column("added_s", BigInteger, nullable=False),
    Column("last_seen_s", BigInteger),
)

events = Table(
    "events",
    _metadata,
    Column("source", String(80), primary_key=True),
    Column("id", String(80), primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("type", String(40), nullable=False),
    Column("time", String(40), nullable=False),
    Column("historical", Boolean, nullable=False),
    Column("received_s", BigInteger, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("data", JSON, nullable=False),
    Index("events_in_order", "source", "sequence"),
)


def _window_columns() -> list[Column[int]]:
    return [
        Column("start_s", BigInteger, primary_key=True, autoincrement=False),
        Column("end_s", BigInteger, primary_key=True, autoincrement=False),
    ]


count_windows = Table(
    "count_windows",
    _metadata,
    Column("store", String(40), ForeignKey("stores.store"), primary_key=True),
    *_window_columns(),
    Column("metric", String(40), primary_key=True),
    Column("place", String(128), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

sales_windows = Table(
    "sales_windows",
    _metadata,
    Column("store", String(40), ForeignKey("stores.store"), primary_key=True),
    *_window_columns(),
    Column("till", String(40), primary_key=True),
    Column("currency", String(3), primary_key=True),
    *(
        Column(name, BigInteger, nullable=False)
        for name in ("sales", "returns", "voids", "units", "total_minor", "tax_minor")
    ),
)

tickets = Table(
    "tickets",
    _metadata,
    Column("store", String(40), ForeignKey("stores.store"), primary_key=True),
    Column("ticket", String(36), primary_key=True),
    Column("about", String(16), nullable=False),
    Column("language", String(8), nullable=False),
    Column("due_s", BigInteger, nullable=False),
    Column("received_s", BigInteger, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("answered_s", BigInteger),
    Index("tickets_by_due", "store", "due_s"),
)

erasures = Table(
    "erasures",
    _metadata,
    Column("store", String(40), ForeignKey("stores.store"), primary_key=True),
    Column("subject", String(40), primary_key=True),
    Column("ledger_seq", BigInteger, primary_key=True, autoincrement=False),
    Column("asked_s", BigInteger, nullable=False),
    Column("received_s", BigInteger, nullable=False),
    Column("done_s", BigInteger),
)

_migrations = Table("migrations", _metadata, Column("name", String(80), primary_key=True))


def migrate(connection: Connection) -> None:
    """Bring the tables up to date, inside the caller's transaction."""
    _migrations.create(connection, checkfirst=True)
    done = set(connection.execute(select(_migrations.c.name)).scalars())
    for migration in _MIGRATIONS:
        if migration.__name__ not in done:
            migration(connection)
            connection.execute(insert(_migrations).values(name=migration.__name__))


def m001_spine(connection: Connection) -> None:
    """Stores, events, and the windows derived from them."""
    _metadata.create_all(connection, tables=[stores, events, count_windows, sales_windows])


def m002_requests(connection: Connection) -> None:
    """Questions and erasures that shoppers wait for."""
    _metadata.create_all(connection, tables=[tickets, erasures])


_MIGRATIONS: tuple[Callable[[Connection], None], ...] = (m001_spine, m002_requests)
