"""Payloads: bytes of one channel into exactly one typed message, or a refusal that repeats nothing of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

import msgpack
from pydantic import BaseModel, ValidationError

from edge.bus.topics import Channel
from edge.errors import MessageRejected
from edge.messages import (
    CameraDetections,
    CameraFrame,
    Detection,
    Device,
    DeviceStatus,
    FrigateEvent,
    FrigateObject,
    FrigatePersonCount,
    KioskFeedback,
    Message,
    MirrorMeasurement,
    MirrorSilhouette,
    PosTransaction,
    SaleLine,
    Tender,
)

__all__ = [
    "FRIGATE_EVENT_BYTES",
    "FRIGATE_PERSON_BYTES",
    "SIZE_LIMITS",
    "ReadTransaction",
    "parse_frigate",
    "parse_payload",
    "read_json_transaction",
]

SIZE_LIMITS: Mapping[Channel, int] = {
    "frame": 20_000_000,
    "silhouette": 2_100_000,
    "detections": 256 * 1024,
    "transaction": 512 * 1024,
    "measurement": 16 * 1024,
    "feedback": 32 * 1024,
    "status": 8 * 1024,
}
"""The most bytes a channel's payload can need; `mqtt.max_payload_bytes` lowers it further."""

FRIGATE_EVENT_BYTES = 256 * 1024
FRIGATE_PERSON_BYTES = 64

ReadTransaction = Callable[[bytes, Device, datetime], PosTransaction]
"""Reads what a till sent at a moment, in whichever form it writes; `MessageRejected` where it cannot be taken."""

_Said = TypeVar("_Said")
_BY_JSON: Mapping[Channel, Callable[[bytes], Message]] = {
    "detections": CameraDetections.model_validate_json,
    "measurement": MirrorMeasurement.model_validate_json,
    "feedback": KioskFeedback.model_validate_json,
    "status": DeviceStatus.model_validate_json,
}
_MODELS: tuple[type[BaseModel], ...] = (
    CameraDetections,
    Detection,
    DeviceStatus,
    FrigateEvent,
    FrigateObject,
    KioskFeedback,
    MirrorMeasurement,
    MirrorSilhouette,
    PosTransaction,
    SaleLine,
    Tender,
)
_FIELDS = frozenset(name for model in _MODELS for name in model.model_fields)
_PEOPLE = re.compile(rb"[0-9]{1,4}")
_MENTIONED = 3


def parse_payload(channel: Channel, payload: bytes) -> Message:
    """The message that `payload` on `channel` is; of what tills send, JSON.

    Raises:
        MessageRejected: `empty`, `not-json`, `not-msgpack`, `invalid`, `unsupported-format`, or `wrong-channel` for one that
            devices do not speak on.
    """
    if not payload:
        raise MessageRejected("empty", f"{channel} without a payload")
    if channel == "frame":
        return CameraFrame(jpeg=payload)
    if channel == "silhouette":
        return _silhouette(payload)
    if channel == "transaction":
        return _json_transaction(payload)
    validate = _BY_JSON.get(channel)
    if validate is None:
        raise MessageRejected("wrong-channel", f"{channel} is not for devices to publish on")
    return _checked(validate, payload, what=channel)


def read_json_transaction(payload: bytes, _till: Device, _at: datetime) -> PosTransaction:
    """The `ReadTransaction` of a door that was given none: JSON alone.

    Raises:
        MessageRejected: `not-json`, `invalid`, or `unsupported-format` for XML.
    """
    return _json_transaction(payload)


def parse_frigate(payload: bytes, *, person_count: bool) -> FrigateEvent | FrigatePersonCount:
    """A Frigate event, or with `person_count` the number of people its camera sees.

    Raises:
        MessageRejected: `not-json` or `invalid`.
    """
    if not person_count:
        return _checked(FrigateEvent.model_validate_json, payload, what="frigate event")
    if _PEOPLE.fullmatch(payload) is None:
        raise MessageRejected("invalid", "frigate person: not a number of people")
    return FrigatePersonCount(count=int(payload))


def _json_transaction(payload: bytes) -> PosTransaction:
    if payload.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise MessageRejected("unsupported-format", "a transaction in XML (POSLog); JSON is understood")
    return _checked(PosTransaction.model_validate_json, payload, what="transaction")


def _silhouette(payload: bytes) -> MirrorSilhouette:
    try:
        fields = msgpack.unpackb(
            payload, raw=False, strict_map_key=True, max_str_len=4096, max_array_len=64, max_map_len=64, max_ext_len=0
        )
    except (ValueError, msgpack.UnpackException) as error:
        raise MessageRejected("not-msgpack", f"silhouette: {type(error).__name__}") from None
    return _checked(MirrorSilhouette.model_validate, fields, what="silhouette")


def _checked(validate: Callable[[Any], _Said], raw: object, *, what: str) -> _Said:
    try:
        return validate(raw)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        reason = "not-json" if problems[0]["type"] == "json_invalid" else "invalid"
        told = ", ".join(f"{_where(problem['loc'])} {problem['type']}" for problem in problems[:_MENTIONED])
        raise MessageRejected(reason, f"{what}: {told}") from None


def _where(location: tuple[int | str, ...]) -> str:
    """The path to a mistake; a key that is none of our field names came from the payload and is not repeated."""
    return ".".join(str(part) if isinstance(part, int) or part in _FIELDS else "*" for part in location) or "payload"
