"""One key for each subject: what is sealed under it is gone once it is destroyed (crypto-shredding)."""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from edge.errors import ThresholdError
from edge.privacy.keyring import Keyring

__all__ = ["CannotOpen", "SubjectKeys"]

_VERSION = b"\x01"
_NONCE_BYTES = 12
_KEY_BYTES = 32
_LABEL = b"threshold-subject-data-v1\n"
_CONTEXT = b"subject-key\n"


class CannotOpen(ThresholdError):
    """Something sealed under a subject's key does not open. Why is not said."""

    def __init__(self) -> None:
        super().__init__("open a subject's data", "it does not open", "it was altered, or sealed elsewhere")


class SubjectKeys:
    """Makes and uses subjects' keys. The database keeps them wrapped; in the clear they live for one call.

    `subject` are the 16 bytes of a pseudonym: no other store has it, so it binds the store too; `name` binds the record.
    """

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def make(self, subject: bytes) -> bytes:
        """A new key for `subject`, wrapped."""
        return self._keyring.wrap(secrets.token_bytes(_KEY_BYTES), context=_CONTEXT + subject)

    def rewrap(self, wrapped: bytes, *, subject: bytes) -> bytes:
        """The same key, of the same length, under the keyring's present wrapping key.

        Raises:
            CannotUnwrap: it is not this subject's or keyring's.
        """
        return self._keyring.wrap(self._keyring.unwrap(wrapped, context=_CONTEXT + subject), context=_CONTEXT + subject)

    def seal(self, plaintext: bytes, *, wrapped: bytes, subject: bytes, name: str) -> bytes:
        """`plaintext` under the subject's key (AES-256-GCM): version, nonce, ciphertext.

        Raises:
            CannotUnwrap: the key is not this subject's or keyring's.
        """
        nonce = secrets.token_bytes(_NONCE_BYTES)
        cipher = AESGCM(self._keyring.unwrap(wrapped, context=_CONTEXT + subject))
        return _VERSION + nonce + cipher.encrypt(nonce, plaintext, _bound(subject, name))

    def open(self, sealed: bytes, *, wrapped: bytes, subject: bytes, name: str) -> bytes:
        """What was sealed for this subject under this name.

        Raises:
            CannotOpen: for whatever reason.
            CannotUnwrap: the key is not this subject's or keyring's.
        """
        cipher = AESGCM(self._keyring.unwrap(wrapped, context=_CONTEXT + subject))
        nonce, ciphertext = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            if sealed[:1] != _VERSION:
                raise CannotOpen
            return cipher.decrypt(nonce, ciphertext, _bound(subject, name))
        except (InvalidTag, ValueError):
            raise CannotOpen from None


def _bound(subject: bytes, name: str) -> bytes:
    return _LABEL + _VERSION + subject + name.encode()
