"""The gateway's client against a real Mosquitto with the shipped configuration: nothing lost, nothing wrongly acknowledged."""

import contextlib
import socket
import threading

import pytest
import structlog

from edge.bus.paho_client import RECEIVE_MAXIMUM, Presence
from edge.bus.topics import gateway_status_topic
from edge.errors import BusError
from edge.messages import Receipt
from edge.settings import MqttSettings

ROOT = "threshold/v1/shop-1"
SALES = f"{ROOT}/pos/till-1/transaction"
STATUS = gateway_status_topic("shop-1")
BURST = 20_000


def sales(count, *, start=0):
    return [(SALES, b"%d" % n) for n in range(start, start + count)]


def drain(gateway, count, *, batch=RECEIVE_MAXIMUM, pause=None):
    """Take messages as a writer does, a batch at a time and acknowledged after it; their payloads."""
    got = set()
    while len(got) < count:
        receipts = []
        for _ in range(min(batch, count - len(got))):
            _, payload, receipt = gateway.next()
            got.add(payload)
            receipts.append(receipt)
            if gateway.inbox.empty():
                break
        if pause is not None:
            pause()
        for receipt in receipts:
            gateway.client.ack(receipt)
    return got


def test_a_message_arrives_with_its_receipt(mosquitto, gateway, device):
    """QoS 1 comes with a receipt, QoS 0 (a frame) without."""
    hub, till = gateway(mosquitto).start(), device(mosquitto).connect()
    till.publish_all(sales(1))
    topic, payload, receipt = hub.next()
    assert (topic, payload) == (SALES, b"0")
    assert isinstance(receipt, Receipt)
    till.client.publish(f"{ROOT}/camera/door/frame", b"\xff\xd8", qos=1)
    assert hub.next() == (f"{ROOT}/camera/door/frame", b"\xff\xd8", None)


def test_the_gateway_speaks_mqtt_5_where_the_broker_does(mosquitto, gateway):
    """With Mosquitto: MQTT 5 at the first try."""
    with structlog.testing.capture_logs() as logs:
        gateway(mosquitto).start()
    assert [log["protocol"] for log in logs if log["event"] == "bus_connected"] == ["MQTTv5"]


def test_a_burst_for_a_gateway_that_is_away_is_kept(mosquitto, gateway, device):
    """20,000 QoS 1 messages while the gateway is away: all come when it is back (the default of 1,000 loses 19,000)."""
    gateway(mosquitto).start().client.stop()
    device(mosquitto).connect().publish_all(sales(BURST))
    back = gateway(mosquitto).start()
    assert drain(back, BURST) == {payload for _, payload in sales(BURST)}


def test_a_burst_for_a_slow_gateway_is_kept(mosquitto, gateway, device, until):
    """20,000 QoS 1 messages while the gateway is there and acknowledges nothing, then slowly: all come, and never more ahead
    than it allows, though Mosquitto would send more."""
    hub = gateway(mosquitto).start()
    device(mosquitto).connect().publish_all(sales(BURST))
    until(lambda: hub.client.counts.received >= RECEIVE_MAXIMUM, what="all that we allow ahead")
    waiting, tick = [], threading.Event()
    got = drain(hub, BURST, pause=lambda: waiting.append(hub.inbox.qsize()) or tick.wait(0.01))
    assert got == {payload for _, payload in sales(BURST)}
    assert max(waiting) <= 2 * RECEIVE_MAXIMUM


def test_what_was_not_acknowledged_comes_again(mosquitto, gateway, device, until):
    """A gateway that dies before its commit gets its messages again; what it acknowledged stays away."""
    hub, till = gateway(mosquitto).start(), device(mosquitto).connect()
    till.publish_all(sales(10))
    for _ in range(10):
        _, payload, receipt = hub.next()
        if int(payload) < 4:
            hub.client.ack(receipt)
    until(lambda: hub.client.counts.acks_sent == 4, what="four acks")
    hub.client.stop()
    again = gateway(mosquitto).start()
    assert {again.next()[1] for _ in range(6)} == {b"%d" % n for n in range(4, 10)}
    till.publish_all(sales(1, start=99))
    assert again.next()[1] == b"99"


def test_a_broken_connection_is_made_again(mosquitto, gateway, device, until):
    """Broker stopped and started: connected again, subscribed again, and what was unacknowledged comes again."""
    hub, till = gateway(mosquitto).start(), device(mosquitto).connect()
    till.publish_all(sales(3))
    assert [hub.next()[1] for _ in range(3)] == [b"0", b"1", b"2"]
    mosquitto.stop()
    until(lambda: not hub.client.connected, what="the loss to be seen")
    mosquitto.start()
    assert {hub.next()[1] for _ in range(3)} == {b"0", b"1", b"2"}
    assert hub.client.counts.connections == 2


