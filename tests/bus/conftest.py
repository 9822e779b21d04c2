"""A gateway's client and a device's, as these tests use them, and patience for a busy machine."""

import queue
import subprocess
import sys
import threading
import time

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from edge.bus.backoff import Backoff
from edge.bus.client import BusClient
from edge.bus.topics import gateway_subscriptions
from edge.settings import MqttSettings

STORE = "shop-1"
PATIENCE_S = 60


def until(condition, *, what, patience_s=PATIENCE_S):
    """Wait for `condition`; fail with `what` when it does not come about."""
    deadline = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"waited in vain for: {what}")
        time.sleep(0.02)


class Gateway:
    """A `BusClient` whose messages go on a queue, as the real gateway's do."""

    def __init__(self, broker, *, client_id="gateway", **options):
        self.inbox = queue.Queue()
        settings = options.pop("settings", None) or MqttSettings(host=broker.host, port=broker.port)
        self.client = BusClient(
            settings,
            client_id=client_id,
            subscriptions=options.pop("subscriptions", gateway_subscriptions(STORE)),
            on_message=options.pop("on_message", lambda *message: self.inbox.put(message)),
            backoff=Backoff(first_s=0.05, most_s=0.5, random=lambda: 0.5),
            **options,
        )

    def start(self):
        self.client.start()
        assert self.client.wait_connected(PATIENCE_S)
        return self

    def next(self):
        return self.inbox.get(timeout=PATIENCE_S)


class Device:
    """A plain paho client of a device, MQTT 3.1.1 unless said otherwise."""

    def __init__(self, broker, *, protocol=MQTTProtocolVersion.MQTTv311, username=None, will=None, inflight=500):
        self.client = paho.Client(CallbackAPIVersion.VERSION2, protocol=protocol)
        self.client.max_inflight_messages_set(inflight)
        self.heard, self.answers, self._subscribed = queue.Queue(), [], threading.Event()
        self._filters = []
        self.client.on_message = lambda _, __, m: self.heard.put((m.topic, m.payload, m.retain))
        self.client.on_publish = lambda _, __, ___, reason, ____: self.answers.append(reason)
        self.client.on_subscribe = lambda *_: self._subscribed.set()
        self.client.on_connect = lambda client, *_: client.subscribe(self._filters) if self._filters else None
        if username is not None:
            self.client.username_pw_set(username)
        if will is not None:
            self.client.will_set(*will)
        self._broker = broker

    def connect(self, *filters):
        self._filters = [(topic, 1) for topic in filters]
        self.client.connect(self._broker.host, self._broker.port)
        self.client.loop_start()
        if filters:
            assert self._subscribed.wait(PATIENCE_S)
        return self

    def publish_all(self, messages, *, retain=False):
        """Publish (topic, payload) pairs with QoS 1; returns when the broker has acknowledged all."""
        infos = [self.client.publish(topic, payload, qos=1, retain=retain) for topic, payload in messages]
        until(lambda: all(info.is_published() for info in infos), what="PUBACK for all", patience_s=90)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def gateway():
    """A function that makes a gateway's client; stopped at the end."""
    made = []

    def make(broker, **options):
        made.append(Gateway(broker, **options))
        return made[-1]

    yield make
    for one in made:
        one.client.stop()


@pytest.fixture
def device():
    """A function that makes a device's client; closed at the end."""
    made = []

    def make(broker, **options):
        made.append(Device(broker, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


class Embedded:
    """`threshold broker` as a process of its own: what amqtt warns of stays there."""

    def __init__(self, port):
        self.host, self.port = "127.0.0.1", port
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from edge.cli import main; main()", "broker", "--port", str(port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.greeting = self.process.stdout.readline()


@pytest.fixture
def embedded(free_port):
    """The embedded broker, running."""
    broker = Embedded(free_port())
    yield broker
    broker.process.kill()
    broker.process.communicate()


@pytest.fixture(name="until")
def _until():
    """A function that waits for a condition."""
    return until
