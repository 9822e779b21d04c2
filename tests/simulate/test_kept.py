"""The accounting of unacknowledged messages."""

from __future__ import annotations

from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import BusError
from edge.simulate.kept import KeptMessage, KeptMessages, ResendAfter

RESEND = ResendAfter(first_s=2.0, longest_s=5.0)


def kept(limit: int = 1000) -> KeptMessages:
    return KeptMessages(limit=limit, resend=RESEND, rng=Random(1))


def message(number: int) -> KeptMessage:
    return KeptMessage(UUID(int=number), "topic", b"payload")


def test_a_message_is_due_at_once_and_again_after_its_wait() -> None:
    """A kept message is due now, then not before 2 s have gone by, then again."""
    waiting = kept()
    waiting.keep(message(1), now_s=10.0)
    assert waiting.take_due(now_s=10.0, at_most=5) == [message(1)]
    assert waiting.take_due(now_s=11.9, at_most=5) == []
    assert waiting.take_due(now_s=12.2, at_most=5) == [message(1)]


@given(st.integers(1, 10_000))
def test_the_wait_never_exceeds_its_bound(tries: int) -> None:
    """However often a message was sent, the wait is 2 to 5 s and a tenth at most."""
    assert 2.0 <= RESEND.delay_s(tries, rng=Random(tries)) <= 5.5


def test_what_never_went_out_comes_before_repetitions() -> None:
    """A backlog cannot starve the rest: a message whose turn is overdue longest goes first."""
    waiting = kept()
    for number in (1, 2, 3):
        waiting.keep(message(number), now_s=0.0)
    assert waiting.take_due(now_s=0.0, at_most=2) == [message(1), message(2)]
    assert waiting.take_due(now_s=60.0, at_most=1) == [message(3)]


def test_a_new_connection_makes_everything_due_in_the_order_kept() -> None:
    """After a reconnect all messages go out again, oldest first, whatever their waits were."""
    waiting = kept()
    for number in (3, 1, 2):
        waiting.keep(message(number), now_s=0.0)
    waiting.take_due(now_s=0.0, at_most=2)
    waiting.all_due(now_s=0.5)
    assert waiting.take_due(now_s=0.5, at_most=9) == [message(3), message(1), message(2)]


def test_a_full_store_refuses_and_keeps_what_it_has() -> None:
    """The bound is an error for the newest message, never the loss of an older one."""
    waiting = kept(limit=2)
    waiting.keep(message(1), now_s=0.0)
    waiting.keep(message(2), now_s=0.0)
    with pytest.raises(BusError, match="2 messages wait"):
        waiting.keep(message(3), now_s=0.0)
    assert [UUID(int=number) in waiting for number in (1, 2, 3)] == [True, True, False]


def test_a_message_does_not_show_its_payload() -> None:
    """What may end in a log names the id and the size only."""
    assert "payload" not in repr(message(1))


@given(st.lists(st.tuples(st.sampled_from(["keep", "ack", "take", "reconnect"]), st.integers(0, 8)), max_size=80))
def test_a_message_is_kept_from_keep_to_acknowledge(steps: list[tuple[str, int]]) -> None:
    """Whatever happens in between, exactly the kept and unacknowledged messages are there, and each is sent again."""
    waiting, model, now_s = kept(), set[UUID](), 0.0
    for action, number in steps:
        now_s += 1.0
        if action == "keep":
            waiting.keep(message(number), now_s=now_s)
            model.add(UUID(int=number))
        elif action == "ack":
            assert waiting.acknowledge([UUID(int=number), UUID(int=number)]) == (UUID(int=number) in model)
            model.discard(UUID(int=number))
        elif action == "take":
            assert {one.message_id for one in waiting.take_due(now_s=now_s, at_most=3)} <= model
        else:
            waiting.all_due(now_s=now_s)
        assert len(waiting) == len(model)
        assert (waiting.next_due_s() is None) == (not model)
    assert {one.message_id for one in waiting.take_due(now_s=now_s + 6.0, at_most=99)} == model
