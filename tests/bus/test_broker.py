"""The embedded broker, as a process of its own: MQTT 3.1.1, ends when told, and is for this machine."""

import signal
import socket

import paho.mqtt.client as paho
import pytest
import structlog
from click.testing import CliRunner
from paho.mqtt.enums import CallbackAPIVersion

from edge.bus.broker import EmbeddedBroker
from edge.bus.paho_client import Presence
from edge.bus.topics import gateway_status_topic
from edge.commands.broker import broker as command
from edge.errors import BusError

ROOT = "threshold/v1/shop-1"
SALES = f"{ROOT}/pos/till-1/transaction"


def test_the_gateway_falls_back_to_3_1_1(embedded, gateway, device, until):
    """MQTT 5 is refused, 3.1.1 is spoken at once, and messages, receipts and answers go as with Mosquitto."""
    with structlog.testing.capture_logs() as logs:
        hub = gateway(embedded).start()
    assert [log["protocol"] for log in logs if log["event"] == "bus_connected"] == ["MQTTv311"]
    till = device(embedded).connect(f"{ROOT}/pos/till-1/ack")
    till.publish_all([(SALES, b"%d" % n) for n in range(50)])
    got = [hub.next() for _ in range(50)]
    assert {payload for _, payload, _ in got} == {b"%d" % n for n in range(50)}
    for _, _, receipt in got:
        hub.client.ack(receipt)
    until(lambda: hub.client.counts.acks_sent == 50, what="fifty acks")
    assert hub.client.publish(f"{ROOT}/pos/till-1/ack", b"{}")
    assert till.heard.get(timeout=30)[1] == b"{}"


def test_wills_and_frames_pass(embedded, gateway, device):
    """The gateway's last will is delivered, and so is a frame of 2 MB."""
    status = gateway_status_topic("shop-1")
    watcher = device(embedded).connect(status)
    hub = gateway(embedded, presence=Presence(status)).start()
    assert watcher.heard.get(timeout=30)[1] == b'{"state":"online"}'
    device(embedded).connect().client.publish(f"{ROOT}/camera/door/frame", bytes(2_000_000))
    assert len(hub.next()[1]) == 2_000_000
    hub.client._paho.socket().shutdown(socket.SHUT_RDWR)
    assert watcher.heard.get(timeout=30)[1] == b'{"state":"offline"}'


def test_a_retained_frame_is_not_one_of_today(embedded, gateway, device):
    """On 3.1.1, where one cannot ask for no retained messages, a retained frame is thrown away and counted."""
    liar = device(embedded).connect()
    liar.publish_all([(f"{ROOT}/camera/door/frame", b"old")], retain=True)
    hub = gateway(embedded).start()
    liar.publish_all([(SALES, b"new")])
    assert hub.next()[1] == b"new"
    assert hub.client.counts.stale_events == 1


def test_many_who_connect_at_once_are_all_heard(embedded, device, until):
    """Nobody's session is left deaf, or hung up on, because another subscribed at the same moment."""
    watcher = device(embedded).connect(f"{ROOT}/#")
    watcher.publish_all([(f"{ROOT}/pos/till-{n}/status", b"{}") for n in range(20)], retain=True)
    subscribed, broken, clients = [], [], []
    for number in range(40):
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"device-{number}")
        client.on_connect = lambda client, *_: client.subscribe(f"{ROOT}/pos/{client._client_id.decode()}/ack", 1)
        client.on_subscribe = lambda client, *_: subscribed.append(client._client_id)
        client.on_disconnect = lambda client, _, __, reason, ___: reason.is_failure and broken.append(reason)
        client.connect_async(embedded.host, embedded.port)
        clients.append(client)
    for client in clients:
        client.loop_start()
    until(lambda: len(subscribed) == 40, what="forty subscriptions")
    for client in clients:
        client.disconnect()
        client.loop_stop()
    assert broken == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_told(embedded, device, number):
    """SIGTERM, with a client connected: exit 0, and nothing on standard error."""
    device(embedded).connect("a/b")
    embedded.process.send_signal(number)
    _, errors = embedded.process.communicate(timeout=60)
    assert (embedded.process.returncode, errors) == (0, "")


def test_it_says_where_it_listens(embedded):
    """One line, for whoever waits for it."""
    assert embedded.greeting == f"broker: listening on 127.0.0.1:{embedded.port}\n"


def test_it_listens_on_loopback_only(embedded):
    """By default nobody outside this machine reaches it."""
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", embedded.port), timeout=5)


def test_a_taken_port_is_one_line(free_port):
    """Somebody else's port is named, with what to do about it."""
    with socket.create_server(("127.0.0.1", free_port())) as other:
        port = other.getsockname()[1]
        with pytest.raises(BusError, match="choose another --port"):
            EmbeddedBroker(port=port).start()
        result = CliRunner().invoke(command, ["--port", str(port)])
    assert isinstance(result.exception, BusError)
