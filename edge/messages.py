"""What devices say: the closed union of typed messages, for every channel a device may publish on.

Parsed once, at the door (`edge.bus.inbound`); past it nothing is a dictionary. Unknown fields are dropped there and never
kept: a till's extra field may hold a card number. `docs/asyncapi.yaml` describes the same shapes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal
from uuid import UUID, uuid5

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

__all__ = [
    "DEVICE_ID",
    "Ack",
    "CameraDetections",
    "CameraFrame",
    "Customer",
    "Device",
    "DeviceKind",
    "DeviceStatus",
    "FrigateEvent",
    "FrigatePersonCount",
    "KioskFeedback",
    "Message",
    "MirrorMeasurement",
    "MirrorSilhouette",
    "PosTransaction",
    "Receipt",
    "Received",
    "Recommendation",
    "SaleLine",
    "Tender",
    "TenderKind",
    "TransactionKind",
]

DEVICE_ID = re.compile(r"[a-z0-9-]{1,40}")
"""What a store's or a device's id looks like (design, section 3)."""

DeviceKind = Literal["camera", "mirror", "pos", "kiosk", "frigate"]
Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._/-]{0,63}$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Minor = Annotated[int, Field(ge=-(10**12), le=10**12)]
Sku = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]
Reference = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]
Personal = Annotated[str, StringConstraints(max_length=256)]
TenderKind = Literal["card", "cash", "wechat_pay", "alipay", "unionpay_qr", "gift_card", "other"]
"""How something is paid."""
TransactionKind = Literal["sale", "return", "void", "cancelled"]
"""Goods went out; came back; an earlier transaction is undone; nothing came of it."""
SessionToken = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{4,64}$")]
Millimetres = Annotated[int, Field(gt=0, lt=3000)]
_YEAR_2100_S = 4_102_444_800
_FRIGATE_NAMES = UUID("5f0d6c1e-8f5b-4b0e-9d57-0c1f3a6b2e44")
"""Where the ids of Frigate's events are told from all others (RFC 9562, version 5)."""


@dataclass(frozen=True, slots=True)
class Device:
    """Who published: taken from the topic, which the broker's access list holds a device to."""

    kind: DeviceKind
    id: str


class _Said(BaseModel):
    """Base of what comes as JSON or msgpack: strict about types, silent about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, allow_inf_nan=False)


class _Effective(_Said):
    """Base of every message with an effect: it counts once, by `message_id`."""

    message_id: UUID
    captured_at: AwareDatetime


@dataclass(frozen=True, slots=True)
class CameraFrame:
    """One JPEG, unread as yet. Lives in memory only; the next frame overwrites it."""

    jpeg: bytes
    captured_at: AwareDatetime | None = None

    def __repr__(self) -> str:
        return f"CameraFrame({len(self.jpeg)} bytes)"


class Detection(_Said):
    """One person box, pixels of the camera's own frame."""

    box_xyxy: tuple[float, float, float, float]
    score: float = Field(ge=0, le=1)


class CameraDetections(_Effective):
    """Boxes from a camera that infers on its own chip."""

    frame_width: int = Field(gt=0, le=16384)
    frame_height: int = Field(gt=0, le=16384)
    detections: tuple[Detection, ...] = Field(max_length=500)


class MirrorSilhouette(_Effective):
    """Front and side outline masks (PNG) within a consent session."""

    session: SessionToken
    garment: Word | None = None
    stature_mm: Millimetres | None = None
    front_png: bytes = Field(max_length=1_000_000, repr=False)
    side_png: bytes = Field(max_length=1_000_000, repr=False)


class MirrorMeasurement(_Effective):
    """Breadths and depths in millimetres that the mirror measured itself, within a consent session."""

    session: SessionToken
    garment: Word | None = None
    stature_mm: Millimetres = Field(repr=False)
    breadths_mm: dict[Word, Millimetres] = Field(default_factory=dict, max_length=16, repr=False)
    depths_mm: dict[Word, Millimetres] = Field(default_factory=dict, max_length=16, repr=False)


class SaleLine(_Said):
    """One line of a sale: `quantity` units of `sku` for `total_minor` altogether, `discount_minor` taken off already.

    Free text on a till may hold anything, so an article's name shows in no `repr`. `returned`: goods that come back
    within a sale, as in an exchange; the amounts stay as they stand on the slip.
    """

    sku: Sku = Field(repr=False)
    quantity: int = Field(ge=1, le=100_000)
    total_minor: Minor
    discount_minor: Minor = 0
    tax_minor: Minor | None = None
    returned: bool = False


class Tender(_Said):
    """How (part of) a sale was paid; below zero what was paid out. Card numbers have no field here and so no way in."""

    kind: TenderKind
    amount_minor: Minor
    reference: Reference | None = Field(default=None, repr=False)


class Customer(_Said):
    """Who bought, as the till knows it: personal throughout, for the sanitiser and the consent gate, and for no fact."""

    name: Personal | None = Field(default=None, repr=False)
    phone: Personal | None = Field(default=None, repr=False)
    email: Personal | None = Field(default=None, repr=False)
    member_number: Personal | None = Field(default=None, repr=False)
    wechat_id: Personal | None = Field(default=None, repr=False)
    alipay_id: Personal | None = Field(default=None, repr=False)


