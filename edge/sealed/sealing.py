"""Sealing: what this box writes for headquarters, and can't read back itself.

A fresh data key (AES-256-GCM) closes the records, and is itself closed to each recipient by HPKE (RFC 9180, base mode): by
default with ML-KEM-768 and X25519 together, so that what is stored today does not open to a quantum computer of tomorrow.
`cryptography`'s HPKE takes no associated data, so version, store and purpose are bound through `info`; the data key's
own associated data binds them again, with the record's id and everything before the nonce. No key on the box opens any of it.

Bytes of a sealed record: version (1), number of recipients (1); for each: suite (1), key id (16), length (2), what HPKE gave
(encapsulated key, ciphertext); then nonce (12), ciphertext and tag.
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from threading import Lock
from typing import NamedTuple

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from edge.clock import Clock, utc_now
from edge.errors import ThresholdError
from edge.sealed.recipient import Recipient, RecipientKey

__all__ = [
    "DATA_KEY_LIFE",
    "CannotOpen",
    "SealSuite",
    "SealedRecord",
    "Sealer",
    "Slot",
    "best_suite",
    "open_sealed",
    "seal",
]

_VERSION = 1
DATA_KEY_LIFE = timedelta(minutes=1)
"""A data key closes no more records after this."""

_MAX_RECORDS = 1 << 20
"""Per data key: with random nonces, far below where AES-GCM wants a new key (NIST SP 800-38D, 8.3)."""
_KEY_BYTES, _NONCE_BYTES, _ID_BYTES = 32, 12, 16
_LABEL = b"threshold-sealed"
_SLOT = struct.Struct(f">B{_ID_BYTES}sH")


class SealSuite(IntEnum):
    """Which HPKE suite closed a data key; the number stands in the sealed record."""

    MLKEM768_X25519 = 1
    """ML-KEM-768 with X25519, HKDF-SHA256, AES-256-GCM."""
    X25519 = 2
    """DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM: where the box's OpenSSL (before 3.5) has no ML-KEM."""


_HPKE = {
    SealSuite.MLKEM768_X25519: Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM),
    SealSuite.X25519: Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM),
}


class CannotOpen(ThresholdError):
    """A sealed record does not open. Why is not said: whoever asks learns nothing from the answer."""

    def __init__(self) -> None:
        super().__init__("open sealed record", "it does not open", "check key, store, purpose and record")


class Slot(NamedTuple):
    """Who can open a record, and by which suite."""

    key_id: str
    suite: SealSuite


@dataclass(frozen=True, slots=True)
class SealedRecord:
    """What may be stored and sent. `store`, `purpose` and `record` are bound to `sealed`, but are not in it."""

    store: str
    purpose: str
    record: str
    sealed: bytes = field(repr=False)

    @property
    def recipients(self) -> tuple[Slot, ...]:
        """Who can open it, and by which suite: hybrid, or the fallback."""
        return tuple(Slot(key_id.hex(), SealSuite(suite)) for suite, key_id, _ in _slots(self.sealed)[0])


def best_suite() -> SealSuite:
    """The hybrid suite, or the fallback where this machine's OpenSSL has no ML-KEM."""
    try:
        MLKEM768PrivateKey.generate()
    except UnsupportedAlgorithm:
        return SealSuite.X25519
    return SealSuite.MLKEM768_X25519


@dataclass(slots=True)
class _DataKey:
    aead: AESGCM = field(repr=False)
    header: bytes
    made_at: datetime
    left: int = _MAX_RECORDS


