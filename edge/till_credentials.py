"""What tills show to `[tills_http]`: read once, kept as hashes, compared in constant time."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from hashlib import sha256
from typing import Self

from edge.errors import SettingsError
from edge.settings import Settings

__all__ = ["TillCredentials"]

_LEAST_CHARS = 32
_NOBODY = bytes(32)


class TillCredentials:
    """Which till may post with which credential. Its `repr` shows none."""

    def __init__(self, credentials: Mapping[str, str]) -> None:
        self._digests = {till: _digest(credential) for till, credential in credentials.items()}

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The credentials that the tills of `store.toml` have files for.

        Raises:
            SettingsError: a file cannot be read, holds less than 32 characters, or what another till's file holds.
        """
        found: dict[str, str] = {}
        mistakes: list[str] = []
        for till in settings.tills:
            if till.credential_file is None:
                continue
            try:
                credential = till.credential_file.read_text("ascii").strip()
            except (OSError, UnicodeDecodeError):
                mistakes.append(f"tills.{till.id}: {till.credential_file} cannot be read")
                continue
            if len(credential) < _LEAST_CHARS or not credential.isprintable() or " " in credential:
                mistakes.append(f"tills.{till.id}: credential too short; make one with `openssl rand -hex 32`")
            elif credential in found.values():
                mistakes.append(f"tills.{till.id}: two tills share a credential")
            found[till.id] = credential
        if mistakes:
            raise SettingsError("tills", tuple(mistakes))
        return cls(found)

    def __repr__(self) -> str:
        return f"TillCredentials({len(self._digests)} tills)"

    def allow(self, till: str, *, shown: str) -> bool:
        """Whether `shown` is `till`'s; who guesses learns nothing from the time it takes, nor whether the till exists."""
        right = hmac.compare_digest(self._digests.get(till, _NOBODY), _digest(shown))
        return right and till in self._digests


def _digest(credential: str) -> bytes:
    return sha256(credential.encode()).digest()
