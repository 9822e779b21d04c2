"""How alike two identifiers are: one slip of the fingers apart, or not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

__all__ = ["one_slip_apart", "pairs_one_slip_apart"]


def one_slip_apart(left: str, right: str) -> bool:
    """Whether one letter was changed, left out, put in, or two neighbours were exchanged (Damerau 1964), and not equal."""
    if len(left) > len(right):
        left, right = right, left
    if len(right) - len(left) > 1 or left == right:
        return False
    at = next((at for at, letter in enumerate(left) if letter != right[at]), len(left))
    if len(left) < len(right):
        return left[at:] == right[at + 1 :]
    exchanged = left[at : at + 2] == right[at : at + 2][::-1] and left[at + 2 :] == right[at + 2 :]
    return exchanged or left[at + 1 :] == right[at + 1 :]


def pairs_one_slip_apart(texts: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Every such pair once, the lesser text first.

    Two texts one slip apart become equal when the right letter is left out of each (of one, if it is the longer): each text is
    filed under itself and under all that is left when one letter goes, and only texts in one file are compared.
    """
    files: dict[str, set[str]] = defaultdict(set)
    for text in set(texts):
        for key in _without_one(text):
            files[key].add(text)
    found = set()
    for filed in files.values():
        alike = sorted(filed)
        for number, left in enumerate(alike):
            found |= {(left, right) for right in alike[number + 1 :] if one_slip_apart(left, right)}
    yield from sorted(found)


def _without_one(text: str) -> set[str]:
    return {text, *(text[:at] + text[at + 1 :] for at in range(len(text)))}
