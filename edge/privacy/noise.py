"""Noise for counts: the discrete Laplace mechanism, by OpenDP."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import opendp.prelude as dp

__all__ = ["Noise", "discrete_laplace"]

Noise = Callable[[int, float], int]
"""`noise(count, epsilon)` returns a noisy count."""

SENSITIVITY = 1
"""One crossing, entry, press or question adds 1 to exactly one released count (decision record 0004)."""


def discrete_laplace(count: int, epsilon: float) -> int:
    """`count` plus discrete Laplace noise of scale sensitivity / `epsilon`.

    Source: Ghosh, Roughgarden, Sundararajan 2012 (universally utility-maximizing mechanisms); sampler: Canonne, Kamath,
    Steinke 2020, as OpenDP implements it with exact arithmetic.
    """
    return int(_mechanism(epsilon)(count))


@cache
def _mechanism(epsilon: float) -> Any:
    dp.enable_features("contrib")
    space = dp.atom_domain(T=int), dp.absolute_distance(T=int)
    mechanism: Any = dp.m.make_laplace(*space, scale=SENSITIVITY / epsilon)
    spent = mechanism.map(SENSITIVITY)
    # OpenDP's own accounting must agree with what we write into the release record.
    if spent > epsilon * (1 + 1e-9):
        raise AssertionError(f"mechanism spends {spent}, more than {epsilon}")
    return mechanism
