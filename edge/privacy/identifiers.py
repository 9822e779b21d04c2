"""Identifiers in the store: normalised to be sealed for headquarters, and here a token that no other store shares."""

from __future__ import annotations

from base64 import b32encode

from edge.privacy.keyring import Keyring
from edge.sealed.identifier import Identifier, IdentifierKind, NotAnIdentifier, identifier

__all__ = ["Identifier", "IdentifierKind", "NotAnIdentifier", "identifier", "store_token"]

_PURPOSE = "identifier-token-v1"
_TOKEN_BYTES = 16


def store_token(identifier: Identifier, *, keyring: Keyring, store: str) -> str:
    """`i_` and 26 characters of base32: the same for the same identifier in this store, another in every other.

    128 bits of HMAC-SHA256 (RFC 2104) under a key of the keyring's own. The store's id goes in as well: two boxes that were
    set up from one disk image have one keyring. Whoever has the keyring can try all phone numbers; nobody else can.
    """
    digest = keyring.mac(_PURPOSE, f"{store}\n{identifier.text}".encode())
    return "i_" + b32encode(digest[:_TOKEN_BYTES]).decode().rstrip("=").lower()
