"""The door: whatever the broker delivers comes out as one typed message, or as `MessageRejected`. Nothing else escapes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from edge.bus.payloads import (
    FRIGATE_EVENT_BYTES,
    FRIGATE_PERSON_BYTES,
    SIZE_LIMITS,
    ReadTransaction,
    parse_frigate,
    parse_payload,
    read_json_transaction,
)
from edge.bus.rate_limit import RateLimiter
from edge.bus.registry import DeviceRegistry
from edge.bus.topics import SPOKEN, FrigateTopic, Topic, parse_topic
from edge.errors import MessageRejected
from edge.messages import Device, FrigateEvent, Message, Receipt, Received
from edge.settings import MqttSettings, Settings

__all__ = ["Inbound", "Limits"]

_FRIGATE_EVENTS = FrigateTopic(camera=None)
_BESIDE = 0.1
"""How far, as a share of the picture, a box of somebody at its edge may reach beyond it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much, and how often, one device may say.

    `backlog_s` is how many seconds' worth of QoS 1 messages it may bring at once: one that was away for hours comes back
    with its backlog, and that is no flood. `frame_burst_s` is the same for frames, of which only the newest counts.
    """

    max_payload_bytes: int = 2_000_000
    messages_per_s: float = 200.0
    backlog_s: float = 150.0
    frame_burst_s: float = 2.0

    @classmethod
    def of(cls, mqtt: MqttSettings) -> Self:
        """The limits that `[mqtt]` in `store.toml` sets."""
        return cls(max_payload_bytes=mqtt.max_payload_bytes, messages_per_s=mqtt.max_messages_per_s)


class Inbound:
    """Checks, in this order: topic, store, channel, device, size, rate, payload. One thread uses it."""

    def __init__(
        self,
        *,
        store: str,
        devices: DeviceRegistry,
        limits: Limits,
        read_transaction: ReadTransaction = read_json_transaction,
    ) -> None:
        """`read_transaction` reads what tills send; without one JSON alone is understood."""
        self._store = store
        self._read_transaction = read_transaction
        self._devices = devices
        self._max_payload_bytes = limits.max_payload_bytes
        self._frames = RateLimiter(devices.devices, rate_per_s=limits.messages_per_s, burst_s=limits.frame_burst_s)
        self._events = RateLimiter(
            [*devices.devices, _FRIGATE_EVENTS], rate_per_s=limits.messages_per_s, burst_s=limits.backlog_s
        )

    @classmethod
    def of(cls, settings: Settings, *, read_transaction: ReadTransaction = read_json_transaction) -> Self:
        """The door of the store that `settings` describe."""
        return cls(
            store=settings.store.id,
            devices=DeviceRegistry.of(settings),
            limits=Limits.of(settings.mqtt),
            read_transaction=read_transaction,
        )

    def take(self, topic: str, payload: bytes, *, received_at: datetime, receipt: Receipt | None) -> Received:
        """The message that `payload` on `topic` is, in its envelope.

        Raises:
            MessageRejected: with the reason `unknown-topic`, `wrong-store`, `wrong-channel`, `unknown-device`, `too-large`,
                `too-fast`, `outside-picture`, or one of `payloads`. Its text holds nothing of the payload, nor of a topic
                outside the grammar.
        """
        place = parse_topic(topic)
        if isinstance(place, FrigateTopic):
            return self._from_frigate(place, payload, received_at=received_at, receipt=receipt)
        self._check_place(place)
        self._check_size(payload, limit=SIZE_LIMITS[place.channel], what=place.channel)
        limiter = self._frames if place.channel == "frame" else self._events
        self._check_rate(limiter, place.device, what=f"{place.device.kind} {place.channel}", at=received_at)
        return Received(place.device, self._message(place, payload, at=received_at), received_at, receipt)

    def _message(self, place: Topic, payload: bytes, *, at: datetime) -> Message:
        if place.channel == "transaction" and payload:
            return self._read_transaction(payload, place.device, at)
        return parse_payload(place.channel, payload)

    def _check_place(self, place: Topic) -> None:
        if place.store != self._store:
            raise MessageRejected("wrong-store", "a topic of another store")
        if place.channel not in SPOKEN[place.device.kind]:
            raise MessageRejected("wrong-channel", f"a {place.device.kind} does not speak on {place.channel}")
        if not self._devices.knows(place.device):
            raise MessageRejected("unknown-device", f"a {place.device.kind} that is not in store.toml")

    def _check_size(self, payload: bytes, *, limit: int, what: str) -> None:
        limit = min(limit, self._max_payload_bytes)
        if len(payload) > limit:
            raise MessageRejected("too-large", f"{what} of {len(payload)} bytes, at most {limit} are taken")

    def _check_rate(self, limiter: RateLimiter, key: Device | FrigateTopic, *, what: str, at: datetime) -> None:
        if not limiter.allows(key, at=at):
            raise MessageRejected("too-fast", f"{what} more often than mqtt.max_messages_per_s")

    def _from_frigate(
        self, place: FrigateTopic, payload: bytes, *, received_at: datetime, receipt: Receipt | None
    ) -> Received:
        """Events name their camera inside, so their rate is the whole NVR's; a person count's is its camera's."""
        counting = place.camera is not None
        self._check_size(
            payload, limit=FRIGATE_PERSON_BYTES if counting else FRIGATE_EVENT_BYTES, what="frigate message"
        )
        speaker: Device | FrigateTopic = place if place.camera is None else self._behind_frigate(place.camera)
        self._check_rate(self._events, speaker, what="frigate", at=received_at)
        message = parse_frigate(payload, person_count=counting)
        device = self._behind_frigate(message.after.camera) if isinstance(message, FrigateEvent) else speaker
        if isinstance(message, FrigateEvent):
            self._check_boxes(message)
        assert isinstance(device, Device)  # noqa: S101  a person count's speaker is its camera
        return Received(device, message, received_at, receipt)

    def _check_boxes(self, event: FrigateEvent) -> None:
        """A box beyond the picture says that `frigate_detect` is not Frigate's: then no line lies where it should."""
        width, height = self._devices.frigate_sizes[event.after.camera]
        across, down = _BESIDE * width, _BESIDE * height
        for left, top, right, bottom in (event.before.box, event.after.box):
            if left < -across or top < -down or right > width + across or bottom > height + down:
                raise MessageRejected("outside-picture", "a frigate box beyond cameras.frigate_detect")

    def _behind_frigate(self, name: str) -> Device:
        device = self._devices.behind_frigate(name)
        if device is None:
            raise MessageRejected("unknown-device", "a Frigate camera that is no camera's frigate_name in store.toml")
        return device