class Sealer:
    """Seals many records of one purpose for the same recipients, any of whom can open them.

    One data key serves for a minute at most; it is in memory alone. Any thread may call.
    """

    def __init__(
        self,
        *recipients: Recipient,
        store: str,
        purpose: str,
        clock: Clock = utc_now,
        suite: SealSuite | None = None,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        """`suite` is for tests and for rehearsing the fallback; `random` makes data keys and nonces.

        Raises:
            ValueError: no recipient, or more than eight.
        """
        if not 1 <= len(recipients) <= 8:
            raise ValueError("one to eight recipients")
        self._recipients = recipients
        self._store, self._purpose = store, purpose
        self._clock, self._random = clock, random
        self._suite = best_suite() if suite is None else suite
        self._key: _DataKey | None = None
        self._lock = Lock()

    def seal(self, plaintext: bytes, *, record: str = "") -> SealedRecord:
        """Close `plaintext`; `record` is the id of what it belongs to, so that two can't be exchanged."""
        with self._lock:
            key = self._usable()
            key.left -= 1
        nonce = self._random(_NONCE_BYTES)
        associated = _bound(self._store, self._purpose, record) + key.header
        sealed = key.header + nonce + key.aead.encrypt(nonce, plaintext, associated)
        return SealedRecord(self._store, self._purpose, record, sealed)

    def forget_stale(self) -> bool:
        """Drop a data key that is too old; whether there was one. Call it now and then, lest a quiet shop keep one."""
        with self._lock:
            stale = self._key is not None and not self._is_fresh(self._key)
            if stale:
                self._key = None
            return stale

    def _usable(self) -> _DataKey:
        if self._key is None or self._key.left <= 0 or not self._is_fresh(self._key):
            self._key = self._make()
        return self._key

    def _is_fresh(self, key: _DataKey) -> bool:
        """A clock that was set back makes it stale, too."""
        return timedelta() <= self._clock() - key.made_at < DATA_KEY_LIFE

    def _make(self) -> _DataKey:
        key = self._random(_KEY_BYTES)
        slots = (self._slot(recipient, key) for recipient in self._recipients)
        header = bytes((_VERSION, len(self._recipients))) + b"".join(slots)
        return _DataKey(aead=AESGCM(key), header=header, made_at=self._clock())

    def _slot(self, recipient: Recipient, key: bytes) -> bytes:
        key_id = bytes.fromhex(recipient.key_id)
        info = _info(self._store, self._purpose, self._suite, key_id)
        closed = _HPKE[self._suite].encrypt(key, _public(recipient, self._suite), info=info)
        return _SLOT.pack(self._suite, key_id, len(closed)) + closed


def seal(
    plaintext: bytes,
    *,
    recipient: Recipient,
    store: str,
    purpose: str,
    record: str = "",
    suite: SealSuite | None = None,
) -> SealedRecord:
    """Close one record under a data key of its own."""
    return Sealer(recipient, store=store, purpose=purpose, suite=suite).seal(plaintext, record=record)


def open_sealed(sealed: bytes, *, key: RecipientKey, store: str, purpose: str, record: str = "") -> bytes:
    """What was sealed. For HQ: a store has no `key`.

    Raises:
        CannotOpen: the key, store, purpose, record or version is another one, or a bit was changed.
    """
    key_id = bytes.fromhex(key.key_id)
    try:
        slots, start = _slots(sealed)
        suite, closed = next((SealSuite(number), closed) for number, slot, closed in slots if slot == key_id)
        data_key = _HPKE[suite].decrypt(closed, _private(key, suite), info=_info(store, purpose, suite, key_id))
        nonce, body = sealed[start : start + _NONCE_BYTES], sealed[start + _NONCE_BYTES :]
        return AESGCM(data_key).decrypt(nonce, body, _bound(store, purpose, record) + sealed[:start])
    except (InvalidTag, ValueError, StopIteration, struct.error, IndexError):
        raise CannotOpen from None


def _slots(sealed: bytes) -> tuple[list[tuple[int, bytes, bytes]], int]:
    """Each recipient's suite, key id and closed data key, and where the nonce begins."""
    if sealed[0] != _VERSION:
        raise ValueError("unknown version")
    found, at = [], 2
    for _ in range(sealed[1]):
        suite, key_id, length = _SLOT.unpack_from(sealed, at)
        at += _SLOT.size
        found.append((suite, key_id, sealed[at : at + length]))
        at += length
    return found, at


def _info(store: str, purpose: str, suite: SealSuite, key_id: bytes) -> bytes:
    """What HPKE's key schedule is bound to."""
    return _bound(store, purpose, "") + bytes((suite,)) + key_id


def _bound(store: str, purpose: str, record: str) -> bytes:
    """Version, store, purpose and record, each with its length: no two sets of them read alike."""
    return _LABEL + bytes((_VERSION,)) + b"".join(_measured(part) for part in (store, purpose, record))


def _measured(text: str) -> bytes:
    raw = text.encode()
    return struct.pack(">I", len(raw)) + raw


def _public(recipient: Recipient, suite: SealSuite) -> X25519PublicKey | MLKEM768X25519PublicKey:
    x25519 = X25519PublicKey.from_public_bytes(recipient.x25519)
    if suite is SealSuite.X25519:
        return x25519
    return MLKEM768X25519PublicKey(MLKEM768PublicKey.from_public_bytes(recipient.mlkem), x25519)


def _private(key: RecipientKey, suite: SealSuite) -> X25519PrivateKey | MLKEM768X25519PrivateKey:
    x25519 = X25519PrivateKey.from_private_bytes(key.x25519)
    if suite is SealSuite.X25519:
        return x25519
    return MLKEM768X25519PrivateKey(MLKEM768PrivateKey.from_seed_bytes(key.mlkem_seed), x25519)
