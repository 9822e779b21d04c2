"""The reference device client: what a till's or a mirror's maker has to do so that nothing is lost, nothing counts twice."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from random import Random
from threading import Condition, Thread
from uuid import UUID

import structlog
from paho.mqtt.client import MQTTMessageInfo
from paho.mqtt.enums import MQTTErrorCode
from pydantic import ValidationError

from edge.bus.topics import Channel, topic_for
from edge.messages import Ack, Device, DeviceStatus, Recommendation
from edge.settings import MqttSettings
from edge.simulate.kept import EVERY_FEW_SECONDS, KeptMessage, KeptMessages, ResendAfter
from edge.simulate.link import BrokerLink
from edge.simulate.wire import Spoken, encode

__all__ = ["FIRMWARE", "ReferenceDevice"]

log = structlog.get_logger(__name__)

FIRMWARE = "threshold-reference"
_BURST = 25
_PAUSE_S = 0.25  # at most 100 messages/s, half of what the gateway takes from one device by default
_REMEMBERED = 100_000


class ReferenceDevice:
    """One store device on MQTT. Each message with an effect is kept until its id comes back on `ack`.

    A broker's PUBACK is no such promise: Mosquitto killed with -9 forgets what it has acknowledged. Frames are not kept.
    """

    def __init__(
        self,
        *,
        store: str,
        device: Device,
        mqtt: MqttSettings,
        resend: ResendAfter = EVERY_FEW_SECONDS,
        max_kept: int = 10_000,
        reconnect_max_s: int = 15,
        rng: Random | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        on_recommendation: Callable[[Recommendation], None] | None = None,
    ) -> None:
        self.device = device
        self._store = store
        self._monotonic = monotonic
        self._kept = KeptMessages(
            limit=max_kept, resend=resend, rng=rng or Random(f"{store}/{device.kind}/{device.id}")
        )
        self._changed = Condition()
        self._stopping = False
        self._sent_ids: deque[UUID] = deque(maxlen=_REMEMBERED)
        self._frame: MQTTMessageInfo | None = None
        self._on_recommendation = on_recommendation
        self._log = log.bind(device=f"{device.kind}/{device.id}")
        self._worker = Thread(target=self._work, name=f"resend-{device.kind}-{device.id}", daemon=True)
        self.sent_count = 0
        """Messages with an effect that `send` has taken."""
        self.publish_count = 0
        """How often such messages went out, repetitions included."""
        self.recommendation_count = 0
        """Answers received (mirrors)."""
        self.frames_published = 0
        self.frames_not_sent = 0
        hear = {self._topic("ack"): self._hear_ack}
        if device.kind == "mirror":
            hear[self._topic("recommendation")] = self._hear_recommendation
        self._link = BrokerLink(
            client_id=f"{store}-{device.kind}-{device.id}",
            mqtt=mqtt,
            status_topic=self._topic("status"),
            online=_status("online"),
            offline=_status("offline"),
            hear=hear,
            on_connected=self._connected,
            reconnect_max_s=reconnect_max_s,
        )

    def __enter__(self) -> ReferenceDevice:
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    @property
    def connected(self) -> bool:
        """Whether the broker is there, as far as we know."""
        return self._link.connected

    @property
    def trouble(self) -> str | None:
        """Why we are not connected, in a few words; None while we are, or before the first try."""
        return self._link.trouble

    @property
    def sent_ids(self) -> tuple[UUID, ...]:
        """Ids of the messages that `send` took, oldest first; the last 100,000 of them."""
        with self._changed:
            return tuple(self._sent_ids)

    def pending(self) -> int:
        """Messages kept because the gateway has not acknowledged them yet."""
        with self._changed:
            return len(self._kept)

    def start(self) -> None:
        """Connect in the background, for as long as it takes."""
        self._worker.start()
        self._link.start()

    def stop(self) -> None:
        """Say `offline` and disconnect. What is still pending is lost with this process: wait for it first."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._worker.ident is not None:  # it was started
            self._worker.join()
        self._link.stop()

    def wait_connected(self, timeout_s: float) -> bool:
        """Wait until connected, `timeout_s` at most; say whether we are."""
        return self._link.wait_connected(timeout_s)

    def wait_acknowledged(self, timeout_s: float) -> bool:
        """Wait until nothing is pending, `timeout_s` at most; say whether that is so."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._kept) == 0, timeout_s)

    def send(self, message: Spoken) -> None:
        """Keep `message` and publish it until it is acknowledged; returns at once.

        Raises:
            BusError: too many messages wait already; this one was not taken.
        """
        encoded = encode(message)
        kept = KeptMessage(message.message_id, self._topic(encoded.channel), encoded.payload)
        with self._changed:
            self._kept.keep(kept, now_s=self._monotonic())
            self._sent_ids.append(message.message_id)
            self.sent_count += 1
            self._changed.notify_all()

    def publish_frame(self, jpeg: bytes) -> bool:
        """Publish a camera picture (QoS 0), or drop it: there is no connection, or the last one is still on its way."""
        info = None if self._frame_underway() else self._link.publish(self._topic("frame"), jpeg, qos=0)
        if info is None:
            self.frames_not_sent += 1
            return False
        self._frame = info
        self.frames_published += 1
        return True

    def _topic(self, channel: Channel) -> str:
        return topic_for(self._store, self.device, channel)

    def _frame_underway(self) -> bool:
        info = self._frame
        if info is None or info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            return False
        try:
            return not info.is_published()
        except RuntimeError:  # the connection broke at this very moment
            return False

    def _connected(self) -> None:
        with self._changed:
            self._kept.all_due(now_s=self._monotonic())
            self._changed.notify_all()

    def _hear_ack(self, payload: bytes) -> None:
        try:
            ack = Ack.model_validate_json(payload)
        except ValidationError:
            self._log.warning("ack_unreadable", bytes=len(payload))
            return
        with self._changed:
            self._kept.acknowledge(ack.message_ids)
            self._changed.notify_all()

    def _hear_recommendation(self, payload: bytes) -> None:
        try:
            recommendation = Recommendation.model_validate_json(payload)
        except ValidationError:
            self._log.warning("recommendation_unreadable", bytes=len(payload))
            return
        self.recommendation_count += 1
        if self._on_recommendation is not None:
            self._on_recommendation(recommendation)

    def _work(self) -> None:
        """Publish what falls due, oldest first, in bursts: a long outage must not end in a flood."""
        while True:
            due = self._await_due()
            if due is None:
                return
            for message in due:
                # Not taken means not connected: the next connect makes it due again.
                if self._link.publish(message.topic, message.payload, qos=1) is not None:
                    self.publish_count += 1
            if len(due) == _BURST:
                time.sleep(_PAUSE_S)

    def _await_due(self) -> list[KeptMessage] | None:
        """What to publish now, as soon as there is something; None to stop."""
        with self._changed:
            while not self._stopping:
                now_s = self._monotonic()
                due = self._kept.take_due(now_s=now_s, at_most=_BURST) if self._link.connected else []
                if due:
                    return due
                self._changed.wait(self._rest_s(now_s))
            return None

    def _rest_s(self, now_s: float) -> float | None:
        next_s = self._kept.next_due_s()
        if next_s is None or not self._link.connected:
            return None  # a new message or a new connection notifies
        return max(next_s - now_s, 0.01)


def _status(state: str) -> bytes:
    status = DeviceStatus.model_validate({"state": state, "firmware": FIRMWARE})
    return status.model_dump_json(exclude_none=True).encode()
