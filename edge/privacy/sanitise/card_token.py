"""Card numbers' tokens: a keyed hash under its own key, which tells one card from another in this store and nothing more."""

from __future__ import annotations

from edge.privacy.keyring import Keyring
from edge.privacy.sanitise.marks import CardToken

__all__ = ["card_token"]

_PURPOSE = "card-token-v1"
_TOKEN_BYTES = 16
_LETTERS = bytes.maketrans(b"0123456789abcdef", b"abcdefghijklmnop")


def card_token(*, keyring: Keyring, store: str) -> CardToken:
    """Gives `t_` and 32 letters for a card number: 128 bits of HMAC-SHA256 over the entire number (PCI DSS 4.0.1, 3.5.1.1).

    The key is the keyring's own for this purpose, so that last four and token cannot be correlated without it; the store's
    id goes in, so that boxes from one disk image share no token. Letters alone: a token is never taken for a number.
    """

    def token(number: str) -> str:
        digest = keyring.mac(_PURPOSE, f"{store}\n{number}".encode())
        return "t_" + digest[:_TOKEN_BYTES].hex().encode().translate(_LETTERS).decode()

    return token
