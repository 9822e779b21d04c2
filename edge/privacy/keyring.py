"""The box's own keys: one root for keyed hashes, wrapping keys that rotate, signing keys whose public halves stay."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from edge.clock import utc_now
from edge.privacy.key_file import FileKeyStore, KeyringError, KeyStore

__all__ = ["CannotUnwrap", "Keyring", "KeyringError", "KeyringStatus"]

_VERSION = 1
_ID_BYTES = 8
_NONCE_BYTES = 12
_KEY_BYTES = 32
_WRAP_LABEL = b"threshold-wrap-v1\n"
_MAC_LABEL = b"threshold-mac-v1\n"


class CannotUnwrap(KeyringError):
    """A wrapped key does not open. Why is not said: wrong key, wrong context and damage look alike."""

    def __init__(self) -> None:
        super().__init__(
            "unwrap key", "it does not open with this keyring", "the keyring or the database was exchanged"
        )


@dataclass(frozen=True, slots=True)
class KeyringStatus:
    """What may be told of a keyring: which keys there are and since when."""

    wrapping: tuple[tuple[str, str], ...]
    """Id and day of making, newest last; the last one wraps."""
    signing: tuple[tuple[str, str], ...]
    """The same; the last one signs, of the others only the public half is left."""


@dataclass(frozen=True, slots=True, repr=False)
class _Signing:
    """An Ed25519 key; once it is retired, its public half."""

    id: str
    made_at: str
    public: bytes
    private: bytes | None


@dataclass(frozen=True, slots=True, repr=False)
class _Keys:
    """Everything in the file."""

    root: bytes
    wrapping: dict[str, tuple[bytes, str]]
    signing: tuple[_Signing, ...]


class Keyring:
    """Any thread may use it. Its `repr` shows no key; no error does."""

    def __init__(self, store: KeyStore, *, create: bool = True, clock: Callable[[], datetime] = utc_now) -> None:
        """Load the keys that `store` keeps; where there are none, make them if `create`.

        Raises:
            KeyringError: there are none and none may be made, or they cannot be read.
        """
        self._store = store
        self._lock = threading.Lock()
        self._mac_keys: dict[str, bytes] = {}
        self._keys = self._load(create=create, clock=clock)

    @classmethod
    def open(cls, path: Path, *, create: bool = True) -> Self:
        """The keyring in the file at `path`; several processes may open it, and make it, at once.

        Raises:
            KeyringError: as the constructor; a file that others may read is refused.
        """
        return cls(FileKeyStore(path), create=create)

    def mac(self, purpose: str, message: bytes) -> bytes:
        """HMAC-SHA256 of `message` under a key of this purpose alone; the same for the keyring's whole life."""
        key = self._mac_keys.get(purpose)
        if key is None:
            key = HKDF(SHA256(), _KEY_BYTES, salt=None, info=_MAC_LABEL + purpose.encode()).derive(self._keys.root)
            self._mac_keys[purpose] = key
        return hmac.digest(key, message, "sha256")

    def wrap(self, key: bytes, *, context: bytes) -> bytes:
        """`key` under the present wrapping key (AES-256-GCM): version, key id, nonce, ciphertext. Opens in `context` alone."""
        head = self.wrap_prefix()
        wrapping, _ = self._keys.wrapping[head[1:].hex()]
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return head + nonce + AESGCM(wrapping).encrypt(nonce, key, _WRAP_LABEL + head + context)

    def unwrap(self, blob: bytes, *, context: bytes) -> bytes:
        """What was wrapped.

        Raises:
            CannotUnwrap: for whatever reason.
        """
        head, nonce, sealed = _split(blob)
        key_id = head[1:].hex()
        if key_id not in self._keys.wrapping:
            self.reload()  # another process has rotated
        wrapping = self._keys.wrapping.get(key_id)
        if wrapping is None or head[:1] != bytes([_VERSION]):
            raise CannotUnwrap
        try:
            return AESGCM(wrapping[0]).decrypt(nonce, sealed, _WRAP_LABEL + head + context)
        except (InvalidTag, ValueError):
            raise CannotUnwrap from None

    def wrap_prefix(self) -> bytes:
        """What everything begins with that is wrapped now; what begins otherwise waits to be wrapped again."""
        return bytes([_VERSION]) + bytes.fromhex(list(self._keys.wrapping)[-1])

    def signing_key(self) -> Ed25519PrivateKey:
        """The key that signs now."""
        private = self._keys.signing[-1].private
        assert private is not None  # noqa: S101  `_parse` saw to it
        return Ed25519PrivateKey.from_private_bytes(private)

    def signing_key_id(self) -> str:
        """The id of the key that signs now."""
        return self._keys.signing[-1].id

    def verify_keys(self) -> dict[str, Ed25519PublicKey]:
        """Every key that ever signed, by id."""
        return {one.id: Ed25519PublicKey.from_public_bytes(one.public) for one in self._keys.signing}

    def rotate(self, at: datetime) -> None:
        """Make a new wrapping and a new signing key. The private half of the old one is destroyed, its public half stays."""
        with self._store.lock():
            self.reload()
            retired = tuple(replace(one, private=None) for one in self._keys.signing)
            fresh = _fresh(at)
            keys = _Keys(self._keys.root, {**self._keys.wrapping, **fresh.wrapping}, signing=(*retired, *fresh.signing))
            self._store.replace(_serialise(keys))
            self._keys = keys

    def reload(self) -> None:
        """Read the keys again, as another process may have left them.

        Raises:
            KeyringError: they cannot be read.
        """
        with self._lock:
            self._keys = self._load(create=False, clock=utc_now)

    def status(self) -> KeyringStatus:
        """Which keys there are."""
        wrapping = tuple((key_id, made_at) for key_id, (_, made_at) in self._keys.wrapping.items())
        return KeyringStatus(wrapping, tuple((one.id, one.made_at) for one in self._keys.signing))

    def __repr__(self) -> str:
        return f"Keyring({self._store.name!r})"

    def _load(self, *, create: bool, clock: Callable[[], datetime]) -> _Keys:
        content = self._store.load()
        if content is None and create:
            self._store.create(_serialise(_fresh(clock())))
            content = self._store.load()  # ours, or that of a process that was quicker
        if content is None:
            raise KeyringError(
                "open keyring", f"{self._store.name} does not exist", "start the web process, which makes it"
            )
        try:
            return _parse(content)
        except (KeyError, TypeError, ValueError, binascii.Error):
            # Not `from` the error: a parser's message may quote what it could not read.
            raise KeyringError("open keyring", f"{self._store.name} is damaged", "restore it from its backup") from None


