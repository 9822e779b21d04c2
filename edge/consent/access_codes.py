"""What opens a shopper's page: a code to type and a link to scan. The database knows only keyed hashes of them."""

from __future__ import annotations

import hmac
import re
import sqlite3
from base64 import urlsafe_b64encode
from typing import Literal

from edge.consent.choices import Codes
from edge.consent.subject import Random
from edge.privacy.keyring import Keyring

__all__ = ["AccessCodes", "AccessKind", "normal_code"]

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})
_CODE = re.compile(f"[{_CROCKFORD}]{{8}}")
_CODE_BYTES = 5
_LINK_BYTES = 16
_LONGEST = 64
_ERASED_LINK_S = 90 * 86400
"""The page of an erased subject goes on telling how the erasure fares, HQ's receipt included."""

AccessKind = Literal["code", "link"]


class AccessCodes:
    """Makes codes, finds whose they are, and voids them, inside a transaction of the caller's."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def issue(self, sql: sqlite3.Connection, subject: bytes, *, expires_s: int, random: Random) -> Codes:
        """A new code and link for `subject`, known to nobody but the caller."""
        code = self._new(sql, "code", subject, expires_s=expires_s, random=random)
        return Codes(f"{code[:4]}-{code[4:]}", self._new(sql, "link", subject, expires_s=expires_s, random=random))

    def owner(self, sql: sqlite3.Connection, kind: AccessKind, text: str, *, at_s: int) -> bytes | None:
        """Whose code or link `text` is, if it has not expired.

        Every text takes the same steps: the look-up is by a keyed hash, of which nobody outside can make a near miss.
        """
        mac = self._mac(kind, (normal_code(text) if kind == "code" else text[:_LONGEST]))
        row = sql.execute("SELECT mac, subject, kind, expires_s FROM access WHERE mac = ?", (mac,)).fetchone()
        if row is None or not hmac.compare_digest(row[0], mac) or row[2] != kind or row[3] <= at_s:
            return None
        return bytes(row[1])

    def extend(self, sql: sqlite3.Connection, subject: bytes, *, expires_s: int) -> None:
        """Let the codes that `subject` has live at least until then."""
        sql.execute("UPDATE access SET expires_s = max(expires_s, ?) WHERE subject = ?", (expires_s, subject))

    def void(self, sql: sqlite3.Connection, subject: bytes) -> None:
        """Make the subject's codes and links open nothing."""
        sql.execute("DELETE FROM access WHERE subject = ?", (subject,))

    def leave_only_the_page(self, sql: sqlite3.Connection, subject: bytes, *, at_s: int) -> None:
        """What an erasure leaves: the link, for a while, so that the page can say that all is gone."""
        sql.execute("DELETE FROM access WHERE subject = ? AND kind = 'code'", (subject,))
        sql.execute("UPDATE access SET expires_s = ? WHERE subject = ?", (at_s + _ERASED_LINK_S, subject))

    def _new(self, sql: sqlite3.Connection, kind: AccessKind, subject: bytes, *, expires_s: int, random: Random) -> str:
        while True:
            text = _code(random) if kind == "code" else _link(random)
            row = (self._mac(kind, text), subject, kind, expires_s)
            if sql.execute("INSERT OR IGNORE INTO access VALUES (?, ?, ?, ?)", row).rowcount:
                return text

    def _mac(self, kind: AccessKind, text: str) -> bytes:
        return self._keyring.mac("receipt-code" if kind == "code" else "receipt-link", text.encode(errors="replace"))


def normal_code(text: str) -> str:
    """A receipt code as it was made, however somebody typed it (Crockford's base32: O is 0, I and L are 1); else nonsense."""
    code = text[:_LONGEST].upper().translate(_READ_AS)
    return code if _CODE.fullmatch(code) else ""


def _code(random: Random) -> str:
    number = int.from_bytes(random(_CODE_BYTES))
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(35, -1, -5))


def _link(random: Random) -> str:
    return urlsafe_b64encode(random(_LINK_BYTES)).decode().rstrip("=")
