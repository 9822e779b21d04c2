"""Waiting before the next try, and choosing which MQTT to try."""

from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.enums import MQTTProtocolVersion

from edge.bus.backoff import Backoff
from edge.bus.protocol import ProtocolChoice


def test_waits_double_up_to_a_bound():
    """Without jitter's share: 1, 2, 4, 8, 8 seconds; and from the start again once it worked."""
    backoff = Backoff(first_s=1, most_s=8, random=lambda: 1.0)
    assert [backoff.next_s() for _ in range(5)] == [1, 2, 4, 8, 8]
    backoff.reset()
    assert backoff.next_s() == 1


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=40))
def test_jitter_stays_within_half(rolls):
    """Every wait is between half of its bound and all of it, whatever the dice say."""
    dice = iter(rolls)
    backoff = Backoff(first_s=0.5, most_s=30, random=lambda: next(dice))
    for n in range(len(rolls)):
        bound = min(30, 0.5 * 2**n)
        assert bound / 2 <= backoff.next_s() <= bound


def test_a_refusal_is_believed_at_once_and_for_good():
    """A broker that says it does not speak MQTT 5 is spoken to in 3.1.1, after losses too."""
    choice = ProtocolChoice()
    assert choice.version is MQTTProtocolVersion.MQTTv5
    assert choice.refused()
    choice.lost()
    assert choice.version is MQTTProtocolVersion.MQTTv311
    assert not choice.refused()


def test_hang_ups_are_only_guessed_from():
    """Three hang-ups in a row mean 3.1.1 for now: a broker that was merely restarting is offered 5 again."""
    choice = ProtocolChoice()
    for _ in range(3):
        assert choice.version is MQTTProtocolVersion.MQTTv5
        choice.hung_up()
    assert choice.version is MQTTProtocolVersion.MQTTv311
    choice.lost()
    assert choice.version is MQTTProtocolVersion.MQTTv5


def test_hang_ups_far_apart_mean_nothing():
    """A connection in between wipes the count."""
    choice = ProtocolChoice()
    for _ in range(5):
        choice.hung_up()
        choice.hung_up()
        choice.lost()
    assert choice.version is MQTTProtocolVersion.MQTTv5


def test_a_broker_that_keeps_us_waiting_is_offered_the_other():
    """No answer to MQTT 5: 3.1.1 next; no answer to that either: 5 again."""
    choice = ProtocolChoice()
    choice.kept_waiting()
    assert choice.version is MQTTProtocolVersion.MQTTv311
    choice.kept_waiting()
    assert choice.version is MQTTProtocolVersion.MQTTv5


def test_a_protocol_that_is_set_is_kept():
    """With `mqtt.protocol` set, neither refusal nor silence changes it."""
    choice = ProtocolChoice("3.1.1")
    assert not choice.refused()
    choice.kept_waiting()
    for _ in range(5):
        choice.hung_up()
    assert choice.version == MQTTProtocolVersion.MQTTv311