class PosTransaction(_Effective):
    """One till transaction in minor units of `currency`; amounts are positive, `kind` says which way the goods went.

    What was told of sums must agree: lines, less what comes back, less `discount_minor` on the whole slip, plus tax where
    prices hold none, are the total; the tenders are the total rounded by `rounding_minor`.
    """

    kind: TransactionKind = "sale"
    currency: Currency
    lines: tuple[SaleLine, ...] = Field(default=(), max_length=2000)
    total_minor: Minor
    discount_minor: Minor = 0
    tax_minor: Minor = 0
    tax_included: bool = True
    net_minor: Minor | None = None
    rounding_minor: Annotated[int, Field(ge=-100_000, le=100_000)] = 0
    tenders: tuple[Tender, ...] = Field(default=(), max_length=20)
    training: bool = False
    reference: Reference | None = Field(default=None, repr=False)
    """The transaction that is given back or undone, by the till's own number."""
    session: SessionToken | None = Field(default=None, repr=False)
    customer: Customer | None = None

    @property
    def tax_told_minor(self) -> int:
        """Tax of the whole: as told, or where only the lines tell it their sum."""
        return self.tax_minor if "tax_minor" in self.model_fields_set else self._of_lines(lambda line: line.tax_minor)

    @model_validator(mode="after")
    def _adds_up(self) -> PosTransaction:
        mistake = None if self.kind == "cancelled" else self._mistake()
        if mistake is not None:
            raise ValueError(mistake)
        return self

    def _mistake(self) -> str | None:
        """Why the sums do not agree. The lines' taxes may: a till rounds them each, and their total once."""
        if not self.lines:
            return "no lines"
        if self.kind == "return" and any(line.returned for line in self.lines):
            return "every line of a return comes back; `returned` is for a sale's"
        goods_minor = self._of_lines(lambda line: line.total_minor) - self.discount_minor
        if goods_minor + (0 if self.tax_included else self.tax_told_minor) != self.total_minor:
            return "total_minor is not the sum of the lines"
        paid_minor = sum(tender.amount_minor for tender in self.tenders)
        if self.tenders and paid_minor != self.total_minor + self.rounding_minor:
            return "total_minor is not the sum of the tenders"
        if self.net_minor is not None and self.net_minor + self.tax_told_minor != self.total_minor:
            return "total_minor is not net_minor and tax"
        return None

    def _of_lines(self, figure: Callable[[SaleLine], int | None]) -> int:
        return sum((-1 if line.returned else 1) * (figure(line) or 0) for line in self.lines)


class KioskFeedback(_Effective):
    """A mood button, or a question or worry in words."""

    mood: int | None = Field(default=None, ge=1, le=5)
    words: str | None = Field(default=None, max_length=2000, repr=False)

    @model_validator(mode="after")
    def _says_something(self) -> KioskFeedback:
        if self.mood is None and not self.words:
            raise ValueError("neither mood nor words")
        return self


class DeviceStatus(_Said):
    """Retained state of a device; its last will says `offline`."""

    state: Literal["online", "offline"]
    firmware: Annotated[str, StringConstraints(max_length=64)] | None = None
    battery_percent: float | None = Field(default=None, ge=0, le=100)
    temperature_c: float | None = Field(default=None, ge=-60, le=150)


class FrigateObject(_Said):
    """The `before` or `after` of a Frigate event, as far as counting needs it.

    `frame_time` is in seconds since 1970 by the NVR's clock, `box` (left, top, right, bottom) in pixels of its detect stream.
    """

    id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    camera: Annotated[str, StringConstraints(max_length=64)]
    label: Annotated[str, StringConstraints(max_length=64)]
    frame_time: float = Field(ge=0, le=_YEAR_2100_S)
    box: tuple[float, float, float, float]
    score: float = Field(default=1.0, ge=0, le=1)
    false_positive: bool = False

    @model_validator(mode="after")
    def _has_an_area(self) -> FrigateObject:
        left, top, right, bottom = self.box
        if not (left < right and top < bottom):
            raise ValueError("box is not left, top, right, bottom")
        return self


class FrigateEvent(_Said):
    """One message on `frigate/events`, as Frigate documents it."""

    type: Literal["new", "update", "end"]
    before: FrigateObject
    after: FrigateObject

    @property
    def message_id(self) -> UUID:
        """Frigate gives none; the same news of the same object has the same id, however often it is delivered."""
        after = self.after
        return uuid5(_FRIGATE_NAMES, f"{after.camera}/{after.id}/{self.type}/{after.frame_time!r}")


@dataclass(frozen=True, slots=True)
class FrigatePersonCount:
    """One message on `frigate/{camera}/person`: people in view now."""

    count: int


Message = (
    CameraFrame
    | CameraDetections
    | MirrorSilhouette
    | MirrorMeasurement
    | PosTransaction
    | KioskFeedback
    | DeviceStatus
    | FrigateEvent
    | FrigatePersonCount
)
"""Everything a device can say."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """Stands for a QoS 1 delivery not yet acknowledged to the broker; void once the connection it came on is gone."""

    mid: int
    generation: int


@dataclass(frozen=True, slots=True)
class Received:
    """A message and the envelope it came in. `receipt` acknowledges it to the broker (QoS 1)."""

    device: Device
    message: Message
    received_at: AwareDatetime
    receipt: Receipt | None = None


class Ack(BaseModel):
    """Gateway to device: these `message_ids` are committed and need not be sent again."""

    model_config = ConfigDict(frozen=True)
    message_ids: tuple[UUID, ...]


class Recommendation(BaseModel):
    """Gateway to mirror: an answer, or a refusal with its reason. Exactly one of `size` and `refused` is set."""

    model_config = ConfigDict(frozen=True)
    message_id: UUID
    size: str | None = None
    second_choice: str | None = None
    confidence: float | None = None
    why: str = ""
    refused: str | None = None
