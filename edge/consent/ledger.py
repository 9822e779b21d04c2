"""The ledger: entries in one canonical form, each chained to the one before by its hash. Pure; the table is elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal, Self, cast, get_args

from edge.consent.canonical import canonical
from edge.consent.subject import Subject, subject_of
from edge.errors import ThresholdError

__all__ = ["GENESIS", "Chain", "Entry", "Fields", "Kind", "LedgerBroken", "link_hash", "parse", "rfc3339"]

Kind = Literal[
    "shown", "granted", "refused", "withdrawn", "expired", "erased", "guardian", "receipt", "exported", "ticket"
]
KINDS = frozenset(get_args(Kind))

Fields = dict[str, Any]
"""An entry's JSON object."""

GENESIS = bytes(32)
"""What the first entry is chained to."""

_VERSION = 1
_LABEL = b"threshold-consent-v1\n"
_DECODER = json.JSONDecoder()
_OWN = ("v", "seq", "at", "kind", "act", "subject", "purpose", "notice")


class LedgerBroken(ThresholdError):
    """The ledger, or what is derived from it, is not what was written; `seq` is the first entry that is wrong, 0 if none is."""

    def __init__(self, seq: int, what: str) -> None:
        super().__init__(
            "verify ledger",
            f"entry {seq}: {what}" if seq else what,
            "keep this file as evidence and restore consent.db from a backup",
        )
        self.seq = seq
        self.what = what


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the ledger: one decision about one purpose, or one deed.

    `act` is shared by the entries of one deed. `details`, by kind: shown: notices {purpose: version}, language, channel.
    granted: until (RFC 3339), language, channel, age_band, separate (true where confirmed on a screen of its own). refused:
    language, channel. withdrawn, expired, erased: channel, key (`destroyed` where this deed destroyed the subject's key).
    guardian: relation, channel. receipt, exported: channel. ticket: ticket (its id), about, channel.
    """

    seq: int
    at: datetime
    kind: Kind
    act: str
    subject: Subject | None
    purpose: str | None
    notice: str | None
    details: Mapping[str, Any]

    def fields(self) -> Fields:
        """The entry as a JSON object; what is None is left out."""
        own = (_VERSION, self.seq, rfc3339(self.at), self.kind, self.act, self.subject, self.purpose, self.notice)
        named = zip(_OWN, own, strict=True)
        return {**self.details, **{name: value for name, value in named if value is not None}}

    def encode(self) -> bytes:
        """The canonical bytes that are hashed and stored."""
        return canonical(self.fields())

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """The entry of canonical bytes that were verified.

        Raises:
            ValueError: they hold no entry.
        """
        fields = parse(raw)
        if not isinstance(fields, dict) or fields.get("v") != _VERSION or fields.get("kind") not in KINDS:
            raise ValueError("no ledger entry")
        return cls(
            seq=int(fields["seq"]),
            at=datetime.fromisoformat(fields["at"]),
            kind=cast(Kind, fields["kind"]),
            act=str(fields["act"]),
            subject=fields.get("subject"),
            purpose=fields.get("purpose"),
            notice=fields.get("notice"),
            details={name: value for name, value in fields.items() if name not in _OWN},
        )


class Chain:
    """The ledger as far as it has been read: feed it every row in order, and it finds the first that does not follow."""

    __slots__ = ("hash", "seq")

    def __init__(self, seq: int = 0, digest: bytes = GENESIS) -> None:
        """Go on after entry `seq` with this hash."""
        self.seq = seq
        self.hash = digest

    def add(self, seq: int, subject: bytes | None, entry: bytes, digest: bytes) -> Fields:
        """Check the next row of the table: number, hash, canonical form, pseudonym. Returns the entry's fields.

        Raises:
            LedgerBroken: it is not what was written there.
        """
        due = self.seq + 1
        if seq != due:
            raise LedgerBroken(due, f"missing; the next one is {seq}")
        if type(entry) is not bytes or link_hash(self.hash, entry) != digest:
            raise LedgerBroken(due, "its hash does not follow from it and the one before")
        fields = _fields(due, entry)
        named = subject_of(subject) if isinstance(subject, bytes) else subject
        if fields.get("v") != _VERSION or fields.get("seq") != due or fields.get("kind") not in KINDS:
            raise LedgerBroken(due, "it is no entry of this number")
        if fields.get("subject") != named:
            raise LedgerBroken(due, "it is filed under another subject")
        self.seq, self.hash = due, digest
        return fields


def link_hash(previous: bytes, entry: bytes) -> bytes:
    """The hash that chains `entry` to the entry whose hash is `previous`."""
    return sha256(_LABEL + previous + entry).digest()


def rfc3339(moment: datetime) -> str:
    """`moment` in UTC to the millisecond, such as 2026-03-02T09:00:00.000Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse(entry: bytes) -> Any:
    """The JSON value of `entry`; faster than `json.loads`, which guesses encodings and skips spaces.

    Raises:
        ValueError: it is none.
    """
    text = entry.decode()
    value, end = _DECODER.raw_decode(text)
    if end != len(text):
        raise ValueError("more than one value")
    return value


def _fields(seq: int, entry: bytes) -> Fields:
    try:
        fields = parse(entry)
        if isinstance(fields, dict) and canonical(fields) == entry:
            return fields
    except (ValueError, RecursionError):
        pass
    raise LedgerBroken(seq, "it is not in canonical form")