def _split(blob: bytes) -> tuple[bytes, bytes, bytes]:
    head_bytes = 1 + _ID_BYTES
    return blob[:head_bytes], blob[head_bytes : head_bytes + _NONCE_BYTES], blob[head_bytes + _NONCE_BYTES :]


def _fresh(at: datetime) -> _Keys:
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    signing = _Signing(sha256(public).hexdigest()[: 2 * _ID_BYTES], at.isoformat(), public, private.private_bytes_raw())
    wrapping = {secrets.token_hex(_ID_BYTES): (secrets.token_bytes(_KEY_BYTES), at.isoformat())}
    return _Keys(secrets.token_bytes(_KEY_BYTES), wrapping, (signing,))


def _serialise(keys: _Keys) -> bytes:
    content = {
        "v": _VERSION,
        "root": _text(keys.root),
        "wrapping": [{"id": one, "made_at": at, "key": _text(key)} for one, (key, at) in keys.wrapping.items()],
        "signing": [
            {
                "id": one.id,
                "made_at": one.made_at,
                "public": _text(one.public),
                "private": None if one.private is None else _text(one.private),
            }
            for one in keys.signing
        ],
    }
    return json.dumps(content, indent=1).encode()


def _parse(content: bytes) -> _Keys:
    fields = json.loads(content)
    if fields["v"] != _VERSION:
        raise ValueError("another version's")
    wrapping = {str(one["id"]): (_key(one["key"]), str(one["made_at"])) for one in fields["wrapping"]}
    signing = tuple(_signing(one) for one in fields["signing"])
    if not wrapping or not signing or signing[-1].private is None:
        raise ValueError("incomplete")
    return _Keys(_key(fields["root"]), wrapping, signing)


def _signing(fields: dict[str, Any]) -> _Signing:
    private = None if fields["private"] is None else _key(fields["private"])
    public = _key(fields["public"])
    if private is not None and Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw() != public:
        raise ValueError("halves of different keys")
    return _Signing(str(fields["id"]), str(fields["made_at"]), public, private)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _key(text: str) -> bytes:
    raw = base64.b64decode(text, validate=True)
    if len(raw) != _KEY_BYTES:
        raise ValueError("not a key's length")
    return raw
