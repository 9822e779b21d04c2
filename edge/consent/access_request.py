"""What is held on one subject, in one answer (GDPR Art. 15, PIPL Art. 45)."""

from __future__ import annotations

import json
import sqlite3
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from edge.clock import from_epoch_s
from edge.consent.ledger import Entry, rfc3339
from edge.consent.purposes import PurposeBook
from edge.consent.standing import SubjectRow, find_subject, history_of, view_of
from edge.consent.subject import Subject
from edge.consent.tickets import Tickets
from edge.privacy.keyring import Keyring
from edge.privacy.subject_keys import SubjectKeys

__all__ = ["access_request"]

_FORMAT = "threshold-access-request-1"


def access_request(
    sql: sqlite3.Connection, subject: Subject, *, keyring: Keyring, purposes: PurposeBook, at: datetime
) -> dict[str, Any]:
    """Everything the registry holds on `subject`, readable, as JSON objects. Codes are not among it: nobody has them.

    Raises:
        NoSuchSubject: nobody is known by that name.
    """
    row = find_subject(sql, subject)
    history = history_of(sql, subject)
    view = asdict(view_of(sql, subject, purposes=purposes, at=at))
    return {
        "format": _FORMAT,
        "made_at": rfc3339(at),
        "standing": _plain(view),
        "ledger": [entry.fields() for entry in history],
        "notices": _notices(sql, history),
        "data": _data(sql, row, keyring=keyring),
        "tickets": [_plain(asdict(ticket)) for ticket in Tickets(keyring).of(sql, row.raw)],
        "sessions": _sessions(sql, row),
        "access": _access(sql, row),
    }


def _plain(value: Any) -> Any:
    """`value` with moments as RFC 3339."""
    match value:
        case datetime():
            return rfc3339(value)
        case dict():
            return {name: _plain(one) for name, one in value.items()}
        case list() | tuple():
            return [_plain(one) for one in value]
        case _:
            return value


def _notices(sql: sqlite3.Connection, history: Iterable[Entry]) -> dict[str, Any]:
    """The words of every notice that was shown, by version."""
    versions = {version for entry in history for version in entry.details.get("notices", {}).values()}
    query = "SELECT content FROM notices WHERE version = ?"
    return {version: json.loads(sql.execute(query, (version,)).fetchone()[0]) for version in sorted(versions)}


def _data(sql: sqlite3.Connection, row: SubjectRow, *, keyring: Keyring) -> dict[str, Any]:
    """What is kept under the subject's key, opened."""
    keys, opened = SubjectKeys(keyring), {}
    query = "SELECT name, sealed FROM subject_data WHERE subject = ? ORDER BY name"
    for name, sealed in sql.execute(query, (row.raw,)) if row.key is not None else ():
        opened[name] = _readable(keys.open(sealed, wrapped=row.key or b"", subject=row.raw, name=name))
    return opened


def _readable(content: bytes) -> str | dict[str, str]:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return {"base64": b64encode(content).decode()}


def _sessions(sql: sqlite3.Connection, row: SubjectRow) -> list[dict[str, Any]]:
    query = "SELECT purposes, created_s, expires_s, ended FROM sessions WHERE subject = ? ORDER BY created_s"
    return [
        {
            "purposes": json.loads(purposes),
            "created_at": rfc3339(from_epoch_s(created_s)),
            "expires_at": rfc3339(from_epoch_s(expires_s)),
            "ended": bool(ended),
        }
        for purposes, created_s, expires_s, ended in sql.execute(query, (row.raw,))
    ]


def _access(sql: sqlite3.Connection, row: SubjectRow) -> list[dict[str, str]]:
    query = "SELECT kind, expires_s FROM access WHERE subject = ? ORDER BY kind"
    return [
        {"kind": kind, "expires_at": rfc3339(from_epoch_s(expires_s))}
        for kind, expires_s in sql.execute(query, (row.raw,))
    ]
