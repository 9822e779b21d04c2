"""Wrong codes can be tried so often and no more, by one or by all, in bounded memory."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from edge.consent.tries import Tries

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_a_key_waits_after_its_failures_until_the_first_is_a_window_old():
    """The window slides: no burst on either side of a full minute."""
    tries = Tries(each=3, everybody=100, window=MINUTE)
    for second in (0, 20, 50):
        assert not tries.blocked("kiosk", at=after(second))
        tries.failed("kiosk", at=after(second))
    assert tries.blocked("kiosk", at=after(59.9))
    assert not tries.blocked("kiosk", at=after(60))
    tries.failed("kiosk", at=after(60))
    assert tries.blocked("kiosk", at=after(79))
    assert not tries.blocked("kiosk", at=after(80))


def test_keys_do_not_wait_for_each_other():
    """A child at one kiosk does not lock the other."""
    tries = Tries(each=1, everybody=100, window=MINUTE)
    tries.failed("one", at=START)
    assert tries.blocked("one", at=START)
    assert not tries.blocked("other", at=START)


def test_everybody_together_has_a_limit_too():
    """Many addresses do not make many tries."""
    tries = Tries(each=3, everybody=10, window=MINUTE)
    for number in range(10):
        assert tries.take(f"address-{number}", at=START)
    assert not tries.take("another", at=after(59))
    assert tries.take("another", at=after(60))


def test_a_right_try_is_given_back():
    """Who types the right code again and again is not locked out."""
    tries = Tries(each=2, everybody=10, window=MINUTE)
    for second in range(30):
        assert tries.take("kiosk", at=after(second))
        tries.forgive("kiosk", at=after(second))
    tries.failed("kiosk", at=after(31))
    assert tries.take("kiosk", at=after(32))
    assert not tries.take("kiosk", at=after(33))
    tries.forgive("nobody", at=after(33))


def test_memory_is_bounded():
    """Invented addresses push out the oldest, and everybody's limit still holds."""
    tries = Tries(each=2, everybody=50, window=MINUTE, keys_at_most=100)
    for number in range(10_000):
        tries.failed(f"address-{number}", at=START)
    assert len(tries._failures) == 100
    assert len(tries._everybody) == 50
    assert tries.blocked("address-0", at=START)


def test_a_clock_that_is_set_back_locks_nobody_out():
    """Failures from a future that is more than a window ahead do not count."""
    tries = Tries(each=1, everybody=1, window=MINUTE)
    tries.failed("kiosk", at=START)
    assert tries.blocked("kiosk", at=after(-59))
    assert not tries.blocked("kiosk", at=after(-3600))


def test_many_at_once_get_no_more_tries():
    """Requests that come together cannot all pass before the first has failed."""
    tries = Tries(each=5, everybody=1000, window=MINUTE)
    passed: list[bool] = []
    threads = [
        threading.Thread(target=lambda: passed.extend(tries.take("kiosk", at=START) for _ in range(50)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(passed) == 5


@given(
    moves=st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 40)), max_size=60),
    each=st.integers(1, 4),
    everybody=st.integers(1, 8),
)
def test_no_window_ever_holds_more_than_its_limits(moves: list[tuple[str, int]], each: int, everybody: int):
    """Whoever tries whenever: every window of a minute holds at most so many, of one and of all."""
    tries, taken, second = Tries(each=each, everybody=everybody, window=MINUTE), [], 0
    for key, wait in moves:
        second += wait
        recent = [(who, when) for who, when in taken if second - when < 60]
        free = len(recent) < everybody and sum(who == key for who, _ in recent) < each
        assert tries.blocked(key, at=after(second)) != free
        assert tries.take(key, at=after(second)) == free
        if free:
            taken.append((key, second))
