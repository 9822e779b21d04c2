"""The gateway's connection to the broker: it stays, comes back, and acknowledges only what it is told to.

One thread owns the socket and all of paho. `ack` and `publish` only leave a note for it, so they never block, may be called
from any thread, and cannot write into a connection that is being replaced (paho's own threaded loop allows that).
"""

from __future__ import annotations

import contextlib
import random
import selectors
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

import paho.mqtt.client as paho
import structlog
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge.bus.backoff import Backoff
from edge.bus.counts import BusCounts, Tally
from edge.bus.in_flight import InFlight
from edge.bus.paho_client import RECEIVE_MAXIMUM, Presence, connect, new_client, subscribe
from edge.bus.protocol import ProtocolChoice
from edge.bus.topics import Subscription
from edge.errors import BusError
from edge.messages import Receipt
from edge.settings import MqttSettings

__all__ = ["BusClient", "OnMessage"]

OnMessage = Callable[[str, bytes, Receipt | None], None]
"""Called on the network thread for every message, and must not block: put it on a queue. The receipt is None for QoS 0."""

_UNREADABLE_TOPIC = "\N{REPLACEMENT CHARACTER}"
_LOOP_S = 0.5
_ANSWER_S = 2.0
_FAREWELL_S = 2.0
_MAX_NOTES = 20_000
_MAX_IN_FLIGHT_BYTES = 64 * 1024 * 1024
_NOTES_A_ROUND = 500
_UNSUPPORTED_PROTOCOL = 0x84


@dataclass(frozen=True, slots=True)
class _Outgoing:
    topic: str
    payload: bytes
    qos: int
    retain: bool


