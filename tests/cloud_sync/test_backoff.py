"""Waiting after failures."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cloud_sync.backoff import Backoff


def test_each_failure_waits_twice_as_long_up_to_the_longest() -> None:
    """1, 2, 4, 8, 8 … seconds, here with the jitter at its highest."""
    backoff = Backoff(first_s=1, longest_s=8, jitter=lambda: 1.0)
    assert [backoff.failed() for _ in range(6)] == [1, 2, 4, 8, 8, 8]


def test_a_success_starts_over() -> None:
    """After HQ answered, the next failure waits shortest again."""
    backoff = Backoff(first_s=1, longest_s=8, jitter=lambda: 1.0)
    backoff.failed()
    backoff.failed()
    backoff.succeeded()
    assert backoff.failed() == 1


def test_what_somebody_must_mend_is_not_hammered() -> None:
    """A hopeless failure waits near the longest at once."""
    assert Backoff(first_s=1, longest_s=60, jitter=lambda: 0.0).hopeless() == 30


@given(failures=st.integers(1, 5000), jitter=st.floats(0, 1, exclude_max=True))
def test_the_wait_is_always_within_bounds(failures: int, jitter: float) -> None:
    """Half the first delay at least, the longest at most, after however many failures."""
    backoff = Backoff(first_s=0.5, longest_s=60, jitter=lambda: jitter, failures=failures)
    assert 0.25 <= backoff.failed() <= 60
