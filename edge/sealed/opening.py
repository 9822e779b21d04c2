"""Headquarters' side of a change of keys: several of them open, until nothing is left that was sealed to an old one."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from edge.sealed.recipient import KeyFileRefused, RecipientKey, read_private
from edge.sealed.sealing import CannotOpen, open_sealed

__all__ = ["PRIVATE_SUFFIX", "PUBLIC_SUFFIX", "Opener"]

PRIVATE_SUFFIX = ".private.json"
PUBLIC_SUFFIX = ".public.json"


class Opener:
    """Opens what was sealed to any of its keys. For HQ: a store has none."""

    def __init__(self, *keys: RecipientKey) -> None:
        """Newest first is quickest.

        Raises:
            ValueError: no key.
        """
        if not keys:
            raise ValueError("at least one key")
        self._keys = keys

    @classmethod
    def in_folder(cls, folder: Path) -> Self:
        """With every `*.private.json` in `folder`, as `threshold keys make-recipient` names them.

        Raises:
            KeyFileRefused: there is none, or one of them is damaged or open to others.
        """
        paths = sorted(folder.glob(f"*{PRIVATE_SUFFIX}"))
        if not paths:
            raise KeyFileRefused("read keys", f"{folder} has no key", "make one with `threshold keys make-recipient`")
        return cls(*(read_private(path) for path in paths))

    def open(self, sealed: bytes, *, store: str, purpose: str, record: str = "") -> bytes:
        """What was sealed.

        Raises:
            CannotOpen: no key of ours opens it; or as `open_sealed`, in the same words.
        """
        for key in self._keys:
            try:
                return open_sealed(sealed, key=key, store=store, purpose=purpose, record=record)
            except CannotOpen:
                continue  # sealed to another of our keys, perhaps
        raise CannotOpen from None
