"""A paho client set up as the gateway needs it: persistent session, manual acknowledgement, last will, TLS."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from edge.bus.topics import Subscription
from edge.errors import BusError
from edge.settings import MqttSettings

__all__ = ["RECEIVE_MAXIMUM", "Presence", "authenticate", "connect", "new_client", "subscribe"]

RECEIVE_MAXIMUM = 200
"""QoS 1 messages the broker may send ahead of our acknowledgements: bounds what the gateway holds in memory. On 3.1.1 only
the broker can bound it (`max_inflight_messages` in firmware_configs/mosquitto/threshold.conf says the same)."""

_KEEPALIVE_S = 20
_SESSION_EXPIRY_S = 7 * 24 * 3600
_MAX_UNSENT = 2000
_MAX_PACKET_BYTES = 2_500_000
"""More than the broker takes in: a broker keeps larger packets from us without a word, and we want to count them."""

_NO_RETAINED = 2


@dataclass(frozen=True, slots=True)
class Presence:
    """Retained on `topic`: `online` at every connect, `offline` as last will and at a regular end."""

    topic: str
    online: bytes = b'{"state":"online"}'
    offline: bytes = b'{"state":"offline"}'


def new_client(
    settings: MqttSettings, *, client_id: str, protocol: MQTTProtocolVersion, presence: Presence | None
) -> paho.Client:
    """A client that has not connected yet, speaking `protocol` only.

    Raises:
        BusError: a password, certificate or key file cannot be read.
    """
    client = paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        clean_session=None if protocol == MQTTProtocolVersion.MQTTv5 else False,
        protocol=protocol,
        reconnect_on_failure=False,
        manual_ack=True,
    )
    client.max_queued_messages_set(_MAX_UNSENT)
    if presence is not None:
        client.will_set(presence.topic, presence.offline, qos=1, retain=True)
    authenticate(client, settings)
    return client


def authenticate(client: paho.Client, settings: MqttSettings) -> None:
    """Give `client` the name, password and certificates that `settings` name.

    Raises:
        BusError: a password, certificate or key file cannot be read.
    """
    try:
        _authenticate(client, settings)
    except (OSError, ValueError) as error:
        # The error's own text may quote the file; its kind is enough.
        raise BusError(
            "connect to the broker", f"credentials ({type(error).__name__})", "check the files that [mqtt] names"
        ) from error


def connect(client: paho.Client, settings: MqttSettings) -> None:
    """Open the connection and send CONNECT; what the broker says to it comes later, as a callback.

    Raises:
        OSError: nobody listens there, or TLS was refused.
    """
    if client.protocol != MQTTProtocolVersion.MQTTv5:
        client.connect(settings.host, settings.port, _KEEPALIVE_S)
        return
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = _SESSION_EXPIRY_S
    properties.ReceiveMaximum = RECEIVE_MAXIMUM
    properties.MaximumPacketSize = max(_MAX_PACKET_BYTES, 2 * settings.max_payload_bytes)
    client.connect(settings.host, settings.port, _KEEPALIVE_S, clean_start=False, properties=properties)


def subscribe(client: paho.Client, subscriptions: tuple[Subscription, ...]) -> None:
    """Ask for every filter in one packet. On MQTT 5 a filter of events asks for no retained messages."""
    if client.protocol == MQTTProtocolVersion.MQTTv5:
        client.subscribe(
            [
                (s.filter, SubscribeOptions(qos=s.qos, retainHandling=0 if s.state else _NO_RETAINED))
                for s in subscriptions
            ]
        )
    else:
        client.subscribe([(s.filter, int(s.qos)) for s in subscriptions])


def _authenticate(client: paho.Client, settings: MqttSettings) -> None:
    if settings.username is not None:
        file = settings.password_file
        client.username_pw_set(settings.username, None if file is None else file.read_text("utf-8").rstrip("\r\n"))
    if settings.ca_file is not None:
        context = ssl.create_default_context(cafile=str(settings.ca_file))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if settings.certificate_file is not None:
            context.load_cert_chain(settings.certificate_file, settings.key_file)
        client.tls_set_context(context)
