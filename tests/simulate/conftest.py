"""A gateway that does what the test says, and patience for a busy machine."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from threading import Condition
from typing import Protocol

import msgpack
import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from edge.settings import MqttSettings

PATIENCE_S = 60.0
"""How long a test waits for something that must happen; reached only when it does not."""


def eventually(happens: Callable[[], bool], *, within_s: float = PATIENCE_S) -> bool:
    """Whether `happens` comes true in time."""
    deadline = time.monotonic() + within_s
    while not happens():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


class Broker(Protocol):
    """The shared Mosquitto of `tests/conftest.py`. Killed, it forgets what it had not saved."""

    host: str
    port: int

    def start(self) -> None: ...
    def kill(self) -> None: ...


def settings_of(broker: Broker) -> MqttSettings:
    return MqttSettings(host=broker.host, port=broker.port)


class FakeGateway:
    """Hears everything devices say and acknowledges what `policy` lets it: message id and how often it came → yes or no."""

    def __init__(self, port: int, policy: Callable[[str, int], bool]) -> None:
        self.policy = policy
        self.heard: list[tuple[str, bytes]] = []
        self.times: dict[str, int] = {}
        self._changed = Condition()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="fake-gateway")
        self._client.max_inflight_messages_set(0)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe("threshold/v1/#", qos=1)
        self._subscribed = False
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._client.connect_async("127.0.0.1", port)
        self._client.loop_start()
        assert self.wait(lambda: self._subscribed)

    def _on_subscribe(self, *_: object) -> None:
        with self._changed:
            self._subscribed = True
            self._changed.notify_all()

    def _on_message(self, client: Client, _userdata: object, message: MQTTMessage) -> None:
        channel = message.topic.rsplit("/", 1)[1]
        if channel in {"ack", "recommendation"}:
            return
        with self._changed:
            self.heard.append((message.topic, bytes(message.payload)))
            if channel not in {"frame", "status", "silhouette"}:
                self._answer(message, json.loads(message.payload)["message_id"])
            if channel == "silhouette":
                self._answer(message, msgpack.unpackb(message.payload)["message_id"])
            self._changed.notify_all()

    def _answer(self, message: MQTTMessage, message_id: str) -> None:
        self.times[message_id] = self.times.get(message_id, 0) + 1
        if self.policy(message_id, self.times[message_id]):
            self.acknowledge(message.topic.rsplit("/", 1)[0], message_id)

    def acknowledge(self, device: str, *message_ids: str) -> None:
        """Say on the `ack` topic of `device` (threshold/v1/…/…/…) that these are stored."""
        self._client.publish(f"{device}/ack", json.dumps({"message_ids": message_ids}), qos=1)

    def say(self, topic: str, payload: bytes) -> None:
        self._client.publish(topic, payload, qos=1)

    def wait(self, until: Callable[[], bool]) -> bool:
        with self._changed:
            return self._changed.wait_for(until, PATIENCE_S)

    def channel(self, name: str) -> list[bytes]:
        """The payloads heard on one channel, of all devices, in order."""
        with self._changed:
            return [payload for topic, payload in self.heard if topic.rsplit("/", 1)[1] == name]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        self._client.on_connect = self._client.on_subscribe = self._client.on_message = None


@pytest.fixture
def new_gateway(mosquitto: Broker) -> Iterator[Callable[..., FakeGateway]]:
    """Makes fake gateways; by default one acknowledges everything it hears."""
    made: list[FakeGateway] = []

    def make(policy: Callable[[str, int], bool] = lambda _id, _times: True) -> FakeGateway:
        made.append(FakeGateway(mosquitto.port, policy))
        return made[-1]

    yield make
    for gateway in made:
        gateway.close()