def test_a_broker_that_forgot_everything_is_subscribed_to_again(mosquitto, gateway, device, until):
    """Broker killed with -9, its sessions gone: the gateway subscribes on every connect, so messages come."""
    hub = gateway(mosquitto).start()
    mosquitto.kill()
    until(lambda: not hub.client.connected, what="the loss to be seen")
    mosquitto.start()
    until(lambda: hub.client.connected, what="the new connection")
    device(mosquitto).connect().publish_all(sales(1))
    assert hub.next()[1] == b"0"


def test_a_receipt_of_an_earlier_connection_acknowledges_nothing(mosquitto, gateway, device, until):
    """After a reconnect an old receipt's number is another message's: used, it would lose that one. It is not."""
    hub, till = gateway(mosquitto).start(), device(mosquitto).connect()
    till.publish_all(sales(5))
    old = [hub.next()[2] for _ in range(5)]
    mosquitto.stop()
    until(lambda: not hub.client.connected, what="the loss to be seen")
    mosquitto.start()
    new = [hub.next()[2] for _ in range(5)]
    assert {r.generation for r in new}.isdisjoint(r.generation for r in old)
    for receipt in old:
        hub.client.ack(receipt)
    until(lambda: hub.client.counts.acks_void == 5, what="old receipts to be set aside")
    assert hub.client.counts.acks_sent == 0
    hub.client.stop()
    third = gateway(mosquitto).start()
    assert {third.next()[1] for _ in range(5)} == {b"%d" % n for n in range(5)}


def test_a_receipt_is_good_once(mosquitto, gateway, device, until):
    """Used twice, a receipt acknowledges once: its number may have been given to the next message in between."""
    hub, till = gateway(mosquitto).start(), device(mosquitto).connect()
    till.publish_all(sales(1))
    receipt = hub.next()[2]
    hub.client.ack(receipt)
    hub.client.ack(receipt)
    until(lambda: hub.client.counts.acks_void == 1, what="the second use")
    assert hub.client.counts.acks_sent == 1


def test_the_last_will_is_delivered_and_taken_back(mosquitto, gateway, device, until):
    """Online at connect; offline when the gateway is cut off, and when it ends regularly; all of it retained."""
    watcher = device(mosquitto).connect(STATUS)
    hub = gateway(mosquitto, presence=Presence(STATUS)).start()
    said = b""

    def changed():
        # A word that was on its way when the line was cut is said again: QoS 1.
        nonlocal said
        while (now := watcher.heard.get(timeout=30)[1]) == said:
            pass
        said = now
        return now

    assert changed() == b'{"state":"online"}'
    hub.client._paho.socket().shutdown(socket.SHUT_RDWR)
    assert changed() == b'{"state":"offline"}'
    assert changed() == b'{"state":"online"}'
    hub.client.stop()
    assert changed() == b'{"state":"offline"}'
    late = device(mosquitto).connect(STATUS)
    assert late.heard.get(timeout=30) == (STATUS, b'{"state":"offline"}', True)


def test_a_devices_last_will_reaches_the_gateway(mosquitto, gateway, device):
    """A device that vanishes is reported offline by the broker."""
    hub = gateway(mosquitto).start()
    topic = f"{ROOT}/camera/door/status"
    camera = device(mosquitto, will=(topic, b'{"state":"offline"}', 1, True)).connect()
    camera.publish_all([(topic, b'{"state":"online"}')], retain=True)
    assert hub.next()[:2] == (topic, b'{"state":"online"}')
    camera.client.socket().shutdown(socket.SHUT_RDWR)
    assert hub.next()[:2] == (topic, b'{"state":"offline"}')


def test_retained_events_are_stale_and_retained_states_are_not(mosquitto, gateway, device):
    """What somebody retained on an event's topic is not an event of today; a device's status is its state."""
    liar = device(mosquitto).connect()
    liar.publish_all([(SALES, b"old"), (f"{ROOT}/camera/door/frame", b"old"), (f"{ROOT}/x/y/z", b"junk")], retain=True)
    liar.publish_all([(f"{ROOT}/camera/door/status", b'{"state":"online"}')], retain=True)
    hub = gateway(mosquitto).start()
    assert hub.next()[:2] == (f"{ROOT}/camera/door/status", b'{"state":"online"}')
    liar.publish_all(sales(1))
    assert hub.next()[1] == b"0"


def test_the_gateway_answers_a_device(mosquitto, gateway, device, until):
    """A published `ack` arrives, and is counted when the broker has it."""
    hub, till = gateway(mosquitto).start(), device(mosquitto).connect(f"{ROOT}/pos/till-1/ack")
    assert hub.client.publish(f"{ROOT}/pos/till-1/ack", b'{"message_ids":[]}', qos=1)
    assert till.heard.get(timeout=30)[1] == b'{"message_ids":[]}'
    until(lambda: hub.client.counts.published == 1, what="the broker's acknowledgement")


def test_what_is_dropped_is_counted(mosquitto, gateway, until):
    """With the broker away a publish says so at once; a topic with a wildcard is a mistake."""
    hub = gateway(mosquitto).start()
    mosquitto.kill()
    until(lambda: not hub.client.connected, what="the loss to be seen")
    assert not hub.client.publish(f"{ROOT}/pos/till-1/ack", b"{}")
    assert hub.client.counts.publishes_dropped == 1
    with pytest.raises(BusError, match="wildcard"):
        hub.client.publish(f"{ROOT}/pos/+/ack", b"{}")


