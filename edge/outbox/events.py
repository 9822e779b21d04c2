"""The event types that may leave the store. Nothing else can be enqueued, by type.

CloudEvents 1.0 (structured JSON). `sequence` is the CloudEvents *sequence* extension: the store's own order. An event's
`id` is unique within its `source`; HQ drops what it has.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

__all__ = [
    "BATCH_CONTENT_TYPE",
    "Body",
    "CameraHealth",
    "CountMetric",
    "CountReleased",
    "DeviceHealth",
    "Erasure",
    "Event",
    "EventBody",
    "SalesWindow",
    "Ticket",
    "event_batch",
]

BATCH_CONTENT_TYPE = "application/cloudevents-batch+json"
MAX_BATCH = 5000


CountMetric = Literal[
    "visits",
    "zone_entries",
    "area_visits",
    "dwell",
    "queue_waits",
    "paths",
    "capture",
    "groups",
    "heat",
    "mood",
    "sizes",
    "consents",
]
"""The counts of people that may leave, each through the release gate."""


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Window(_Body):
    start: AwareDatetime
    end: AwareDatetime


class CountReleased(_Window):
    """A count of people over [start, end) as the release gate let it through: noisy, never below zero."""

    kind: Literal["count"] = "count"
    metric: CountMetric
    place: str = Field(max_length=128)
    key: str = Field(max_length=64)
    count: int = Field(ge=0)
    epsilon: float = Field(gt=0)
    k: int = Field(ge=1)


class SalesWindow(_Window):
    """Exact figures of one till and currency over [start, end), in minor units. Late sales come as a further event."""

    kind: Literal["sales"] = "sales"
    till: str = Field(max_length=40)
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    sales: int = 0
    returns: int = 0
    voids: int = 0
    units: int = 0
    total_minor: int = 0
    tax_minor: int = 0
    cancelled: int = 0
    discount_minor: int = 0
    returned_units: int = 0
    returned_minor: int = 0
    card_minor: int = 0
    cash_minor: int = 0
    wechat_pay_minor: int = 0
    alipay_minor: int = 0
    unionpay_qr_minor: int = 0
    gift_card_minor: int = 0
    other_minor: int = 0


class DeviceHealth(_Body):
    """A device came or went."""

    kind: Literal["device"] = "device"
    device_kind: Literal["camera", "mirror", "pos", "kiosk", "frigate"]
    device: str = Field(max_length=40)
    state: Literal["online", "offline"]
    firmware: str | None = Field(default=None, max_length=64)


class CameraHealth(_Body):
    """What ails a camera's picture from the event's time on; without complaints it is well again."""

    kind: Literal["camera_health"] = "camera_health"
    camera: str = Field(max_length=40)
    complaints: tuple[Literal["dark", "blurred", "moved", "covered", "frozen"], ...] = Field(max_length=5)


class Erasure(_Body):
    """A shopper took everything back: HQ destroys what it holds under this pseudonym and says so, signed.

    The pseudonym is this store's own and names nobody; what it opened in the store is destroyed already.
    """

    kind: Literal["erasure"] = "erasure"
    subject: str = Field(pattern=r"^s_[a-z2-7]{26}$")
    asked_at: AwareDatetime
    ledger_seq: int = Field(ge=1)


class Ticket(_Body):
    """A question or a complaint for HQ's people. Its words are sealed to HQ: they may hold a name or a number."""

    kind: Literal["ticket"] = "ticket"
    ticket: str = Field(pattern=r"^[0-9a-f-]{36}$")
    about: Literal["question", "complaint"]
    language: Literal["en", "zh-CN"]
    due: AwareDatetime
    sealed: str = Field(max_length=65_536)


Body = CountReleased | SalesWindow | DeviceHealth | CameraHealth | Erasure | Ticket
"""What the outbox takes."""

EventBody = Annotated[Body, Field(discriminator="kind")]
"""The closed union of what may leave."""

EventType = Literal[
    "threshold.count.v1",
    "threshold.sales.v1",
    "threshold.device.v1",
    "threshold.camera_health.v1",
    "threshold.erasure.v1",
    "threshold.ticket.v1",
]
_TYPE_OF: dict[type[BaseModel], EventType] = {
    CountReleased: "threshold.count.v1",
    SalesWindow: "threshold.sales.v1",
    DeviceHealth: "threshold.device.v1",
    CameraHealth: "threshold.camera_health.v1",
    Erasure: "threshold.erasure.v1",
    Ticket: "threshold.ticket.v1",
}


class Event(BaseModel):
    """One CloudEvent. `historical` marks data older than what was already released: it must not overwrite live."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    specversion: Literal["1.0"] = "1.0"
    id: str = Field(min_length=1, max_length=80)
    source: str = Field(pattern=r"^threshold/stores/[a-z0-9-]{1,40}$")
    type: EventType
    time: AwareDatetime
    datacontenttype: Literal["application/json"] = "application/json"
    sequence: str = Field(pattern=r"^[0-9]{20}$")
    historical: bool = False
    data: EventBody

    @classmethod
    def of(
        cls,
        body: Body,
        *,
        store: str,
        incarnation: str,
        sequence: int,
        time: AwareDatetime,
        historical: bool = False,
    ) -> Event:
        """The event that carries `body`; `incarnation` names this life of the store's database."""
        return cls(
            id=f"{incarnation}-{sequence}",
            source=f"threshold/stores/{store}",
            type=_TYPE_OF[type(body)],
            time=time,
            sequence=f"{sequence:020d}",
            historical=historical,
            data=body,
        )


event_batch: TypeAdapter[list[Event]] = TypeAdapter(Annotated[list[Event], Field(max_length=MAX_BATCH)])
"""Reads and writes a CloudEvents JSON batch."""