class BusClient:
    """An MQTT client with a persistent session and manual acknowledgement. Start it once, stop it once."""

    def __init__(
        self,
        settings: MqttSettings,
        *,
        client_id: str,
        subscriptions: tuple[Subscription, ...],
        on_message: OnMessage,
        presence: Presence | None = None,
        backoff: Backoff | None = None,
        logger: Any = None,
    ) -> None:
        """Connect to the broker that `settings` name, as `client_id`: the session is kept under that name."""
        self._settings = settings
        self._client_id = client_id
        self._subscriptions = subscriptions
        self._on_message = on_message
        self._presence = presence
        self._backoff = backoff or Backoff(first_s=0.5, most_s=30.0, random=random.random)
        self._log = (logger or structlog.get_logger(__name__)).bind(broker=f"{settings.host}:{settings.port}")
        self._choice = ProtocolChoice(settings.protocol)
        self._paho = self._new_paho()
        self._tally = Tally()
        self._in_flight = InFlight(max_messages=2 * RECEIVE_MAXIMUM, max_bytes=_MAX_IN_FLIGHT_BYTES)
        self._notes: deque[Receipt | _Outgoing] = deque()
        self._generation = 0
        self._ready = threading.Event()
        self._stopping = threading.Event()
        self._answered = False
        self._accepted = False
        self._quiet = False
        self._rung = False
        self._bell_out, self._bell_in = socket.socketpair()
        for end in (self._bell_out, self._bell_in):
            end.setblocking(False)
        self._thread = threading.Thread(target=self._run, name="bus", daemon=True)

    @property
    def connected(self) -> bool:
        """Whether the broker has taken us and our subscriptions."""
        return self._ready.is_set()

    @property
    def counts(self) -> BusCounts:
        """The totals as they are now."""
        return self._tally.now()

    def start(self) -> None:
        """Begin to connect; returns at once, and keeps trying for as long as it takes."""
        self._thread.start()

    def wait_connected(self, timeout_s: float) -> bool:
        """Wait for `connected`; False when it did not come about in time."""
        return self._ready.wait(timeout_s)

    def stop(self) -> None:
        """Send what was handed over, say offline, disconnect, and end the thread. The session stays at the broker."""
        self._stopping.set()
        self._ring()
        if self._thread.ident is not None:
            self._thread.join()
        self._bell_out.close()
        self._bell_in.close()

    def ack(self, receipt: Receipt) -> None:
        """Acknowledge a message to the broker, once what it does is durable; refused messages, too, or they come again.

        Every receipt must come back: past a bound, no more is read until some do. A receipt of an earlier connection does
        nothing: that message comes again, perhaps under another number, and this number may now be another message's.
        """
        self._leave(receipt)

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> bool:
        """Hand over a message for the broker; False, and counted, when it is dropped because the broker is away or slow.

        Raises:
            BusError: `topic` cannot be published on.
        """
        if not topic or any(sign in topic for sign in "+#\0"):
            raise BusError("publish", "a topic that is empty or has a wildcard", "name one topic")
        if not self.connected or len(self._notes) >= _MAX_NOTES:
            self._tally.add("publishes_dropped")
            return False
        self._leave(_Outgoing(topic, payload, qos, retain))
        return True

    def _leave(self, note: Receipt | _Outgoing) -> None:
        self._notes.append(note)
        self._ring()

    def _ring(self) -> None:
        """Wake the network thread; a bell that rings already need not be rung."""
        if not self._rung:
            self._rung = True
            with contextlib.suppress(OSError):
                self._bell_in.send(b"!")

    def _hush(self) -> None:
        """Before the notes are read, so that whoever leaves one later rings again."""
        with contextlib.suppress(BlockingIOError):
            self._bell_out.recv(64)
        self._rung = False

    # From here on: the network thread.

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._answered = self._accepted = False
            try:
                connect(self._paho, self._settings)
                self._serve()
            except (OSError, ValueError) as error:
                self._warn("broker_unreachable", error)
            except Exception as error:  # noqa: BLE001  a broker's nonsense ends the connection, not the gateway
                self._warn("bus_failed", error)
            if not self._changed_protocol():
                self._stopping.wait(self._backoff.next_s())

    def _serve(self) -> None:
        """Read and write until the connection or the client ends."""
        sock: Any = self._paho.socket()
        with selectors.DefaultSelector() as selector:
            selector.register(self._bell_out, selectors.EVENT_READ)
            answer_until_s = monotonic() + _ANSWER_S
            while self._paho.socket() is not None and not self._stopping.is_set():
                self._hand_over()
                self._round(selector, sock, timeout_s=_LOOP_S)
                if not self._answered and monotonic() > answer_until_s:
                    self._answered = True
                    self._choice.kept_waiting()
                    self._paho.disconnect()
            if self._accepted:
                self._farewell(selector, sock)

    def _round(self, selector: selectors.BaseSelector, sock: Any, *, timeout_s: float) -> None:
        """Wait for something to do, and do it."""
        client = self._paho
        if client.socket() is None:
            return
        reading = not (self._accepted and self._in_flight.full)
        _watch(selector, sock, reading=reading, writing=client.want_write())
        buffered = reading and isinstance(sock, ssl.SSLSocket) and sock.pending() > 0
        at_once = buffered or (self._accepted and self._notes)
        ready = {key.fileobj: events for key, events in selector.select(0 if at_once else timeout_s)}
        if self._bell_out in ready:
            self._hush()
        if buffered or ready.get(sock, 0) & selectors.EVENT_READ:
            client.loop_read()
        if ready.get(sock, 0) & selectors.EVENT_WRITE:
            client.loop_write()
        client.loop_misc()

    def _hand_over(self) -> None:
        """Give paho what was left for it, a part at a time so that reading goes on."""
        for _ in range(min(len(self._notes), _NOTES_A_ROUND) if self._accepted else 0):
            match self._notes.popleft():
                case Receipt() as receipt:
                    self._acknowledge(receipt)
                case _Outgoing() as out:
                    info = self._paho.publish(out.topic, out.payload, qos=out.qos, retain=out.retain)
                    if info.rc == MQTTErrorCode.MQTT_ERR_QUEUE_SIZE or (info.rc and not out.qos):
                        self._tally.add("publishes_dropped")

    def _acknowledge(self, receipt: Receipt) -> None:
        if receipt.generation == self._generation and self._in_flight.remove(receipt.mid):
            self._paho.ack(receipt.mid, 1)
            self._tally.add("acks_sent")
        else:
            self._tally.add("acks_void")

    def _farewell(self, selector: selectors.BaseSelector, sock: Any) -> None:
        """A regular end takes the last will away, so we say offline ourselves."""
        if not self._stopping.is_set():
            return
        client, until_s = self._paho, monotonic() + _FAREWELL_S
        while self._notes and client.socket() is not None:
            self._hand_over()
        said = None
        if self._presence is not None:
            said = client.publish(self._presence.topic, self._presence.offline, qos=1, retain=True)
        while client.socket() is not None and monotonic() < until_s:
            if not client.want_write() and (said is None or said.is_published()):
                break
            self._round(selector, sock, timeout_s=_FAREWELL_S / 10)
        client.disconnect()
        while client.socket() is not None and monotonic() < until_s:
            self._round(selector, sock, timeout_s=_FAREWELL_S / 10)

    def _changed_protocol(self) -> bool:
        """After a connection, or a try at one, has ended: True when the broker told us to speak another MQTT."""
        self._ready.clear()
        if self._accepted:
            self._choice.lost()
            if not self._stopping.is_set():
                self._log.warning("bus_lost")
        if self._choice.version == self._paho.protocol:
            return False
        try:
            other = self._new_paho()
        except BusError as error:  # a credential file went away while we ran
            self._warn("credentials_unreadable", error)
            return False
        self._tally.add("publishes_dropped", len(self._paho.drop_out_messages()))
        self._paho = other
        self._log.info("bus_protocol", protocol=self._choice.version.name)
        return True

    def _warn(self, event: str, error: Exception) -> None:
        """Once for each outage; a broker that is away for a night shall not fill the log."""
        if not self._quiet:
            self._log.warning(event, error=type(error).__name__)
        self._quiet = True

    def _new_paho(self) -> paho.Client:
        client = new_client(
            self._settings, client_id=self._client_id, protocol=self._choice.version, presence=self._presence
        )
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_subscribe = self._subscribed
        client.on_publish = self._published
        client.on_message = self._received
        return client

    def _connected(
        self, client: paho.Client, _: object, flags: paho.ConnectFlags, reason: ReasonCode, __: Properties | None
    ) -> None:
        self._answered = True
        if reason.is_failure:
            known = reason.value == _UNSUPPORTED_PROTOCOL and self._choice.refused()
            if not known and not self._quiet:
                self._log.error("broker_refused", reason=str(reason))
                self._quiet = True
            return
        self._accepted, self._quiet = True, False
        self._generation += 1
        self._in_flight.clear()
        self._backoff.reset()
        self._tally.add("connections")
        self._log.info("bus_connected", protocol=client.protocol.name, session_kept=flags.session_present)
        subscribe(client, self._subscriptions)
        if self._presence is not None:
            client.publish(self._presence.topic, self._presence.online, qos=1, retain=True)

    def _disconnected(
        self, _: paho.Client, __: object, flags: paho.DisconnectFlags, reason: ReasonCode, ___: Properties | None
    ) -> None:
        self._ready.clear()
        if not self._answered:
            self._choice.hung_up()
        elif flags.is_disconnect_packet_from_server:
            self._log.warning("broker_hung_up", reason=str(reason))

    def _subscribed(
        self, _: paho.Client, __: object, ___: int, reasons: list[ReasonCode], ____: Properties | None
    ) -> None:
        for subscription, reason in zip(self._subscriptions, reasons, strict=False):
            if reason.is_failure:
                self._tally.add("subscriptions_refused")
                self._log.error("subscription_refused", filter=subscription.filter, reason=str(reason))
        self._ready.set()

    def _published(self, _: paho.Client, __: object, ___: int, reason: ReasonCode, ____: Properties | None) -> None:
        if not reason.is_failure:
            self._tally.add("published")
            return
        self._tally.add("publishes_refused")
        self._log.warning("publish_refused", reason=str(reason))

    def _received(self, _: paho.Client, __: object, message: paho.MQTTMessage) -> None:
        self._tally.add("received")
        topic = _topic_of(message)
        if message.retain and message.qos == 0 and not self._is_state(topic):
            self._tally.add("stale_events")
            return
        receipt = None
        if message.qos:
            receipt = Receipt(message.mid, self._generation)
            self._in_flight.add(message.mid, size=len(message.payload))
        try:
            self._on_message(topic, bytes(message.payload), receipt)
        except Exception as error:  # noqa: BLE001  it stays unacknowledged, so a QoS 1 message comes again
            self._tally.add("handler_errors")
            self._log.error("bus_handler_failed", error=type(error).__name__)

    def _is_state(self, topic: str) -> bool:
        return any(s.state and paho.topic_matches_sub(s.filter, topic) for s in self._subscriptions)


def _watch(selector: selectors.BaseSelector, sock: Any, *, reading: bool, writing: bool) -> None:
    """Have `selector` wait for what is wanted of `sock`, which may be nothing."""
    events = (selectors.EVENT_READ if reading else 0) | (selectors.EVENT_WRITE if writing else 0)
    known = sock in selector.get_map()
    if events and known:
        selector.modify(sock, events)
    elif events:
        selector.register(sock, events)
    elif known:
        selector.unregister(sock)


def _topic_of(message: paho.MQTTMessage) -> str:
    try:
        return message.topic
    except UnicodeDecodeError:
        return _UNREADABLE_TOPIC
