"""The release gate: what leaves, what merges, what never leaves."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from edge.privacy.noise import discrete_laplace
from edge.privacy.release import Budget, PendingWindow, Released, ReleaseGate, Suppressed
from edge.settings import PrivacySettings

LENGTH_S = 900


def exact(count: int, epsilon: float) -> int:
    return count


def windows_of(counts: list[int]) -> list[PendingWindow]:
    return [PendingWindow(i * LENGTH_S, (i + 1) * LENGTH_S, count) for i, count in enumerate(counts)]


def gate(noise=exact, **settings) -> ReleaseGate:
    return ReleaseGate(PrivacySettings(**settings), noise=noise)


def test_a_count_of_k_leaves_and_one_below_waits():
    """k is the smallest count that may leave alone."""
    verdicts = gate(k=5).judge(windows_of([5, 4]), budget=Budget(10), now_s=2 * LENGTH_S)
    assert verdicts == [Released(0, LENGTH_S, 5, 1.0)]


def test_small_counts_merge_into_the_next_window():
    """What was too few leaves later, inside a longer window."""
    verdicts = gate(k=5).judge(windows_of([3, 4]), budget=Budget(10), now_s=2 * LENGTH_S)
    assert verdicts == [Released(0, 2 * LENGTH_S, 7, 1.0)]


def test_what_stays_too_few_for_too_long_is_suppressed_for_good():
    """Past the merge limit a small count never leaves."""
    verdicts = gate(k=5, merge_limit_s=3600).judge(windows_of([3]), budget=Budget(10), now_s=3601)
    assert verdicts == [Suppressed(0, LENGTH_S)]


def test_with_the_budget_spent_nothing_leaves():
    """No release without its epsilon."""
    budget = Budget(1.5)
    verdicts = gate(k=1).judge(windows_of([9, 9, 9]), budget=budget, now_s=3 * LENGTH_S)
    assert [v.start_s for v in verdicts] == [0]
    assert budget.left == pytest.approx(0.5)


def test_noise_never_makes_a_count_negative():
    """A count of people is at least zero, whatever the noise says."""
    verdicts = gate(lambda count, epsilon: -3, k=1).judge(windows_of([2]), budget=Budget(10), now_s=LENGTH_S)
    assert verdicts == [Released(0, LENGTH_S, 0, 1.0)]


@given(
    counts=st.lists(st.integers(0, 12), max_size=40),
    k=st.integers(1, 8),
    budget=st.floats(0, 20),
    age_s=st.integers(0, 20 * LENGTH_S),
)
def test_every_window_has_one_fate_and_the_books_agree(counts, k, budget, age_s):
    """No window is released twice or overlaps another; each release has k people; epsilon spent never exceeds the budget."""
    windows = windows_of(counts)
    wallet = Budget(budget)
    now_s = len(counts) * LENGTH_S + age_s
    verdicts = gate(k=k).judge(windows, budget=wallet, now_s=now_s)
    ends = [0]
    for verdict in verdicts:
        assert verdict.start_s >= ends[-1]
        ends.append(verdict.end_s)
        inside = sum(w.count for w in windows if verdict.start_s <= w.start_s < verdict.end_s)
        if isinstance(verdict, Released):
            assert verdict.count == inside >= k
    spent = sum(v.epsilon for v in verdicts if isinstance(v, Released))
    assert spent <= budget + 1e-6
    assert wallet.left == pytest.approx(budget - spent)


def test_the_noise_is_discrete_laplace():
    """Chi-squared goodness of fit against P(x) = (1-a)/(1+a) a^|x|, a = e^-epsilon; fails once in 100,000 runs."""
    epsilon, n = 0.7, 20_000
    drawn = Counter(max(-8, min(8, discrete_laplace(100, epsilon) - 100)) for _ in range(n))
    a = 2.718281828459045**-epsilon
    inner = {x: (1 - a) / (1 + a) * a ** abs(x) for x in range(-7, 8)}
    tail = (1 - sum(inner.values())) / 2
    expected = {**inner, -8: tail, 8: tail}
    order = sorted(expected)
    result = stats.chisquare([drawn[x] for x in order], [n * expected[x] for x in order])
    assert result.pvalue > 1e-5