def test_many_threads_may_publish_and_acknowledge(mosquitto, gateway, device, until):
    """Eight threads at once: every message arrives whole, the connection holds."""
    watcher = device(mosquitto).connect(f"{ROOT}/+/+/ack")
    hub = gateway(mosquitto).start()

    def speak(number):
        for n in range(200):
            assert hub.client.publish(f"{ROOT}/pos/till-{number}/ack", b"%d" % n * 50)

    threads = [threading.Thread(target=speak, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    heard = [watcher.heard.get(timeout=30)[:2] for _ in range(1600)]
    for thread in threads:
        thread.join()
    assert set(heard) == {(f"{ROOT}/pos/till-{k}/ack", b"%d" % n * 50) for k in range(8) for n in range(200)}
    assert hub.client.counts.connections == 1


def test_a_handler_that_fails_leaves_the_message_at_the_broker(mosquitto, gateway, device, until):
    """An error in the gateway neither ends the network thread nor loses the message, and its text is not logged."""
    failed = threading.Event()

    def handler(topic, payload, receipt):
        failed.set()
        raise RuntimeError("4111111111111111")

    with structlog.testing.capture_logs() as logs:
        hub = gateway(mosquitto, on_message=handler).start()
        till = device(mosquitto).connect()
        till.publish_all(sales(1))
        assert failed.wait(30)
        until(lambda: hub.client.counts.handler_errors == 1, what="the error to be counted")
    assert "4111111111111111" not in repr(logs)
    assert hub.client.connected
    hub.client.stop()
    assert gateway(mosquitto).start().next()[1] == b"0"


def test_a_large_message_passes_and_a_larger_one_does_not(mosquitto, gateway, device):
    """Two masks of 1 MB arrive, and so does what only the gateway finds too large; past the broker's limit one is cut off."""
    hub = gateway(mosquitto).start()
    topic = f"{ROOT}/mirror/fit/silhouette"
    device(mosquitto).connect().publish_all([(topic, bytes(2_000_500)), (topic, bytes(2_190_000))])
    assert [len(hub.next()[1]) for _ in range(2)] == [2_000_500, 2_190_000]
    glutton, cut = device(mosquitto), threading.Event()
    glutton.client.on_disconnect = lambda *_: cut.set()
    glutton.connect().client.publish(topic, bytes(2_250_000), qos=1)
    assert cut.wait(30)
    glutton.close()
    device(mosquitto).connect().publish_all([(SALES, b"after")])
    assert hub.next()[1] == b"after"


def test_a_client_that_was_never_started_can_be_stopped(mosquitto, gateway):
    """Closing in reverse order works however far the start came."""
    gateway(mosquitto)


def test_a_broker_that_is_not_there_is_waited_for(make_mosquitto, gateway, until):
    """The gateway may start before the broker; one warning says so, not one a second."""
    broker = make_mosquitto()
    with structlog.testing.capture_logs() as logs:
        hub = gateway(broker)
        hub.client.start()
        assert not hub.client.wait_connected(0.5)
        broker.start()
        assert hub.client.wait_connected(30)
    assert [log["event"] for log in logs].count("broker_unreachable") == 1


def test_missing_credentials_are_named_and_not_shown(tmp_path, mosquitto, gateway):
    """A password or certificate file that cannot be read is refused when the client is made."""
    for wrong in ({"username": "gateway", "password_file": tmp_path / "none"}, {"ca_file": tmp_path / "none"}):
        settings = MqttSettings(host=mosquitto.host, port=mosquitto.port, **wrong)
        with pytest.raises(BusError, match="credentials"):
            gateway(mosquitto, settings=settings)


class _DeafToFive:
    """Stands between client and broker, and hangs up without a word on whoever speaks MQTT 5, as old brokers do."""

    def __init__(self, broker):
        self._broker, self._ends = broker, []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host, self.port = self._listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                end, _ = self._listener.accept()
                first = end.recv(4096)
                if first[8] == 5:
                    end.close()
                    continue
                other = socket.create_connection((self._broker.host, self._broker.port))
                other.sendall(first)
                self._ends += [end, other]
                for pair in ((end, other), (other, end)):
                    threading.Thread(target=self._pass_on, args=pair, daemon=True).start()

    def _pass_on(self, source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_RDWR)

    def close(self):
        for end in (self._listener, *self._ends):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


def test_a_broker_that_hangs_up_on_mqtt_5_is_spoken_to_in_3_1_1(mosquitto, gateway, device):
    """No CONNACK at all, three times running: MQTT 3.1.1, and messages and acks go as ever."""
    between = _DeafToFive(mosquitto)
    try:
        hub = gateway(between).start()
        device(mosquitto).connect().publish_all(sales(300))
        assert drain(hub, 300) == {payload for _, payload in sales(300)}
        hub.client.stop()
    finally:
        between.close()
