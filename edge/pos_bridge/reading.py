"""What a till sent, JSON or POSLog by its first letter, to one checked `PosTransaction`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import Any

from edge.messages import PosTransaction
from edge.pos_bridge.guard import parse_xml
from edge.pos_bridge.native import checked, parse_json
from edge.pos_bridge.poslog import identity, transaction_fields
from edge.pos_bridge.poslog_customer import put_together

__all__ = ["Clean", "is_xml", "read_transaction"]

Clean = Callable[[Any], Any]
"""Takes everything the till said, as plain values, and returns it cleaned in the same structure."""

_BEFORE_XML = b"\xef\xbb\xbf \t\r\n"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def is_xml(payload: bytes) -> bool:
    """Whether `payload` means to be XML; UTF-16 does, and is refused as such."""
    return payload.startswith(_UTF16_MARKS) or payload.lstrip(_BEFORE_XML).startswith(b"<")


def read_transaction(
    payload: bytes, *, till: str, received_at: datetime, timezone: tzinfo, clean: Clean | None = None
) -> PosTransaction:
    """The transaction that `till` sent, `clean`ed before anything of it is looked at or kept.

    Raises:
        MessageRejected: `not-json`, `not-xml`, `unsafe-xml`, `too-large`, `not-poslog`, `not-a-sale`, `no-identity` or
            `invalid`. Its text repeats nothing of the payload.
    """
    if not is_xml(payload):
        said = parse_json(payload)
        return checked(said if clean is None else clean(said))
    tree = put_together(parse_xml(payload))
    message_id = identity(tree, till=till)
    root = tree if clean is None else clean(tree)
    return checked(transaction_fields(root, message_id=message_id, received_at=received_at, timezone=timezone))
