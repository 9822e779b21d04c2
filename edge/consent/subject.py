"""A subject: the pseudonym under which the ledger knows somebody, and the only thing it knows of them."""

from __future__ import annotations

import re
from base64 import b32decode, b32encode
from collections.abc import Callable
from functools import lru_cache
from typing import NewType

from edge.errors import ThresholdError

__all__ = [
    "SUBJECT_BYTES",
    "NoSuchSubject",
    "Random",
    "Subject",
    "new_subject",
    "subject_from",
    "subject_of",
    "to_bytes",
]

Subject = NewType("Subject", str)
"""`s_` and 26 lower-case base32 characters (RFC 4648): 128 random bits."""

Random = Callable[[int], bytes]
"""Returns that many bytes nobody can guess, as `secrets.token_bytes` does."""

SUBJECT_BYTES = 16
_TEXT = re.compile(r"s_[a-z2-7]{25}[aeimquy4]")


class NoSuchSubject(ThresholdError):
    """Nobody is known under that pseudonym."""


def new_subject(random: Random) -> Subject:
    """A pseudonym nobody has."""
    return subject_of(random(SUBJECT_BYTES))


@lru_cache(maxsize=1024)  # a subject's entries come together: verifying asks for the same one again and again
def subject_of(raw: bytes) -> Subject:
    """The text of a subject's 16 bytes."""
    return Subject("s_" + b32encode(raw).decode().rstrip("=").lower())


def subject_from(text: str) -> Subject:
    """The subject somebody wrote.

    Raises:
        NoSuchSubject: it is no pseudonym.
    """
    if _TEXT.fullmatch(text) is None:
        raise NoSuchSubject("look up subject", "that is no pseudonym", "write s_ and 26 characters, as the ledger does")
    return Subject(text)


def to_bytes(subject: Subject) -> bytes:
    """The 16 bytes of a subject."""
    return b32decode(subject[2:].upper() + "======")
