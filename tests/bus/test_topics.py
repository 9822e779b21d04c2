"""The grammar of topics: what fits goes in and comes out the same, and nothing else goes in."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import topic_matches_sub

from edge.bus.topics import (
    SPOKEN,
    FrigateTopic,
    Topic,
    gateway_status_topic,
    gateway_subscriptions,
    parse_topic,
    topic_for,
)
from edge.errors import MessageRejected
from edge.messages import Device

IDS = st.from_regex(r"[a-z0-9-]{1,40}", fullmatch=True)
CHANNELS = st.sampled_from(sorted(channel for spoken in SPOKEN.values() for channel in spoken))


@given(IDS, st.sampled_from(sorted(SPOKEN)), IDS, CHANNELS)
def test_a_topic_survives_the_wire(store, kind, device, channel):
    """What is built is parsed to the same topic."""
    topic = topic_for(store, Device(kind, device), channel)
    assert parse_topic(topic) == Topic(store, Device(kind, device), channel)
    assert str(parse_topic(topic)) == topic


@given(st.text() | st.from_regex(r"threshold/v1/\w+/camera/\w+/\w+"))
def test_any_text_is_a_topic_or_refused(text):
    """Whatever a stranger writes, it names itself exactly or is refused."""
    with contextlib.suppress(MessageRejected):
        assert str(parse_topic(text)) == text


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "threshold/v1/shop-1/camera/door/frame/",
        "threshold/v1/shop-1/camera/door/frame\n",
        "threshold/v1/shop-1/camera/door",
        "threshold/v1/shop-1/camera//frame",
        "threshold/v1/shop-1/camera/Door/frame",
        "threshold/v1/shop-1/camera/" + "d" * 41 + "/frame",
        "threshold/v1/shop-1/camera/door/sound",
        "threshold/v1/shop-1/drone/door/frame",
        "threshold/v1/shop-1/gateway/gateway/status",
        "threshold/v2/shop-1/camera/door/frame",
        "$SYS/broker/uptime",
        "frigate/door/car",
        "frigate/a/b/person",
        "frigate/door/person\n",
    ],
)
def test_neighbours_of_the_grammar_are_outside_it(topic):
    """One sign off is off."""
    with pytest.raises(MessageRejected) as refused:
        parse_topic(topic)
    assert refused.value.reason == "unknown-topic"
    assert topic == "" or topic not in str(refused.value)


def test_frigates_topics_are_known():
    """A Frigate's events, and the people of one camera."""
    assert parse_topic("frigate/events") == FrigateTopic(camera=None)
    assert parse_topic("frigate/Front_Door/person") == FrigateTopic(camera="Front_Door")
    assert str(parse_topic("frigate/Front_Door/person")) == "frigate/Front_Door/person"


@pytest.mark.parametrize(("store", "device"), [("Shop", "door"), ("shop", "../door"), ("shop", ""), ("shop/1", "door")])
def test_a_topic_outside_the_grammar_cannot_be_built(store, device):
    """A wrong name is refused where it is made."""
    with pytest.raises(ValueError, match="a-z0-9"):
        topic_for(store, Device("camera", device), "frame")


@given(IDS, st.sampled_from(sorted(SPOKEN)), IDS, CHANNELS)
def test_no_message_is_delivered_twice(store, kind, device, channel):
    """The gateway's filters do not overlap, and each channel that a device speaks on is heard."""
    topic = topic_for(store, Device(kind, device), channel)
    matching = [s for s in gateway_subscriptions(store) if topic_matches_sub(s.filter, topic)]
    assert len(matching) == 1


def test_the_gateway_does_not_hear_itself():
    """Nothing that the gateway says comes back to it as a message."""
    spoken = [gateway_status_topic("shop-1")]
    spoken += [topic_for("shop-1", Device("mirror", "m"), channel) for channel in ("ack", "config", "recommendation")]
    filters = [s.filter for s in gateway_subscriptions("shop-1")]
    assert not [(topic, f) for topic in spoken for f in filters if topic_matches_sub(f, topic)]


def test_frames_are_newest_wins_and_the_rest_is_not():
    """Frames go by QoS 0; everything else by QoS 1."""
    assert [s.filter for s in gateway_subscriptions("s") if s.qos == 0] == ["threshold/v1/s/+/+/frame"]
