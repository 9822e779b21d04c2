"""Dead letters: what is left of a message that could not be taken. Never its payload: it may hold a card number."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from edge.bus.topics import parse_topic
from edge.errors import MessageRejected

__all__ = ["UNRECOGNISED", "DeadLetter", "dead_letter_of"]

UNRECOGNISED = "(unrecognised)"
"""Stands for a topic that is none of ours."""

_MANY_DIGITS = 8
_DIGIT = re.compile(r"[0-9]")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Why a message was refused, where it came by, its size in bytes and its SHA-256 in hex."""

    reason: str
    topic: str
    size: int
    sha256: str


def dead_letter_of(error: MessageRejected, topic: str, payload: bytes) -> DeadLetter:
    """The dead letter of a message that was refused with `error`."""
    return DeadLetter(error.reason, _presentable(topic), len(payload), hashlib.sha256(payload).hexdigest())


def _presentable(topic: str) -> str:
    """`topic` where it fits the grammar, a level with many digits starred: a topic, too, can be made to hold a card number."""
    try:
        parse_topic(topic)
    except MessageRejected:
        return UNRECOGNISED
    return "/".join("*" if len(_DIGIT.findall(level)) >= _MANY_DIGITS else level for level in topic.split("/"))
