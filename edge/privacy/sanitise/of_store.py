"""The sanitiser of a store: its own keys for card tokens, its own country for phone numbers."""

from __future__ import annotations

from edge.privacy.keyring import Keyring
from edge.privacy.sanitise.card_token import card_token
from edge.privacy.sanitise.sanitiser import Sanitiser
from edge.settings import Settings

__all__ = ["sanitiser_of"]


def sanitiser_of(settings: Settings) -> Sanitiser:
    """The sanitiser that every process of the store shares.

    Raises:
        KeyringError: the keyring cannot be read, or others may read it.
    """
    keyring = Keyring.open(settings.keyring_file)
    return Sanitiser(card_token(keyring=keyring, store=settings.store.id), region=settings.store.region)
