"""Hearing one topic for a while, beside the gateway: a session that leaves nothing behind at the broker."""

from __future__ import annotations

from threading import Condition
from time import monotonic
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from edge.bus.paho_client import authenticate
from edge.errors import BusError
from edge.settings import MqttSettings

__all__ = ["TopicListener"]

_CONNECT_S = 10.0
_KEEPALIVE_S = 20


class TopicListener:
    """The newest message on one topic; one that nobody took is overwritten, in memory only. Use it in a `with` block."""

    def __init__(self, settings: MqttSettings, *, topic: str) -> None:
        """Raises `BusError` where a credential file cannot be read."""
        self._settings = settings
        self._topic = topic
        self._change = Condition()
        self._newest: bytes | None = None
        self._listening = False
        self._refusal: str | None = None
        self.heard = 0
        """Messages that came, taken or not."""
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"threshold-listener-{uuid4().hex[:8]}",
            protocol=MQTTProtocolVersion.MQTTv311,
            clean_session=True,
        )
        authenticate(self._client, settings)
        self._client.on_connect = self._connected
        self._client.on_subscribe = self._subscribed
        self._client.on_message = self._message

    def __enter__(self) -> Self:
        """Connect and subscribe.

        Raises:
            BusError: the broker is away, refuses us, or does not let us hear the topic.
        """
        where = f"{self._settings.host}:{self._settings.port}"
        try:
            self._client.connect(self._settings.host, self._settings.port, _KEEPALIVE_S)
        except OSError as error:
            raise BusError("listen", where, "is the broker running?") from error
        self._client.loop_start()
        with self._change:
            self._change.wait_for(lambda: self._listening or self._refusal, _CONNECT_S)
        if not self._listening:
            self._close()
            raise BusError("listen", where, self._refusal or "the broker does not answer")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def take(self, *, timeout_s: float) -> bytes | None:
        """The newest message that was not taken yet; None if none came in time."""
        until_s = monotonic() + timeout_s
        with self._change:
            while self._newest is None and (left_s := until_s - monotonic()) > 0:
                self._change.wait(left_s)
            newest, self._newest = self._newest, None
            return newest

    def _connected(self, client: paho.Client, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._refuse(f"the broker refuses us: {reason}")
        else:
            client.subscribe(self._topic, qos=0)

    def _subscribed(self, _client: Any, _userdata: Any, _mid: int, reasons: list[Any], _properties: Any) -> None:
        if any(reason.is_failure for reason in reasons):
            self._refuse("its access list does not let us hear the camera")
            return
        with self._change:
            self._listening = True
            self._change.notify_all()

    def _refuse(self, why: str) -> None:
        with self._change:
            self._refusal = why
            self._change.notify_all()

    def _message(self, _client: Any, _userdata: Any, message: paho.MQTTMessage) -> None:
        with self._change:
            self.heard += 1
            self._newest = bytes(message.payload)
            self._change.notify_all()

    def _close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        # Cut the ring of references client → callback → us → client, so that its sockets close here and now.
        self._client.on_connect = self._client.on_subscribe = self._client.on_message = None
