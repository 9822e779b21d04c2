"""A consent receipt: the shopper's own copy of a record, with the words that were shown, signed by the box.

ISO/IEC TS 27560:2023, 6.4; signed with Ed25519 (RFC 8032) over its canonical JSON without the signature. Whoever has the box's
public keys can check it without the box, and from it the notices: each one's SHA-256 is the version that the record names.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any, Final, Literal, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import StringConstraints, ValidationError

from edge.consent.canonical import canonical
from edge.consent.ledger import rfc3339
from edge.consent.record import ConsentRecord, Instant, Part, Sha256, Some, Uuid
from edge.errors import ThresholdError

__all__ = [
    "MAX_RECEIPT_BYTES",
    "RECEIPT_SCHEMA",
    "NoticeCopy",
    "Receipt",
    "ReceiptInvalid",
    "Signature",
    "receipt_schema",
    "verify_receipt",
]

RECEIPT_SCHEMA: Final = "threshold-consent-receipt-1"
_DOMAIN = b"threshold-consent-receipt-v1\n"
MAX_RECEIPT_BYTES: Final = 1_000_000


class ReceiptInvalid(ThresholdError):
    """A receipt that is not what the box signed."""

    def __init__(self, detail: str) -> None:
        super().__init__("verify receipt", detail, "do not rely on it; ask the shop for another")


class NoticeCopy(Part):
    """What was shown, whole."""

    version: Sha256
    """SHA-256 of `content`, as `privacy_notice.version` of the record (ours)."""
    content: Annotated[str, StringConstraints(min_length=2)]
    """The notice in all its languages: the very text that was hashed (ours)."""


class Signature(Part):
    """The box's signature."""

    algorithm: Literal["Ed25519"]
    """RFC 8032 (ours)."""
    key_id: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    """Which of the box's keys signed (ours)."""
    value: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{86}$")]
    """The signature in base64url, over everything else in canonical JSON (ours)."""


class Receipt(Part):
    """A consent receipt."""

    schema_version: Literal["threshold-consent-receipt-1"]
    """The version of this structure (6.4, mandatory)."""
    receipt_id: Uuid
    """The receipt's own id (6.4, mandatory)."""
    issued_at: Instant
    """When it was made, by the box's clock, in UTC (ours)."""
    record: ConsentRecord
    """The record, whole (6.4)."""
    notices: tuple[NoticeCopy, ...] = Some
    """The notices that the record names (ours)."""
    signature: Signature
    """The box's signature (ours)."""

    @classmethod
    def issue(
        cls,
        record: ConsentRecord,
        *,
        receipt_id: str,
        at: datetime,
        notice: Callable[[str], bytes | None],
        key: Ed25519PrivateKey,
        key_id: str,
    ) -> Self:
        """A signed receipt of `record`. `notice` gives a notice's content by its version (`ConsentRegistry.notice`).

        Raises:
            ReceiptInvalid: a notice of the record is not kept.
        """
        unsigned = {
            "schema_version": RECEIPT_SCHEMA,
            "receipt_id": receipt_id,
            "issued_at": rfc3339(at),
            "record": record.as_json(),
            "notices": [_copy(one.version, notice) for one in record.pii_processing.privacy_notice],
        }
        signature = {"algorithm": "Ed25519", "key_id": key_id, "value": _text(key.sign(_DOMAIN + canonical(unsigned)))}
        return cls.model_validate({**unsigned, "signature": signature})

    def as_json(self) -> dict[str, Any]:
        """The receipt as JSON; what is absent is left out."""
        return self.model_dump(mode="json", exclude_none=True)

    def as_bytes(self) -> bytes:
        """The receipt as a file: canonical JSON."""
        return canonical(self.as_json())

    def signed_bytes(self) -> bytes:
        """What the signature is over."""
        return _DOMAIN + canonical({name: part for name, part in self.as_json().items() if name != "signature"})


def verify_receipt(data: bytes, keys: Mapping[str, Ed25519PublicKey]) -> Receipt:
    """The receipt in `data`, if one of the box's `keys` (by id, `Keyring.verify_keys`) signed exactly that.

    Raises:
        ReceiptInvalid: it is no receipt, an unknown key signed it, it was altered, or a notice is not what its version says.
    """
    if len(data) > MAX_RECEIPT_BYTES:
        raise ReceiptInvalid("it is too large for a receipt")
    try:
        receipt = Receipt.model_validate_json(data)
    except ValidationError as error:
        raise ReceiptInvalid("it is not a receipt") from error
    key = keys.get(receipt.signature.key_id)
    if key is None:
        raise ReceiptInvalid("it is signed by a key that is not this box's")
    signature = _bytes(receipt.signature.value)
    if _text(signature) != receipt.signature.value:
        raise ReceiptInvalid("its signature is misspelt")
    try:
        key.verify(signature, receipt.signed_bytes())
    except InvalidSignature as error:
        raise ReceiptInvalid("it was altered after it was signed") from error
    if any(sha256(one.content.encode()).hexdigest() != one.version for one in receipt.notices):
        raise ReceiptInvalid("a notice in it is not what its version says")
    return receipt


def receipt_schema() -> dict[str, Any]:
    """The JSON Schema of a receipt (draft 2020-12), as it lies in edge/consent/schemas."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Receipt.model_json_schema()}


def _copy(version: str, notice: Callable[[str], bytes | None]) -> dict[str, str]:
    content = notice(version)
    if content is None:
        raise ReceiptInvalid("a notice that it names is not kept")
    return {"version": version, "content": content.decode()}


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
