"""The gateway: messages in, outcomes to the writer, answers back. Its parts are complete when it is made."""

from __future__ import annotations

from contextlib import suppress
from typing import Protocol

import structlog

from edge.bus.client import BusClient
from edge.bus.dead_letters import dead_letter_of
from edge.bus.inbound import Inbound
from edge.bus.topics import topic_for
from edge.cameras import Cameras
from edge.clock import Clock
from edge.consent.gate import ConsentGate
from edge.errors import MessageRejected
from edge.handling import handle
from edge.messages import (
    Ack,
    CameraDetections,
    CameraFrame,
    Device,
    FrigateEvent,
    FrigatePersonCount,
    Receipt,
    Received,
    Recommendation,
)
from edge.outcome import Outcome
from edge.storage.store import Store
from edge.tills_server import TillsServer
from edge.writer import Writer

__all__ = ["DeviceReplies", "Gateway", "Intake"]

log = structlog.get_logger(__name__)


class _Publisher(Protocol):
    def ack(self, receipt: Receipt) -> None: ...
    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> bool: ...


class DeviceReplies:
    """The way back: PUBACKs to the broker, `ack` and `recommendation` to devices."""

    def __init__(self, publisher: _Publisher, *, store: str) -> None:
        self._publisher = publisher
        self._store = store

    def acknowledge(self, receipt: Receipt) -> None:
        """PUBACK a delivery whose effect is committed."""
        self._publisher.ack(receipt)

    def send_ack(self, device: Device, ack: Ack) -> None:
        """Name the committed messages to their device. At most once: a device that misses it sends again."""
        if device.kind == "frigate":
            return  # an NVR gives its messages no ids, and waits for nothing
        self._publisher.publish(topic_for(self._store, device, "ack"), ack.model_dump_json().encode())

    def send_recommendation(self, device: Device, recommendation: Recommendation) -> None:
        """Answer a mirror."""
        topic = topic_for(self._store, device, "recommendation")
        self._publisher.publish(topic, recommendation.model_dump_json().encode())


class Intake:
    """What the bus delivers, sorted: what cameras see to the cameras, the rest handled and written, the bad a dead letter."""

    def __init__(self, *, inbound: Inbound, gate: ConsentGate, cameras: Cameras, writer: Writer, clock: Clock) -> None:
        self._inbound = inbound
        self._gate = gate
        self._cameras = cameras
        self._writer = writer
        self._clock = clock

    def __call__(self, topic: str, payload: bytes, receipt: Receipt | None) -> None:
        """Take one delivery. Runs on the network thread: it parses and queues, and touches no disk."""
        with suppress(MessageRejected):  # its dead letter is on its way
            self.put(self.read(topic, payload, receipt))

    def read(self, topic: str, payload: bytes, receipt: Receipt | None = None) -> Received:
        """The message, checked.

        Raises:
            MessageRejected: it cannot be taken; its dead letter is on its way.
        """
        now = self._clock()
        try:
            return self._inbound.take(topic, payload, received_at=now, receipt=receipt)
        except MessageRejected as error:
            letter = dead_letter_of(error, topic, payload)
            self._writer.put(Outcome(now, receipt=receipt, dead_letter=letter))
            raise

    def put(self, received: Received) -> bool:
        """Hand a message on to where it belongs; False when the writer's queue is full."""
        if isinstance(received.message, CameraFrame | CameraDetections | FrigateEvent | FrigatePersonCount):
            self._cameras.offer(received)
            return True
        return self._writer.put(handle(received, gate=self._gate))


class Gateway:
    """Everything between the broker and `store.db`. `edge.app.build` makes it."""

    def __init__(
        self,
        *,
        bus: BusClient,
        cameras: Cameras,
        writer: Writer,
        store: Store,
        tills: TillsServer | None = None,
    ) -> None:
        """`tills` is there where tills may post over HTTP."""
        self._bus = bus
        self._tills = tills
        self._cameras = cameras
        self._writer = writer
        self._store = store

    def start(self) -> None:
        """Start from the inside out, so that the first message finds everything in place."""
        self._writer.start()
        self._cameras.start()
        if self._tills is not None:
            self._tills.start()
        self._bus.start()
        log.info("gateway.started")

    def stop(self) -> None:
        """Stop from the outside in: no new messages, pictures in hand finished, what waits committed, its acks sent."""
        if self._tills is not None:
            self._tills.stop()
        self._cameras.stop()
        self._writer.stop()
        self._bus.stop()
        self._store.close()
        log.info("gateway.stopped")
