"""HQ's keys: the public half that a store seals to, and the private half, which never comes to a store.

A key is ML-KEM-768 (FIPS 203) and X25519 (RFC 7748) together: what is sealed stays closed while either of them holds.
"""

from __future__ import annotations

import json
import os
import stat
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from edge.errors import ThresholdError

__all__ = [
    "KeyFileRefused",
    "Recipient",
    "RecipientKey",
    "generate_recipient_key",
    "read_private",
    "read_public",
    "write_private",
    "write_public",
]

_PUBLIC = "threshold-recipient-public"
_PRIVATE = "threshold-recipient-PRIVATE"
_VERSION = 1
_MAX_BYTES = 20_000
_MLKEM_PUBLIC_BYTES, _MLKEM_SEED_BYTES, _X25519_BYTES = 1184, 64, 32


class KeyFileRefused(ThresholdError):
    """A file with a recipient's key is absent, damaged, of the other kind or open to others. Says nothing of the key."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom to seal to: public, but it must be HQ's. `key_id` is a hash of both keys; compare it by telephone."""

    key_id: str
    mlkem: bytes
    x25519: bytes

    @classmethod
    def of(cls, mlkem: bytes, x25519: bytes) -> Self:
        """The recipient with these raw public keys.

        Raises:
            ValueError: they are no such keys.
        """
        if len(mlkem) != _MLKEM_PUBLIC_BYTES or len(x25519) != _X25519_BYTES:
            raise ValueError("wrong length of a public key")
        return cls(sha256(b"threshold-recipient-v1\n" + mlkem + x25519).hexdigest()[:32], mlkem, x25519)


@dataclass(frozen=True, slots=True, repr=False)
class RecipientKey:
    """What opens what was sealed; `key_id` is its recipient's. It belongs to HQ: a store has no use for it."""

    key_id: str
    mlkem_seed: bytes
    x25519: bytes

    @classmethod
    def of(cls, mlkem_seed: bytes, x25519: bytes) -> Self:
        """The key with these raw private keys.

        Raises:
            ValueError: they are no such keys.
        """
        if len(mlkem_seed) != _MLKEM_SEED_BYTES or len(x25519) != _X25519_BYTES:
            raise ValueError("wrong length of a private key")
        return cls(_recipient(mlkem_seed, x25519).key_id, mlkem_seed, x25519)

    def recipient(self) -> Recipient:
        """Its public half."""
        return _recipient(self.mlkem_seed, self.x25519)

    def __repr__(self) -> str:
        return "RecipientKey(…)"


def generate_recipient_key() -> RecipientKey:
    """A new key, for HQ to keep. The randomness is the operating system's, through OpenSSL."""
    mlkem, x25519 = MLKEM768PrivateKey.generate(), X25519PrivateKey.generate()
    return RecipientKey.of(mlkem.private_bytes_raw(), x25519.private_bytes_raw())


def write_public(recipient: Recipient, path: Path) -> None:
    """Write the public half, for stores.

    Raises:
        KeyFileRefused: there is a file, or it cannot be written.
    """
    fields = {"mlkem768": _text(recipient.mlkem), "x25519": _text(recipient.x25519)}
    _write(path, {"kind": _PUBLIC, "version": _VERSION, "key_id": recipient.key_id, **fields}, mode=0o644)


def write_private(key: RecipientKey, path: Path) -> None:
    """Write the private half, for HQ alone: mode 0600, and never over another file.

    Raises:
        KeyFileRefused: there is a file, or it cannot be written.
    """
    fields = {"mlkem768_seed": _text(key.mlkem_seed), "x25519": _text(key.x25519)}
    _write(path, {"kind": _PRIVATE, "version": _VERSION, "key_id": key.key_id, **fields}, mode=0o600)


def read_public(path: Path) -> Recipient:
    """The recipient in a file of `write_public`.

    Raises:
        KeyFileRefused: it cannot be read, or is not such a file; a private key is refused most of all.
    """
    fields = _read(path, kind=_PUBLIC)
    try:
        recipient = Recipient.of(_raw(fields["mlkem768"]), _raw(fields["x25519"]))
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path) from error
    _check_id(recipient.key_id, fields, path)
    return recipient


def read_private(path: Path) -> RecipientKey:
    """The key in a file of `write_private`.

    Raises:
        KeyFileRefused: it cannot be read, others may read it, or it is not such a file.
    """
    fields = _read(path, kind=_PRIVATE)
    try:
        key = RecipientKey.of(_raw(fields["mlkem768_seed"]), _raw(fields["x25519"]))
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path) from error
    _check_id(key.key_id, fields, path)
    return key


def _write(path: Path, fields: Mapping[str, Any], *, mode: int) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(json.dumps(fields, indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise KeyFileRefused(
            "write key", f"{path}: {error.strerror}", "choose a new file in a folder of yours"
        ) from error


def _read(path: Path, *, kind: str) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            content = file.read(_MAX_BYTES)
    except OSError as error:
        raise KeyFileRefused("read key", f"{path}: {error.strerror}", "check the path and its owner") from error
    try:
        fields = json.loads(content)
    except ValueError as error:
        raise _damaged(path) from error
    if (
        not isinstance(fields, dict)
        or fields.get("version") != _VERSION
        or fields.get("kind") not in {_PUBLIC, _PRIVATE}
    ):
        raise _damaged(path)
    if kind == _PUBLIC and fields["kind"] == _PRIVATE:
        raise KeyFileRefused("read key", f"{path} is HQ's PRIVATE key", "delete it here; a store gets the public one")
    if fields["kind"] != kind:
        raise KeyFileRefused("read key", f"{path} is a public key", "name the private one")
    if kind == _PRIVATE and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyFileRefused("read key", f"{path} is open to others (mode {mode:04o})", "chmod 600 it")
    return fields


def _check_id(key_id: str, fields: Mapping[str, Any], path: Path) -> None:
    if fields.get("key_id") != key_id:
        raise _damaged(path)


def _recipient(mlkem_seed: bytes, x25519: bytes) -> Recipient:
    mlkem = MLKEM768PrivateKey.from_seed_bytes(mlkem_seed).public_key().public_bytes_raw()
    return Recipient.of(mlkem, X25519PrivateKey.from_private_bytes(x25519).public_key().public_bytes_raw())


def _damaged(path: Path) -> KeyFileRefused:
    return KeyFileRefused("read key", f"{path} is no key file of ours, or damaged", "fetch it from HQ again")


def _text(raw: bytes) -> str:
    return b64encode(raw).decode()


def _raw(text: str) -> bytes:
    return b64decode(text, validate=True)
