"""How much of the longest bar another one takes."""

from __future__ import annotations

__all__ = ["share"]


def share(part: int, whole: int) -> str:
    """`part` of `whole` in percent as SVG writes it, 0 to 100; 0 of nothing."""
    return f"{100 * part / whole:.3g}" if whole else "0"
