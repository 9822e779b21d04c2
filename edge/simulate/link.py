"""A device's connection to the broker, as cheap chips have it: plain MQTT 3.1.1, a last will, patience."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from threading import Event
from typing import Any

import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge.errors import BusError
from edge.settings import MqttSettings

__all__ = ["BrokerLink"]

log = structlog.get_logger(__name__)

_GOODBYE_S = 2.0
_QUEUE_MESSAGES = 200  # paho's own queue; what does not fit is sent again by the device


class BrokerLink:
    """One MQTT session: reconnects for ever, subscribes and says `online` (retained) on every connect.

    When the connection breaks the broker says `offline` for it, retained as well.
    """

    def __init__(
        self,
        *,
        client_id: str,
        mqtt: MqttSettings,
        status_topic: str,
        online: bytes,
        offline: bytes,
        hear: Mapping[str, Callable[[bytes], None]],
        on_connected: Callable[[], None],
        reconnect_max_s: int = 15,
    ) -> None:
        self._mqtt = mqtt
        self._status_topic = status_topic
        self._online, self._offline = online, offline
        self._hear = dict(hear)
        self._on_connected = on_connected
        self._connected = Event()
        self._trouble: str | None = None
        self._log = log.bind(device=client_id)
        self._client = self._new_client(client_id, reconnect_max_s)

    def _new_client(self, client_id: str, reconnect_max_s: int) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTProtocolVersion.MQTTv311, clean_session=True
        )
        client.max_queued_messages_set(_QUEUE_MESSAGES)
        client.reconnect_delay_set(1, reconnect_max_s)
        client.will_set(self._status_topic, self._offline, qos=1, retain=True)
        _secure(client, self._mqtt)
        client.on_pre_connect = self._pre_connect
        client.on_connect = self._connect
        client.on_subscribe = self._subscribed
        client.on_connect_fail = self._connect_fail
        client.on_disconnect = self._disconnect
        client.on_message = self._message
        return client

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted us, we are subscribed, and we have not noticed its leaving."""
        return self._connected.is_set()

    @property
    def trouble(self) -> str | None:
        """Why there is no connection, in a few words; None while there is one, or before the first try."""
        return self._trouble

    def wait_connected(self, timeout_s: float) -> bool:
        """Wait until connected, `timeout_s` at most; say whether we are."""
        return self._connected.wait(timeout_s)

    def start(self) -> None:
        """Begin to connect; returns at once, whether the broker is there or not."""
        self._client.connect_async(self._mqtt.host, self._mqtt.port, keepalive=30)
        self._client.loop_start()

    def publish(self, topic: str, payload: bytes, *, qos: int) -> MQTTMessageInfo | None:
        """Hand a message to the network; None if it was not taken (not connected, or the queue is full)."""
        if not self.connected:
            return None
        info = self._client.publish(topic, payload, qos=qos)
        return info if info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS else None

    def stop(self) -> None:
        """Say `offline`, disconnect, and wait for the network thread; what was published before is sent first."""
        if self.connected:
            goodbye = self._client.publish(self._status_topic, self._offline, qos=1, retain=True)
            # The connection may break under it; then the last will says the same.
            with suppress(RuntimeError, ValueError):
                goodbye.wait_for_publish(_GOODBYE_S)
        self._client.disconnect()
        self._client.loop_stop()
        self._connected.clear()
        self._release()

    def _release(self) -> None:
        """Cut the ring of references client → callback → us → client, so that its sockets close here and now."""
        self._client.on_pre_connect = self._client.on_connect = self._client.on_connect_fail = None
        self._client.on_subscribe = self._client.on_disconnect = self._client.on_message = None

    def _pre_connect(self, client: Client, _userdata: Any) -> None:
        # Our own accounting decides what is sent again; paho's copies would only go out a second time.
        client.drop_out_messages()

    def _connect(
        self, client: Client, _userdata: Any, _flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self._say_away(f"{self._broker} refuses us: {reason}")
            return
        client.publish(self._status_topic, self._online, qos=1, retain=True)
        client.subscribe([(topic, 1) for topic in self._hear])

    def _subscribed(
        self, _client: Client, _userdata: Any, _mid: int, reasons: list[ReasonCode], _properties: Properties | None
    ) -> None:
        """Only now are we connected: an acknowledgement sent before we listened would be lost."""
        if any(reason.is_failure for reason in reasons):
            self._log.warning("subscription_refused", topics=list(self._hear))
        self._trouble = None
        self._connected.set()
        self._log.debug("connected")
        self._on_connected()

    def _connect_fail(self, _client: Client, _userdata: Any) -> None:
        self._say_away(f"{self._broker} is away")

    def _disconnect(
        self,
        _client: Client,
        _userdata: Any,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if (
            reason.is_failure and self._trouble is None
        ):  # a refusal is the better reason; the broker then hangs up as well
            self._say_away(f"the connection to {self._broker} broke: {reason}")
        self._connected.clear()

    @property
    def _broker(self) -> str:
        return f"broker {self._mqtt.host}:{self._mqtt.port}"

    def _say_away(self, trouble: str) -> None:
        """Warn once for each outage, not once for each try."""
        if self._trouble is None:
            self._log.warning("not_connected", reason=trouble)
        self._trouble = trouble

    def _message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        listener = self._hear.get(message.topic)
        if listener is not None:
            listener(bytes(message.payload))


def _secure(client: Client, mqtt: MqttSettings) -> None:
    """Give the client its credentials; every file is read now, so that a wrong one is an error and not a retry."""
    if mqtt.username is not None:
        client.username_pw_set(mqtt.username, _password(mqtt))
    if mqtt.ca_file is None:
        return
    try:
        client.tls_set(ca_certs=str(mqtt.ca_file), certfile=_text(mqtt.certificate_file), keyfile=_text(mqtt.key_file))
    except (OSError, ValueError) as error:
        files = ", ".join(str(file) for file in (mqtt.ca_file, mqtt.certificate_file, mqtt.key_file) if file)
        raise BusError("read certificates", files, f"PEM files are needed ({error})") from error


def _password(mqtt: MqttSettings) -> str | None:
    if mqtt.password_file is None:
        return None
    try:
        return mqtt.password_file.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise BusError("read password", str(mqtt.password_file), "name a readable text file") from error


def _text(value: object) -> str | None:
    return None if value is None else str(value)
